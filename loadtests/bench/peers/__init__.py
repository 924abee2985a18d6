"""The servers that are compared with this one, each as its own documents have it, around one fitted model."""
