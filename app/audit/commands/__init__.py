"""Commands on the record: verify, replay, simulate, show and export."""
