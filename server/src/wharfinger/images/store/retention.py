"""Retention policies in the database, and what they are decided by."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row, and_, delete, exists, func, select

from wharfinger.database.dialect import insert
from wharfinger.database.unit import Database
from wharfinger.identity.model import Caller
from wharfinger.images.model.retention import EARLIEST, RETAINING, Candidate, Policy
from wharfinger.images.ports import Clock
from wharfinger.images.store.outside import Outside
from wharfinger.images.tables import retention_policies
from wharfinger.namespaces.model import NamespaceUnknown
from wharfinger.registry.model.descriptors import Kind
from wharfinger.registry.model.repositories import Place
from wharfinger.registry.store.repositories import named
from wharfinger.registry.tables import (
    image_configs,
    manifest_references,
    manifests,
    repositories,
    tags,
    uploads,
)


class SqlPolicies:
    """Implements ``images.ports.Policies`` over a database."""

    def __init__(self, database: Database, outside: Outside, clock: Clock) -> None:
        self._database: Final = database
        self._outside: Final = outside
        self._clock: Final = clock

    def find(self, region: str, namespace: str) -> Policy | None:
        """Return the policy of a namespace; see the port."""
        query = select(retention_policies).where(
            retention_policies.c.region == region, retention_policies.c.namespace == namespace
        )
        with self._database.reading() as connection:
            row = connection.execute(query).first()
        return None if row is None else _policy(row)

    def of_account(self, region: str, account: str) -> Mapping[str, Policy]:
        """Return the policies of the account's namespaces; see the port."""
        query = select(retention_policies).where(
            retention_policies.c.region == region, retention_policies.c.account_id == account
        )
        with self._database.reading() as connection:
            return {row.namespace: _policy(row) for row in connection.execute(query)}

    def set(self, caller: Caller, policy: Policy) -> None:
        """Set a policy; see the port."""
        now, region, namespace = int(self._clock()), caller.region, policy.namespace
        values = {
            "account_id": policy.account,
            "images_per_repo": policy.images_per_repo,
            "retain_untagged": policy.retain_untagged,
            "deletion_threshold_days": policy.deletion_threshold_days,
            "set_by": policy.set_by,
            "set_at": now,
        }
        with self._database.writing() as connection:
            if self._outside.hold_namespace(connection, region, namespace) != policy.account:
                raise NamespaceUnknown(namespace=namespace)
            row = {"region": region, "namespace": namespace, **values}
            statement = insert(connection, retention_policies).values(row)
            connection.execute(
                statement.on_conflict_do_update(index_elements=["region", "namespace"], set_=values)
            )
            payload = {"region": region, "namespace": namespace}
            self._outside.enqueue(connection, RETAINING, f"{region}/{namespace}", payload)
            self._outside.record(
                connection,
                at=now,
                account=caller.account,
                actor=caller.iam_id,
                action="retention.set",
                target=f"namespace:{namespace}",
                request_id=caller.request_id,
                detail={"region": region} | _told(policy),
            )

    def end(self, region: str, namespace: str) -> None:
        """Remove the policy of a namespace that is being deleted; see the port."""
        with self._database.writing() as connection:
            if self._outside.is_deleting(connection, region, namespace):
                connection.execute(
                    delete(retention_policies).where(
                        retention_policies.c.region == region,
                        retention_policies.c.namespace == namespace,
                    )
                )


def repository_behind(
    connection: Connection, region: str, namespace: str, after: str
) -> str | None:
    """Return the next repository of a namespace; see ``images.ports.Records``."""
    query = (
        select(repositories.c.name)
        .where(
            repositories.c.region == region,
            repositories.c.namespace == namespace,
            repositories.c.name > after,
        )
        .order_by(repositories.c.name)
        .limit(1)
    )
    found: str | None = connection.scalar(query)
    return found


def candidates(connection: Connection, place: Place) -> Sequence[Candidate]:
    """Return the dated images that no index lists; see ``images.ports.Records``."""
    listed = exists().where(
        manifest_references.c.repository_id == manifests.c.repository_id,
        manifest_references.c.child == manifests.c.digest,
        manifest_references.c.kind == Kind.MANIFEST.value,
    )
    query = (
        select(manifests.c.digest, image_configs.c.created, manifests.c.pushed_at)
        .join(repositories, repositories.c.id == manifests.c.repository_id)
        .join(image_configs, image_configs.c.digest == manifests.c.config)
        .where(named(place), image_configs.c.created >= EARLIEST, ~listed)
    )
    names = _tags(connection, place)
    return [
        Candidate(digest, created, pushed_at, names.get(digest, ()))
        for digest, created, pushed_at in connection.execute(query)
    ]


def push_begun(connection: Connection, place: Place, since: int) -> int | None:
    """Return when the oldest upload began that is alive; see ``images.ports.Records``."""
    query = select(func.min(uploads.c.started_at)).where(
        uploads.c.region == place.region,
        uploads.c.repository == place.repository,
        uploads.c.touched_at > since,
    )
    found: int | None = connection.scalar(query)
    return found


def _tags(connection: Connection, place: Place) -> dict[str, tuple[str, ...]]:
    query = (
        select(tags.c.digest, tags.c.name)
        .join(repositories, and_(repositories.c.id == tags.c.repository_id, named(place)))
        .order_by(tags.c.digest, tags.c.name)
    )
    found: dict[str, list[str]] = {}
    for digest, name in connection.execute(query):
        found.setdefault(digest, []).append(name)
    return {digest: tuple(names) for digest, names in found.items()}


def _told(policy: Policy) -> dict[str, object]:
    return {
        "images_per_repo": policy.images_per_repo,
        "retain_untagged": policy.retain_untagged,
        "deletion_threshold_days": policy.deletion_threshold_days,
    }


def _policy(row: Row[Any]) -> Policy:
    return Policy(
        namespace=row.namespace,
        account=row.account_id,
        images_per_repo=row.images_per_repo,
        retain_untagged=row.retain_untagged,
        deletion_threshold_days=row.deletion_threshold_days,
        set_by=row.set_by,
    )
