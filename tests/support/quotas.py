"""A deployment wired as in the service, over a real database and folder; a clock is set."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from sqlalchemy import func, select

from wharfinger.database import migrate
from wharfinger.database.unit import Database
from wharfinger.identity.model import Caller
from wharfinger.identity.secrets import MASTER_KEY_BYTES
from wharfinger.jobs.model import Job
from wharfinger.namespaces.store import hold_owner
from wharfinger.quotas.model import Holder
from wharfinger.quotas.tables import account_blobs, account_usage, upload_reservations
from wharfinger.registry.model.manifests import ManifestLimits
from wharfinger.registry.model.repositories import Place
from wharfinger.registry.model.uploads import Pusher
from wharfinger.registry.service.blobs import Blobs
from wharfinger.registry.service.manifests import Manifests, Push
from wharfinger.registry.store.blobs import SqlBlobRecords
from wharfinger.registry.store.collection import SqlCollectionRecords
from wharfinger.registry.store.manifests import SqlManifestStore
from wharfinger.registry.tables import blobs, repositories, repository_blobs
from wharfinger.rooms import Rooms, build_rooms
from wharfinger.settings import Settings
from wharfinger_common.digests import Digest

REGION: Final = "local"
MB: Final = 1 << 20
OCI: Final = "application/vnd.oci.image.manifest.v1+json"
CONFIG: Final = "application/vnd.oci.image.config.v1+json"
LAYER: Final = "application/vnd.oci.image.layer.v1.tar"
LIMITS: Final = ManifestLimits(size=1 << 20, references=100, depth=16, tags=10)


@dataclass
class SetClock:
    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class Lease:
    """A job's lease that is always kept."""

    def __init__(self, job: Job) -> None:
        self.job = job

    def keep(self) -> None:
        pass


@dataclass
class Tenant:
    """An account with its Manager."""

    account: str
    manager: Caller

    @property
    def holder(self) -> Holder:
        return Holder(REGION, self.account)


@dataclass
class Depot:
    folder: Path
    settings: dict[str, Any] = field(default_factory=dict)
    clock: SetClock = field(default_factory=SetClock)

    def __post_init__(self) -> None:
        self.all = Settings(data=str(self.folder), region=REGION, **self.settings)
        if not self.all.database_url:
            migrate.upgrade(self.all.database)
        self.all.master_key_path.write_bytes(bytes(MASTER_KEY_BYTES))
        self.rooms = self.worker()

    def worker(self) -> Rooms:
        """The services of one more process over the same data."""
        return build_rooms(self.all, self.clock)

    def close(self) -> None:
        self.rooms.close()

    def tenant(self, name: str, plan: str = "standard", *namespaces: str) -> Tenant:
        """An account on a plan, with namespaces (by default one of its name)."""
        administration = self.rooms.identity.administration
        account = administration.operator_create_account(name, plan).id
        email = f"{name}@example.com"
        member = administration.operator_add_user(account, email, None, "Manager")
        for namespace in namespaces or (name,):
            self.rooms.namespaces.operator_add(account, REGION, namespace)
        return Tenant(account, Caller(member.iam_id, account, "", region=REGION))

    def manifests(self, database: Database | None = None) -> Manifests:
        rooms = self.rooms
        store = SqlManifestStore(
            database or rooms.database, hold_owner, rooms.images.retire, rooms.quotas.charges
        )
        return Manifests(
            store, rooms.owners, rooms.configs, LIMITS, self.clock, rooms.quotas.storage
        )

    def pause(self) -> None:
        """Let as much time pass that what is pushed next is another push."""
        self.clock.now += self.all.push_gap_seconds + 1

    def push(
        self, repository: str, content: bytes, rooms: Rooms | None = None, subject: str = "user"
    ) -> str:
        """Push a blob as clients do: open, send, finish; return its digest."""
        uploads = (rooms or self.rooms).uploads
        pusher = Pusher(REGION, repository, subject)
        digest = Digest.of(content)
        upload = uploads.open(pusher)
        uploads.append(pusher, upload.id, [content], None)
        uploads.finish(pusher, upload.id, digest, [], None)
        return str(digest)

    def mount(self, source: str, target: str, digest: str) -> bool:
        pusher = Pusher(REGION, target, "user")
        return self.rooms.uploads.mount(pusher, Digest.parse(digest), [source]) is not None

    def put(self, repository: str, config: str, *layers: str, tag: str = "") -> str:
        """Push a manifest of blobs that are there, by a tag or its digest; return its digest."""
        descriptors = [
            {"mediaType": kind, "digest": digest, "size": self.size(digest)}
            for kind, digest in [(CONFIG, config), *((LAYER, layer) for layer in layers)]
        ]
        document = {
            "schemaVersion": 2,
            "mediaType": OCI,
            "config": descriptors[0],
            "layers": descriptors[1:],
        }
        content = json.dumps(document).encode()
        digest = str(Digest.of(content))
        self.manifests().put(Place(REGION, repository), Push(tag or digest, content, OCI))
        return digest

    def delete_manifest(self, repository: str, digest: str) -> None:
        self.manifests().delete(Place(REGION, repository), digest)

    def delete_blob(self, repository: str, digest: str) -> None:
        records = SqlBlobRecords(self.rooms.database, self.rooms.quotas.charges)
        blobs = Blobs(records, self.rooms.blobs, clock=self.clock, grace=3600)
        blobs.delete(REGION, repository, Digest.parse(digest))

    def delete_namespace(self, tenant: Tenant, name: str) -> None:
        """Delete a namespace and run what empties it."""
        self.rooms.namespaces.remove(tenant.manager, name)
        for job in self.rooms.jobs.list():
            if job.subject == f"{REGION}/{name}":
                self.rooms.emptying(Lease(job))

    def collect(self, before: int) -> None:
        """Take out what no manifest needs and was linked before a time."""
        records = SqlCollectionRecords(self.rooms.database, (), self.rooms.quotas.charges)
        found = records.unused_links("", 1000, 1000, before).found
        if found:
            records.unlink(found, before)

    def size(self, digest: str) -> int:
        query = select(blobs.c.size).where(blobs.c.digest == digest)
        with self.rooms.database.reading() as connection:
            return int(connection.execute(query).scalar_one())

    def used(self, tenant: Tenant) -> int:
        """What is counted as stored."""
        query = select(account_usage.c.stored).where(
            account_usage.c.region == REGION, account_usage.c.account_id == tenant.account
        )
        with self.rooms.database.reading() as connection:
            return int(connection.scalar(query) or 0)

    def links(self, tenant: Tenant) -> dict[str, tuple[int, int]]:
        """Size and number of links of each blob, as they are counted."""
        query = select(account_blobs).where(account_blobs.c.account_id == tenant.account)
        with self.rooms.database.reading() as connection:
            return {row.digest: (row.size, row.links) for row in connection.execute(query)}

    def shown(self, tenant: Tenant) -> dict[str, tuple[int, int]]:
        """The same, found anew from what repositories show."""
        query = (
            select(blobs.c.digest, blobs.c.size, func.count())
            .join(repository_blobs, repository_blobs.c.digest == blobs.c.digest)
            .join(repositories, repositories.c.id == repository_blobs.c.repository_id)
            .where(repositories.c.account_id == tenant.account, repositories.c.region == REGION)
            .group_by(blobs.c.digest, blobs.c.size)
        )
        with self.rooms.database.reading() as connection:
            return {row[0]: (row[1], row[2]) for row in connection.execute(query)}

    def reserved(self) -> int:
        with self.rooms.database.reading() as connection:
            query = select(func.coalesce(func.sum(upload_reservations.c.size), 0))
            return int(connection.scalar(query) or 0)

    def require_counted(self, *tenants: Tenant) -> None:
        """What is counted is what is there."""
        for tenant in tenants:
            shown = self.shown(tenant)
            assert self.links(tenant) == shown
            assert self.used(tenant) == sum(size for size, _ in shown.values())
