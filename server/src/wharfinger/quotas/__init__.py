"""Quotas and plans: what accounts may store and have downloaded, and what they did."""
