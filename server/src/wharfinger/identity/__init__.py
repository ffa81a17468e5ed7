"""Accounts, users, keys, tokens and what they may do."""
