"""Load generators that measure Wharfinger beside distribution v3, and the table they print."""
