"""Registered models on disk: the cache of pulled models, their loading, and the proof that they compute as trained."""
