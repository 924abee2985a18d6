"""Registered versions for people: list and compare them, promote through the gate, roll back."""
