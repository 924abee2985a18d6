"""Scoring of whole files: read, decide on, and write in chunks, whatever their size."""
