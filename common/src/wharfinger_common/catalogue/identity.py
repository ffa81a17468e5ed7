"""Refusals of identity."""
