"""An upload session without a database: what the row of one would remember."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

from wharfinger.blobstore.port import BlobStore, UploadWriter
from wharfinger.registry.model.upload_ids import UploadIds


@dataclass
class Session:
    """What was acknowledged of an upload last, and the store's state of it."""

    store: BlobStore
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    size: int = 0
    state: str = ""

    def writer(self) -> UploadWriter:
        """A new holder's writer, in whatever process it may be."""
        return self.store.writer(self.id, self.size, self.state)

    def acknowledge(self, writer: UploadWriter) -> None:
        writer.save()
        self.size, self.state = writer.standing()

    def append(self, data: bytes | memoryview) -> None:
        """What a request with a chunk does."""
        with self.writer() as writer:
            writer.write(data)
            self.acknowledge(writer)

    def end(self, writer: UploadWriter) -> None:
        """What follows once the blob's row is there."""
        self.store.discard(self.id, writer.standing().state)


IDS = UploadIds(lambda: b"a key of tests that are one node", 3600.0)
"""Makes the ids of sessions, for services that are put together in tests."""
