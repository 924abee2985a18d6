"""What people do with the record: verify, replay, simulate, show and export."""
