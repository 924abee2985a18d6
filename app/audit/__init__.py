"""The record of decisions: kept before they are answered, shipped, verified and recomputed."""
