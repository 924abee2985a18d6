"""This service beside its peers, on one core, in one run."""
