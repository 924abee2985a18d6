"""Credit-default decisions: train, gate, serve."""
