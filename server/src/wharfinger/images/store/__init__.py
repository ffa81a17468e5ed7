"""Images in the database. Lists join the registry's tables (docs/adr)."""
