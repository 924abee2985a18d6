"""What becomes of decisions when servers die and what they rely on fails."""
