"""The routes of the OCI distribution API, one module a kind of thing."""
