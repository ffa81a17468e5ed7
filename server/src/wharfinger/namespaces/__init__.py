"""Names that accounts own, and their asynchronous deletion."""
