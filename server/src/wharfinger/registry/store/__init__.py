"""The registry's adapters over a database."""
