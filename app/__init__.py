"""Credit-default decisions: train, gate, serve."""

__version__ = "0.1.0"
