"""What became of the decisions, as a lender says."""
