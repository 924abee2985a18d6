"""HTTP below the routes: protocol, server, limits, problems, logs and request ids."""
