"""Training, from reading a file to the verdict."""
