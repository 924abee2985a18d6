"""What a person decides: on a decision that waited for it, or against what the service said."""
