"""The record of decisions: kept before each is answered, shipped to a database, verified and recomputed."""
