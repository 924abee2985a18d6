"""Checkpoints: the signed ends of all chains, kept where nobody who owns the database can write."""
