"""Refusals of namespaces."""
