"""The one MetaData that every room's tables belong to, and column types they share."""

from typing import Final

from sqlalchemy import BigInteger, Integer, MetaData

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
