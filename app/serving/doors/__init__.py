"""Other protocols that clients know, each a way to the same decisions."""
