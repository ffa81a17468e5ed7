"""The facts of images' configs in the database."""

from collections.abc import Sequence
from typing import Final

import msgspec
from sqlalchemy import Connection, bindparam, select

from wharfinger.database.dialect import insert
from wharfinger.database.prepared import Prepared
from wharfinger.database.unit import Database
from wharfinger.registry.model.configs import ConfigFacts
from wharfinger.registry.ports import Undescribed
from wharfinger.registry.tables import blobs, image_configs, manifests

_MISSING: Final = image_configs.c.digest.is_(None)
_UNDESCRIBED: Final = Prepared(
    lambda _: (
        select(blobs.c.location, image_configs.c.digest)
        .outerjoin(image_configs, image_configs.c.digest == blobs.c.digest)
        .where(blobs.c.digest == bindparam("asked"))
    )
)
_ADD: Final = Prepared(
    lambda connection: insert(connection, image_configs).on_conflict_do_nothing()
)


class SqlConfigRecords:
    """Implements ``registry.ports.ConfigRecords`` over a database."""

    def __init__(self, database: Database) -> None:
        self._database: Final = database

    def undescribed(self, digest: str) -> str | None:
        """Return where an undescribed config lies; see the port."""
        with self._database.reading() as connection:
            row = _UNDESCRIBED.first(connection, asked=digest)
        if row is None:
            return None
        location, described = row
        return "" if described else str(location)

    def without_facts(self, after: int, limit: int) -> Sequence[Undescribed]:
        """Return manifests whose config nobody has read; see the port."""
        query = (
            select(manifests.c.id, blobs.c.digest, blobs.c.size, blobs.c.location)
            .join(blobs, blobs.c.digest == manifests.c.config)
            .outerjoin(image_configs, image_configs.c.digest == manifests.c.config)
            .where(manifests.c.id > after, _MISSING)
            .order_by(manifests.c.id)
            .limit(limit)
        )
        with self._database.reading() as connection:
            return [Undescribed(*row) for row in connection.execute(query)]

    def add(self, config: str, facts: ConfigFacts) -> None:
        """Write down a config's facts; see the port."""
        with self._database.writing(durable=False) as connection:
            found = select(blobs.c.digest).where(blobs.c.digest == config)
            if connection.scalar(found.with_for_update(read=True, key_share=True)) is not None:
                add_facts(connection, config, facts)


def add_facts(connection: Connection, config: str, facts: ConfigFacts) -> None:
    """Write down the facts of a config that is there, unless they are."""
    labels = msgspec.json.encode(facts.labels).decode()
    _ADD.run(connection, digest=config, created=facts.created, parent=facts.parent, labels=labels)
