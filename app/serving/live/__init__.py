"""What changes while the server runs: model, challenger, policy and API keys, each followed without a restart."""
