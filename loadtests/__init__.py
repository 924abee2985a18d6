"""What the services can bear, measured on loopback."""
