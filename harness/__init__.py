"""The real parts on this machine, for tests and load tests: servers, MLflow registries with small models, waiting."""
