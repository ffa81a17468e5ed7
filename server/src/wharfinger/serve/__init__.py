"""Processes: the supervisor, the HTTP workers, the jobs process, and the first start."""
