"""Clients that others' programs generate from the OpenAPI document."""
