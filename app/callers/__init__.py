"""API clients: their names, their scopes, and the hashes of their API keys."""
