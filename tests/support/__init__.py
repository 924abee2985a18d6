"""What several tests share: fakes, servers, registries, databases, records and waiting."""
