"""Whatever happens: what a manifest reaches stays, and in the end nothing else does."""

import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from sqlalchemy import select

from tests.support.databases import sqlite_database
from tests.support.depot import DELAY, GRACE, ORPHAN_GRACE, Depot
from tests.support.registry_manifests import REGION
from wharfinger.blobstore.memory import MemoryStore
from wharfinger.registry.model.blobs import BlobReferenced, BlobUnknown
from wharfinger.registry.model.collection import Task
from wharfinger.registry.model.manifests import ManifestUnknown, ReferencesUnknown
from wharfinger.registry.model.repositories import NameUnknown, Place
from wharfinger.registry.tables import blobs, repository_blobs
from wharfinger_common.digests import Digest

REPOSITORIES = st.sampled_from(["tenant/one", "tenant/two"])
LAYERS = st.sampled_from([b"a", b"b", b"c"])
IMAGES = st.frozensets(LAYERS, max_size=3)
TAGS = st.sampled_from(["latest", "stable"])
TIMES = st.sampled_from([1.0, DELAY + 1, ORPHAN_GRACE + 1, GRACE / 2, GRACE * 0.9, GRACE + 1])


class Harbour(RuleBasedStateMachine):
    """``images`` are the manifests that stand, by repository; ``tags`` lead to some of them."""

    def __init__(self) -> None:
        super().__init__()
        self.open = ExitStack()
        folder = Path(self.open.enter_context(tempfile.TemporaryDirectory()))
        database = self.open.enter_context(sqlite_database(folder))
        self.store = MemoryStore(lambda: self.depot.now)
        self.depot = Depot(database, self.store)
        self.images: dict[tuple[str, str], frozenset[bytes]] = {}

    @rule(repository=REPOSITORIES, content=LAYERS | st.just(b"{}"))
    def push_blob(self, repository: str, content: bytes) -> None:
        self.depot.push_blob(content, repository)
        assert self.depot.shown(content, repository)

    @rule(source=REPOSITORIES, into=REPOSITORIES, content=LAYERS)
    def mount(self, source: str, into: str, content: bytes) -> None:
        mounted = self.depot.mount(Digest.of(content), source, into)
        assert mounted == self.depot.shown(content, source)
        assert not mounted or self.depot.shown(content, into)

    @rule(repository=REPOSITORIES, layers=IMAGES, tag=TAGS | st.just(""))
    def push_manifest(self, repository: str, layers: frozenset[bytes], tag: str) -> None:
        there = all(self.depot.shown(each, repository) for each in (*layers, b"{}"))
        try:
            digest = self.depot.push_manifest(*sorted(layers), repository=repository, tag=tag)
        except ReferencesUnknown:
            assert not there
        else:
            assert there
            self.images[repository, digest] = layers

    @rule(repository=REPOSITORIES, layers=IMAGES, tag=TAGS)
    def push_image(self, repository: str, layers: frozenset[bytes], tag: str) -> None:
        digest = self.depot.push_layers(*sorted(layers), repository=repository, tag=tag)
        self.images[repository, digest] = layers

    @rule(repository=REPOSITORIES, tag=TAGS)
    def delete_tag(self, repository: str, tag: str) -> None:
        with suppress(ManifestUnknown, NameUnknown):
            self.depot.manifests.delete(Place(REGION, repository), tag)

    @rule(data=st.data())
    def delete_manifest(self, data: st.DataObject) -> None:
        if self.images:
            repository, digest = data.draw(st.sampled_from(sorted(self.images)))
            self.depot.manifests.delete(Place(REGION, repository), digest)
            del self.images[repository, digest]

    @rule(repository=REPOSITORIES, content=LAYERS)
    def delete_blob(self, repository: str, content: bytes) -> None:
        with suppress(BlobReferenced, BlobUnknown):
            self.depot.reads.delete(REGION, repository, Digest.of(content))
            assert not self.depot.shown(content, repository)

    @rule(repository=REPOSITORIES, content=LAYERS)
    def ask(self, repository: str, content: bytes) -> None:
        """Told that it is there, a client has a quarter of the grace to rely on it."""
        with suppress(BlobUnknown):
            self.depot.reads.promise(REGION, repository, Digest.of(content))
            self.depot.now += GRACE / 4 - 1
            self.depot.collect()
            assert self.depot.shown(content, repository)

    @rule(content=LAYERS)
    def die_before_linking(self, content: bytes) -> None:
        self.store.put(Digest.of(content), content)

    @rule(content=LAYERS)
    def lose_bytes(self, content: bytes) -> None:
        """They go and are pushed again, as clients do that find them missing."""
        shown = [name for name in ("tenant/one", "tenant/two") if self.depot.shown(content, name)]
        for name in shown[:1]:
            self.store.delete(self.depot.reads.find(REGION, name, Digest.of(content)).location)
            self.depot.push_blob(content, name)

    @rule(seconds=TIMES)
    def wait(self, seconds: float) -> None:
        self.depot.now += seconds

    @rule(task=st.sampled_from(Task))
    def collect_some(self, task: Task) -> None:
        self.depot.passes.whole(task)

    @rule()
    def collect(self) -> None:
        self.depot.collect()

    @invariant()
    def what_manifests_reach_is_there(self) -> None:
        for (repository, digest), layers in self.images.items():
            assert self.depot.manifests.get(Place(REGION, repository), digest).content
            assert all(self.depot.shown(each, repository) for each in (*layers, b"{}"))

    def teardown(self) -> None:
        for _ in range(3):
            self.depot.now += GRACE + ORPHAN_GRACE + DELAY + 1
            self.depot.collect()
        self.what_manifests_reach_is_there()
        reached = {each for layers in self.images.values() for each in (*layers, b"{}")}
        with self.depot.database.reading() as connection:
            links = set(connection.scalars(select(repository_blobs.c.digest)))
            locations = set(connection.scalars(select(blobs.c.location)))
        assert links == set(self.depot.rows()) == {str(Digest.of(each)) for each in reached}
        assert locations == set(self.store.blobs)
        assert self.depot.report() == []
        self.open.close()


TestHarbour = Harbour.TestCase
TestHarbour.settings = settings(
    max_examples=25,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
