"""A whole registry below HTTP: blobs, manifests and collection over one database and one store."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import select

from tests.support.registry_manifests import (
    EMPTY,
    LAYER,
    LIMITS,
    REGION,
    House,
    descriptor,
    encoded,
    image,
)
from tests.support.uploads import IDS
from wharfinger.blobstore.port import BlobStore
from wharfinger.database.unit import Database
from wharfinger.namespaces.store import hold_owner
from wharfinger.registry.model.blobs import BlobUnknown
from wharfinger.registry.model.collection import CollectionRules, Garbage, PassState, Step, Task
from wharfinger.registry.model.repositories import Place
from wharfinger.registry.model.uploads import Pusher
from wharfinger.registry.ports.collection import CollectionRecords
from wharfinger.registry.service.blobs import Blobs
from wharfinger.registry.service.collection import Collector, GarbageReport
from wharfinger.registry.service.configs import Configs
from wharfinger.registry.service.hashes import RunningHashes
from wharfinger.registry.service.manifests import Manifests
from wharfinger.registry.service.passes import Pace, Passes
from wharfinger.registry.service.uploads import Rules, Uploads
from wharfinger.registry.store.blobs import SqlBlobRecords
from wharfinger.registry.store.collection import Keeper, SqlCollectionRecords
from wharfinger.registry.store.configs import SqlConfigRecords
from wharfinger.registry.store.garbage import SqlGarbageLists
from wharfinger.registry.store.uploads import SqlUploadRecords
from wharfinger.registry.tables import blobs, discarded_bytes
from wharfinger_common.digests import Digest

GRACE = 86400.0
DELAY = 600.0
ORPHAN_GRACE = 7200.0
EXPIRY = 7 * 86400.0
RULES = CollectionRules(GRACE, DELAY, ORPHAN_GRACE, EXPIRY)


class Watcher:
    """Notes what collection tells (``CollectionObserver``)."""

    def __init__(self) -> None:
        self.passes: list[tuple[Task, PassState]] = []
        self.steps: list[tuple[Task, Step]] = []
        self.left: list[str] = []

    def stepped(self, task: Task, step: Step) -> None:
        self.steps.append((task, step))

    def finished(self, task: Task, state: PassState) -> None:
        self.passes.append((task, state))

    def undeleted(self, location: str, error: Exception) -> None:
        self.left.append(location)


class Depot(House):
    """The clock stands still until a test moves it; it starts with the machine's, as files do."""

    def __init__(
        self, database: Database, bytes_store: BlobStore, keepers: Sequence[Keeper] = ()
    ) -> None:
        super().__init__(database, now=time.time())
        self.bytes_store = bytes_store
        self.configs = Configs(SqlConfigRecords(database), bytes_store, 1 << 20, 1 << 13)
        self.manifests = Manifests(self.store, self, self.configs, LIMITS, self.clock)
        self.keepers = keepers
        self.watcher = Watcher()
        records = SqlBlobRecords(database)
        self.uploads = Uploads(
            SqlUploadRecords(database, hold_owner),
            records,
            bytes_store,
            self,
            Rules(1 << 30, 30.0, EXPIRY, ORPHAN_GRACE / 2),
            clock=self.clock,
            ids=IDS,
            hashes=RunningHashes(10),
        )
        self.reads = Blobs(records, bytes_store, clock=self.clock, grace=GRACE)
        self.records = SqlCollectionRecords(database, keepers)
        self.passes = self.collection(self.records)

    def clock(self) -> float:
        return self.now

    def collection(
        self,
        records: CollectionRecords,
        pause: Callable[[float], object] = lambda _: None,
        elapsed: Callable[[], float] = lambda: 0.0,
        store: BlobStore | None = None,
    ) -> Passes:
        collector = Collector(
            records,
            store or self.bytes_store,
            RULES,
            clock=self.clock,
            observer=self.watcher,
        )
        pace = Pace(25, pause, elapsed)
        return Passes(collector, records, pace, clock=self.clock, observer=self.watcher)

    def collect(self) -> None:
        """Run one pass of each task."""
        for task in Task:
            self.passes.whole(task)

    def report(self) -> list[Garbage]:
        lists = SqlGarbageLists(self.database, self.keepers)
        return list(GarbageReport(lists, self.records, self.bytes_store, RULES, clock=self.clock))

    def push_blob(self, content: bytes, repository: str = "tenant/app") -> Digest:
        digest = Digest.of(content)
        self.uploads.push(Pusher(REGION, repository, "user"), digest, [content])
        return digest

    def mount(self, digest: Digest, source: str, repository: str) -> bool:
        pusher = Pusher(REGION, repository, "user")
        return self.uploads.mount(pusher, digest, [source]) is not None

    def push_layers(self, *layers: bytes, repository: str = "tenant/app", tag: str = "") -> str:
        """Push an image with all its blobs; return the manifest's digest."""
        for content in (b"{}", *layers):
            self.push_blob(content, repository)
        return self.push_manifest(*layers, repository=repository, tag=tag)

    def push_manifest(self, *layers: bytes, repository: str = "tenant/app", tag: str = "") -> str:
        """Push an image whose blobs are there already; return the manifest's digest."""
        document = self.image(*layers)
        self.push(document, tag, place=Place(REGION, repository))
        return str(Digest.of(encoded(document)))

    @staticmethod
    def image(*layers: bytes) -> dict[str, Any]:
        config = descriptor(b"{}", EMPTY)
        return image(*(descriptor(layer, LAYER) for layer in layers), config=config)

    def shown(self, content: bytes, repository: str = "tenant/app") -> bool:
        """Whether the repository shows the blob, which then must be readable and right."""
        try:
            blob = self.reads.find(REGION, repository, Digest.of(content))
        except BlobUnknown:
            return False
        with self.reads.open(blob) as reader:
            assert b"".join(reader.read(0, reader.size)) == content
        return True

    def stored(self) -> list[str]:
        """Every location in the store."""
        return [each.location for each in self.bytes_store.objects("", 10_000)]

    def rows(self) -> list[str]:
        """The digests of all blobs."""
        with self.database.reading() as connection:
            return list(connection.scalars(select(blobs.c.digest).order_by(blobs.c.digest)))

    def discarded(self) -> dict[str, str]:
        """Locations whose bytes are to be deleted, and why."""
        query = select(discarded_bytes.c.location, discarded_bytes.c.reason)
        with self.database.reading() as connection:
            return {row.location: row.reason for row in connection.execute(query)}
