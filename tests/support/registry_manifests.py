"""A registry's manifest half over a real database, with namespaces and blobs made directly."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select, update

from wharfinger.blobstore.memory import MemoryStore
from wharfinger.blobstore.names import new_location
from wharfinger.database.dialect import insert
from wharfinger.database.schema import identity, namespaces
from wharfinger.database.schema import registry as tables
from wharfinger.database.unit import Database
from wharfinger.namespaces.model import NamespaceUnknown, Owner
from wharfinger.namespaces.store import hold_owner
from wharfinger.registry.model.manifests import OCI_INDEX, OCI_MANIFEST, ManifestLimits
from wharfinger.registry.model.repositories import Place
from wharfinger.registry.service.configs import Configs
from wharfinger.registry.service.manifests import Manifests, Push, Pushed
from wharfinger.registry.store.configs import SqlConfigRecords
from wharfinger.registry.store.manifests import SqlManifestStore
from wharfinger_common.digests import Digest
from wharfinger_common.names import namespace_of

REGION = "local"
LIMITS = ManifestLimits(size=4 << 20, references=1000, depth=64, tags=10)
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
CONFIG = "application/vnd.oci.image.config.v1+json"
EMPTY = "application/vnd.oci.empty.v1+json"


def descriptor(
    content: bytes, media_type: str = LAYER, algorithm: str = "sha256", **more: Any
) -> dict[str, Any]:
    digest = str(Digest.of(content, algorithm))
    return {"mediaType": media_type, "digest": digest, "size": len(content), **more}


def image(*layers: dict[str, Any], **more: Any) -> dict[str, Any]:
    """An image manifest whose config is the empty one unless ``config`` says otherwise."""
    config = more.pop("config", descriptor(b"{}", EMPTY))
    head = {"schemaVersion": 2, "mediaType": OCI_MANIFEST}
    return {**head, "config": config, "layers": list(layers), **more}


def index(*manifests: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": list(manifests), **more}


def encoded(document: object) -> bytes:
    return json.dumps(document).encode()


@dataclass
class House:
    """One region; ``place`` is a repository of the namespace ``tenant`` of the account ``a``."""

    database: Database
    place: Place = field(default_factory=lambda: Place(REGION, "tenant/app"))
    now: float = 1_700_000_000.0

    def __post_init__(self) -> None:
        self.store = SqlManifestStore(self.database, hold_owner)
        self.blobs = MemoryStore(lambda: self.now)
        self.configs = Configs(SqlConfigRecords(self.database), self.blobs, 1 << 20, 1 << 13)
        self.manifests = Manifests(self.store, self, self.configs, LIMITS, lambda: self.now)
        self.add_namespace("tenant", "a")

    def require(self, region: str, name: str, /) -> Owner:
        table = namespaces.namespaces.c
        query = select(table.account_id).where(
            table.region == region, table.name == name, table.state == "active"
        )
        with self.database.reading() as connection:
            account = connection.scalar(query)
        if account is None:
            raise NamespaceUnknown(namespace=name)
        return Owner(account)

    def add_namespace(self, name: str, account: str) -> None:
        with self.database.writing() as connection:
            known = select(identity.accounts.c.id).where(identity.accounts.c.id == account)
            if connection.scalar(known) is None:
                row = {"id": account, "name": account, "plan": "free", "created_at": 0}
                connection.execute(identity.accounts.insert(), row)
            connection.execute(
                namespaces.namespaces.insert(),
                {
                    "region": REGION,
                    "account_id": account,
                    "name": name,
                    "state": "active",
                    "resource_group": "",
                    "created_at": 0,
                    "updated_at": 0,
                },
            )

    def end_namespace(self, name: str) -> None:
        table = namespaces.namespaces
        with self.database.writing() as connection:
            connection.execute(update(table).where(table.c.name == name).values(state="deleting"))

    def add_blob(
        self, content: bytes, media_type: str = LAYER, *, place: Place | None = None, **more: Any
    ) -> dict[str, Any]:
        """Make a blob visible in the repository and return its descriptor."""
        place = place or self.place
        made = descriptor(content, media_type, **more)
        owner = self.require(place.region, namespace_of(place.repository))
        with self.store.writing() as changes:
            key = changes.open(place, owner.account, 0)
        with self.database.writing() as connection:
            _add_blob_rows(connection, key, made["digest"], len(content))
        return made

    def push(
        self, document: dict[str, Any], reference: str = "", *tags: str, place: Place | None = None
    ) -> Pushed:
        """Push a manifest, by its sha256 digest unless ``reference`` says otherwise."""
        content = encoded(document)
        reference = reference or str(Digest.of(content))
        push = Push(reference, content, document.get("mediaType", ""), tags)
        return self.manifests.put(place or self.place, push)

    def push_image(
        self, seed: bytes, reference: str = "", *tags: str, **more: Any
    ) -> dict[str, Any]:
        """Push an image of one layer and return its descriptor."""
        self.add_blob(b"{}", EMPTY)
        document = image(self.add_blob(seed), **more)
        self.push(document, reference, *tags)
        return descriptor(encoded(document), OCI_MANIFEST)

    def store_bytes(self, digest: str, content: bytes) -> None:
        """Let the store really have the bytes of a blob."""
        location = self.blobs.put(Digest.parse(digest), content).location
        table = tables.blobs
        with self.database.writing() as connection:
            changed = update(table).where(table.c.digest == digest)
            connection.execute(changed.values(location=location))

    def all_tags(self) -> set[str]:
        with self.database.reading() as connection:
            return set(connection.scalars(select(tables.tags.c.name)))

    def visible_blobs(self) -> set[str]:
        table = tables.repository_blobs
        with self.database.reading() as connection:
            return set(connection.scalars(select(table.c.digest)))


def _add_blob_rows(connection: Connection, repository: int, digest: str, size: int) -> None:
    # A place where nothing lies: what is under test asks for rows, not for bytes.
    location = new_location(Digest.parse(digest))
    blob = {"digest": digest, "size": size, "location": location, "created_at": 0}
    link = {"repository_id": repository, "digest": digest, "linked_at": 0}
    for table, row in ((tables.blobs, blob), (tables.repository_blobs, link)):
        connection.execute(insert(connection, table).on_conflict_do_nothing(), row)
