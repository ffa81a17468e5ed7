"""Which blob store the settings name."""

from wharfinger.blobstore.filesystem import FilesystemStore
from wharfinger.blobstore.port import BlobStore
from wharfinger.database.urls import embedded_path
from wharfinger.settings import Settings


def open_store(settings: Settings) -> BlobStore:
    """Return the store of ``blobs_url``; what only an object store needs is loaded only for one."""
    if not settings.blobs_url.startswith("s3://"):
        # The embedded database's file is used by the processes of one host only.
        one_host = embedded_path(settings.database) is not None
        return FilesystemStore(settings.blobs_path, one_host=one_host)
    from wharfinger.blobstore.object_store.client import Client, Patience
    from wharfinger.blobstore.object_store.store import ObjectStore, Sizes
    from wharfinger.bucket import parse_bucket

    patience = Patience(
        settings.s3_timeout_seconds,
        settings.s3_attempts,
        settings.s3_connections,
        # A quarter of the threads is left to what needs no blobs.
        max(1, settings.threads * 3 // 4),
    )
    sizes = Sizes(settings.s3_part_bytes, settings.blob_bytes, settings.threads)
    return ObjectStore(Client(parse_bucket(settings.blobs_url), patience), sizes)
