"""`python -m app.registry` for people: what is registered and serves, and changing that by hand."""
