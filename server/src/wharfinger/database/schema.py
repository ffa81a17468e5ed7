"""All tables of all rooms, for migrations and tests; importing it fills the metadata."""

from wharfinger.audit import tables as audit
from wharfinger.clusters import tables as clusters
from wharfinger.database.metadata import metadata
from wharfinger.explain import tables as explain
from wharfinger.identity import tables as identity
from wharfinger.images import tables as images
from wharfinger.jobs import tables as jobs
from wharfinger.namespaces import tables as namespaces
from wharfinger.quotas import tables as quotas
from wharfinger.registry import tables as registry

__all__ = [
    "audit",
    "clusters",
    "explain",
    "identity",
    "images",
    "jobs",
    "metadata",
    "namespaces",
    "quotas",
    "registry",
]
