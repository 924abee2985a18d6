"""Ships the journal to the database, in a process of its own beside the server."""
