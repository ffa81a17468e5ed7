"""Whatever happens, what is counted as stored is what the account's repositories show."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import Connection

from tests.contracts.quotas.conftest import Furnish
from tests.support.quotas import Depot, Lease, Tenant
from wharfinger.images.model.names import ImageName
from wharfinger.images.model.trash import NotInTrash
from wharfinger.jobs.model import Job
from wharfinger.namespaces.model import NamespaceUnknown
from wharfinger.registry.model.blobs import BlobReferenced, BlobUnknown
from wharfinger.registry.model.manifests import ManifestUnknown, ReferencesUnknown
from wharfinger.registry.model.repositories import NameUnknown, Place
from wharfinger.registry.model.uploads import UploadLost, UploadUnknown
from wharfinger.registry.store.recount import recount
from wharfinger_common.refusals import Refusal

EXPECTED = (
    BlobUnknown,
    BlobReferenced,
    ManifestUnknown,
    NamespaceUnknown,
    NameUnknown,
    ReferencesUnknown,
    UploadLost,
    UploadUnknown,
)
"""What may be refused because somebody else was there in between."""

NAMESPACES = ("tide", "pier", "other")
REPOSITORIES = [f"{namespace}/{name}" for namespace in NAMESPACES for name in ("app", "web")]

repository = st.sampled_from(REPOSITORIES)
content = st.integers(0, 4).map(lambda number: bytes([number]) * (number * 1000 + 1))


class Crash(BaseException):
    """The process dies before the transaction commits."""


class CrashingDatabase:
    """A database whose durable units die at their end, so that they roll back."""

    def __init__(self, database: Any) -> None:
        self._database = database

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    @contextmanager
    def writing(self, *, durable: bool = True) -> Iterator[Connection]:
        with self._database.writing(durable=durable) as connection:
            yield connection
            if durable:
                raise Crash


@contextmanager
def dying(holder: Any) -> Iterator[Any]:
    """Let the durable units of what ``holder`` has as its database die before they commit."""
    whole = holder._database
    holder._database = CrashingDatabase(whole)
    try:
        with suppress(Crash):
            yield holder._database
    finally:
        holder._database = whole


class Accounting(RuleBasedStateMachine):
    """Two accounts, the first with two namespaces; blobs are shared by all of them.

    ``shown`` is which blobs a repository has to show, ``images`` what its manifests reach, and
    ``trash`` the same of deleted ones, by repository and digest.
    """

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self.depot = Depot(Path(self._folder.name), {"trash_bytes": 5000})
        first = self.depot.tenant("tide", "standard", "tide", "pier")
        self.tenants = {"tide": first, "pier": first, "other": self.depot.tenant("other")}
        self.sizes: dict[str, int] = {}
        self.shown: dict[str, set[str]] = {name: set() for name in REPOSITORIES}
        self.images: dict[tuple[str, str], frozenset[str]] = {}
        self.trash: dict[tuple[str, str], frozenset[str]] = {}

    def teardown(self) -> None:
        self.depot.close()
        self._folder.cleanup()

    @property
    def everybody(self) -> list[Tenant]:
        return [self.tenants["tide"], self.tenants["other"]]

    def reached(self, repository: str) -> set[str]:
        """The blobs that the manifests of a repository reach."""
        own = [blobs for (place, _), blobs in self.images.items() if place == repository]
        return set().union(*own)

    def pushed(self, repository: str, content: bytes) -> str:
        digest = self.depot.push(repository, content)
        self.sizes[digest] = len(content)
        self.shown[repository].add(digest)
        return digest

    @initialize(layers=st.lists(content, max_size=3))
    def some_were_deleted(self, layers: list[bytes]) -> None:
        for place in ("tide/app", "tide/web", "pier/app"):
            self.push_image(place, b"{}", layers)
            image = next(one for one in self.images if one[0] == place)
            self.depot.delete_manifest(*image)
            self.trash[image] = self.images.pop(image)
            self.shown[place].clear()

    @rule(repository=repository, content=content)
    def push(self, repository: str, content: bytes) -> None:
        with suppress(Refusal):
            self.pushed(repository, content)

    @rule(source=repository, into=repository, content=content)
    def push_and_mount(self, source: str, into: str, content: bytes) -> None:
        with suppress(Refusal):
            digest = self.pushed(source, content)
            if self.depot.mount(source, into, digest):
                self.shown[into].add(digest)

    @rule(repository=repository, config=content, layers=st.lists(content, max_size=3))
    def push_image(self, repository: str, config: bytes, layers: list[bytes]) -> None:
        with suppress(Refusal):
            digests = [self.pushed(repository, one) for one in (config, *layers)]
            image = self.depot.put(repository, *digests)
            self.images[repository, image] = frozenset(digests)

    @precondition(lambda self: self.images)
    @rule(data=st.data())
    def delete_manifest(self, data: st.DataObject) -> None:
        """It frees what only this manifest held, and goes to the trash."""
        chosen = data.draw(st.sampled_from(sorted(self.images)))
        self.depot.delete_manifest(*chosen)
        self.trash[chosen] = self.images.pop(chosen)
        self.shown[chosen[0]] -= self.trash[chosen] - self.reached(chosen[0])

    @precondition(lambda self: self.trash)
    @rule(data=st.data(), dies=st.sampled_from([False, False, True]))
    def restore(self, data: st.DataObject, *, dies: bool) -> None:
        """An image comes back whole, or is gone for good, or the process dies meanwhile."""
        chosen = data.draw(st.sampled_from(sorted(self.trash)))
        repository, digest = chosen
        trash = self.depot.rooms.images.trash
        manager = self.of(repository).manager
        name = ImageName("local", repository, digest=digest)
        if dies:
            with suppress(Refusal), dying(getattr(trash, "_store")):  # noqa: B009 - to break it
                trash.restore(manager, name, digest)
            return
        try:
            trash.restore(manager, name, digest)
        except NotInTrash:
            del self.trash[chosen]  # it was too old, or too much
        else:
            self.images[chosen] = self.trash.pop(chosen)
            self.shown[repository] |= self.images[chosen]

    @rule(days=st.sampled_from([1, 29]))
    def empty_the_trash(self, days: int) -> None:
        """Days pass, and what is too old or too much leaves the trash."""
        self.depot.clock.now += days * 86_400
        keeping = self.depot.rooms.images.keeping
        keeping.expire(Lease(Job(1, "expire-trash", "")))
        for tenant in self.everybody:
            facts = {"region": "local", "account": tenant.account}
            keeping.trim(Lease(Job(1, "trim-trash", f"local/{tenant.account}", facts)))

    @rule(repository=repository, content=content)
    def delete_blob(self, repository: str, content: bytes) -> None:
        with suppress(Refusal):
            digest = self.pushed(repository, content)
            held = digest in self.reached(repository)
            try:
                self.depot.delete_blob(repository, digest)
            except BlobReferenced:
                assert held
            else:
                assert not held
                self.shown[repository].remove(digest)

    @rule(namespace=st.sampled_from(NAMESPACES), again=st.booleans())
    def delete_namespace(self, namespace: str, *, again: bool) -> None:
        with suppress(Refusal):
            self.depot.delete_namespace(self.tenants[namespace], namespace)
            for kept in (self.images, self.trash):
                for chosen in [one for one in kept if one[0].startswith(f"{namespace}/")]:
                    del kept[chosen]
            for name in REPOSITORIES:
                if name.startswith(f"{namespace}/"):
                    self.shown[name].clear()
        if again:
            account = self.tenants[namespace].account
            self.depot.rooms.namespaces.operator_add(account, "local", namespace)

    @rule(repository=repository, content=content, image=st.booleans())
    def crash(self, repository: str, content: bytes, *, image: bool) -> None:
        """The process dies within a push or a deletion; another one goes on."""
        records = getattr(self.depot.rooms.uploads, "_records")  # noqa: B009 - to break it
        with suppress(Refusal), dying(records):
            self.depot.push(repository, content)
        with suppress(Refusal, Crash), dying(records) as crashing:
            if image and self.images:
                place, digest = sorted(self.images)[0]
                self.depot.manifests(crashing).delete(Place("local", place), digest)

    @rule()
    def collect(self) -> None:
        """What no manifest needs goes once its grace is over."""
        self.depot.clock.now += 100
        self.depot.collect(int(self.depot.clock.now))
        for name in REPOSITORIES:
            self.shown[name] &= self.reached(name)

    @rule()
    def count_anew(self) -> None:
        recount(self.depot.rooms.database, self.depot.clock, lambda: None)

    @invariant()
    def counted_is_what_is_there(self) -> None:
        self.depot.require_counted(*self.everybody)

    @invariant()
    def used_is_the_sum_of_distinct_live_blobs(self) -> None:
        for tenant in self.everybody:
            names = [name for name in REPOSITORIES if self.of(name) is tenant]
            distinct = set().union(*(self.shown[name] for name in names))
            assert self.depot.used(tenant) == sum(self.sizes[one] for one in distinct)

    def of(self, repository: str) -> Tenant:
        """The account that has the repository's namespace."""
        return self.tenants[repository.partition("/")[0]]


Accounting.TestCase.settings = settings(
    max_examples=25,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestAccounting = Accounting.TestCase


def test_a_storm_of_everything_at_once_is_counted_and_deadlocks_nothing(depot: Depot) -> None:
    """Where a database runs units side by side, all of them take locks in one order."""
    tenants = [depot.tenant("tide", "standard", "tide", "pier"), depot.tenant("other")]
    contents = [bytes([number]) * 1000 for number in range(6)]

    def one(seed: int) -> None:
        source = random.Random(seed)
        for _ in range(12):
            place, other = source.choice(REPOSITORIES), source.choice(REPOSITORIES)
            chosen = [source.choice(contents) for _ in range(3)]
            with suppress(*EXPECTED):
                digests = [depot.push(place, content) for content in chosen]
                depot.mount(place, other, digests[0])
                image = depot.put(place, *digests)
                if source.random() < 0.7:
                    depot.delete_manifest(place, image)
            if source.random() < 0.2:
                depot.collect(int(depot.clock.now) + 1)
            with suppress(*EXPECTED):
                if seed == 0:
                    depot.delete_namespace(tenants[0], "pier")
                    depot.rooms.namespaces.operator_add(tenants[0].account, "local", "pier")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, range(8)))

    depot.require_counted(*tenants)


def test_a_layer_counts_once_however_many_images_use_it(depot: Depot) -> None:
    tenant = depot.tenant("team")
    layer = depot.push("team/one", b"x" * 5000)
    config = depot.push("team/one", b"{}")
    first = depot.put("team/one", config, layer)
    assert depot.mount("team/one", "team/two", layer)
    assert depot.used(tenant) == 5002

    depot.delete_manifest("team/one", first)

    assert depot.used(tenant) == 5000  # the other repository shows it still
    depot.delete_blob("team/two", layer)
    assert depot.used(tenant) == 0


def test_accounts_and_regions_are_counted_apart(depot: Depot) -> None:
    one, two = depot.tenant("one1"), depot.tenant("two2")

    depot.push("one1/app", b"shared")
    depot.push("two2/app", b"shared")

    assert (depot.used(one), depot.used(two)) == (6, 6)
    depot.delete_namespace(one, "one1")
    assert (depot.used(one), depot.used(two)) == (0, 6)


def test_what_was_stored_while_accounting_was_off_is_counted_anew(furnish: Furnish) -> None:
    depot = furnish(quota_accounting=False)
    tenant = depot.tenant("team")
    depot.push("team/app", b"uncounted")
    assert depot.used(tenant) == 0

    recount(depot.rooms.database, depot.clock, lambda: None)

    depot.require_counted(tenant)
    assert depot.used(tenant) == 9
