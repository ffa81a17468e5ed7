"""The one MetaData that every room's tables belong to, and column types they share."""

import functools
from typing import Final

from sqlalchemy import BigInteger, Integer, MetaData, String
from sqlalchemy.types import TypeEngine

metadata: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite gives automatic keys only to INTEGER columns; PostgreSQL needs BIGINT for growth.
BigKey: Final = BigInteger().with_variant(Integer, "sqlite")

# The INTEGER of PostgreSQL ends in 2038; that of SQLite does not.
Seconds: Final = Integer().with_variant(BigInteger(), "postgresql")
"""A point in time in Unix seconds (UTC)."""


@functools.cache
def Key(length: int) -> TypeEngine[str]:  # noqa: N802 - it stands where types stand
    """Return the type of a short text that is looked up, compared and ordered by its bytes.

    SQLite does so by itself. PostgreSQL would go by the language of the database: lists would
    come in another order than the protocols want, and ranges of names would not hold together.
    """
    return String(length).with_variant(String(length, collation="C"), "postgresql")
