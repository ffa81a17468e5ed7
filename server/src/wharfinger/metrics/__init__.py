"""Figures of the service, as Prometheus reads them: counted in memory, shared through files."""
