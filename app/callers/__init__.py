"""Who may ask: names, scopes, and the hashes of their API keys."""
