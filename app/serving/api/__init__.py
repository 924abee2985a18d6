"""The routes and what they mean: requests to answers, the wire types and the OpenAPI document."""
