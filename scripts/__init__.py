"""What the Makefile runs and that is too long for a recipe."""
