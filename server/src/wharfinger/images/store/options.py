"""What accounts decided, in the database."""

from collections.abc import Collection, Mapping
from typing import Final

from msgspec.structs import asdict
from sqlalchemy import Connection, and_, func, select

from wharfinger.database.dialect import insert
from wharfinger.database.effects import Recorder
from wharfinger.database.unit import Database
from wharfinger.identity.model import Caller
from wharfinger.images.model.options import ImageCounts, Options
from wharfinger.images.ports import Clock
from wharfinger.images.tables import account_settings, trash
from wharfinger.namespaces.tables import namespaces
from wharfinger.registry.tables import manifests, repositories, tags


class SqlAccountSettings:
    """Implements ``images.ports.AccountSettings`` over a database."""

    def __init__(self, database: Database, record: Recorder, clock: Clock) -> None:
        self._database: Final = database
        self._record: Final = record
        self._clock: Final = clock

    def get(self, region: str, account: str) -> Options:
        """Return what the account decided; see the port."""
        with self._database.reading() as connection:
            return _get(connection, region, account)

    def change(self, caller: Caller, changed: Mapping[str, bool]) -> None:
        """Change some options; see the port."""
        key = {"region": caller.region, "account_id": caller.account}
        with self._database.writing() as connection:
            row = key | asdict(Options()) | dict(changed)
            statement = insert(connection, account_settings).values(row)
            connection.execute(
                statement.on_conflict_do_update(
                    index_elements=["region", "account_id"], set_=dict(changed)
                )
            )
            self._record(
                connection,
                at=int(self._clock()),
                account=caller.account,
                actor=caller.iam_id,
                action="settings.change",
                target=f"account:{caller.account}",
                request_id=caller.request_id,
                detail={"region": caller.region, **changed},
            )

    def counts(self, region: str, account: str) -> ImageCounts:
        """Count what the account has; see the port."""
        own = select(repositories.c.id).where(
            repositories.c.region == region, repositories.c.account_id == account
        )
        kept = select(trash.c.id).where(trash.c.region == region, trash.c.account_id == account)
        images = select(manifests.c.id).where(manifests.c.repository_id.in_(own))
        named = select(tags.c.name).where(tags.c.repository_id.in_(own))
        every = [
            select(func.count()).select_from(query.subquery()).scalar_subquery()
            for query in (own, images, named, kept)
        ]
        with self._database.reading() as connection:
            return ImageCounts(*connection.execute(select(*every)).one())

    def private_namespaces(self) -> Collection[tuple[str, str]]:
        """Return the namespaces of accounts that are private only; see the port."""
        query = (
            select(namespaces.c.region, namespaces.c.name)
            .join(
                account_settings,
                and_(
                    account_settings.c.region == namespaces.c.region,
                    account_settings.c.account_id == namespaces.c.account_id,
                ),
            )
            .where(account_settings.c.private_only)
        )
        with self._database.reading() as connection:
            return frozenset((row[0], row[1]) for row in connection.execute(query))


def _get(connection: Connection, region: str, account: str) -> Options:
    query = select(account_settings.c.private_only, account_settings.c.platform_metrics).where(
        account_settings.c.region == region, account_settings.c.account_id == account
    )
    row = connection.execute(query).first()
    return Options(*row) if row else Options()
