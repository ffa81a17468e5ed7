"""The database: engines, units of work and migrations."""
