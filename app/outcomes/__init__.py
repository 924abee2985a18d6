"""What became of the decisions: outcomes, and what they say of the models."""
