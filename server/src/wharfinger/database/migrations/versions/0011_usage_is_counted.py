"""What accounts store and have downloaded is counted; it begins with what is there.

Revision: 0011, after: 0010
"""

import time

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def _key(length: int) -> sa.types.TypeEngine[str]:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def _seconds() -> sa.types.TypeEngine[int]:
    return sa.Integer().with_variant(sa.BigInteger(), "postgresql")


def upgrade() -> None:
    """Bring the schema to this revision."""
    _create_tables()
    # The plan 'unlimited' is called 'standard' now, which is unlimited unless an operator says so.
    op.execute("UPDATE accounts SET plan = 'standard' WHERE plan = 'unlimited'")
    op.execute(
        "INSERT INTO account_blobs (region, account_id, digest, size, links) "
        "SELECT r.region, r.account_id, b.digest, b.size, count(*) "
        "FROM repositories r "
        "JOIN repository_blobs l ON l.repository_id = r.id "
        "JOIN blobs b ON b.digest = l.digest "
        "GROUP BY r.region, r.account_id, b.digest, b.size"
    )
    now = int(time.time())
    month = time.strftime("%Y-%m", time.gmtime(now))
    op.execute(
        sa.text(
            "INSERT INTO account_usage (region, account_id, plan, stored, stored_since, month, "
            "byte_seconds) "
            "SELECT c.region, c.account_id, "
            "COALESCE((SELECT a.plan FROM accounts a WHERE a.id = c.account_id), ''), "
            "SUM(c.size), :now, :month, 0 "
            "FROM account_blobs c GROUP BY c.region, c.account_id"
        ).bindparams(
            sa.bindparam("now", now, _seconds()), sa.bindparam("month", month, sa.String())
        )
    )


def _create_tables() -> None:
    op.create_table(
        "account_usage",
        sa.Column("region", _key(32), nullable=False),
        sa.Column("account_id", _key(32), nullable=False),
        sa.Column("plan", _key(32), nullable=False),
        sa.Column("storage_limit", sa.BigInteger()),
        sa.Column("traffic_limit", sa.BigInteger()),
        sa.Column("stored", sa.BigInteger(), nullable=False),
        sa.Column("stored_since", _seconds(), nullable=False),
        sa.Column("month", _key(7), nullable=False),
        sa.Column("byte_seconds", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("region", "account_id", name=op.f("pk_account_usage")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_account_usage_month"), "account_usage", ["month"])
    op.create_table(
        "account_blobs",
        sa.Column("region", _key(32), nullable=False),
        sa.Column("account_id", _key(32), nullable=False),
        sa.Column("digest", _key(135), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("links", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("region", "account_id", "digest", name=op.f("pk_account_blobs")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "usage_months",
        sa.Column("region", _key(32), nullable=False),
        sa.Column("account_id", _key(32), nullable=False),
        sa.Column("month", _key(7), nullable=False),
        sa.Column("byte_seconds", sa.Double(), nullable=False),
        sa.Column("traffic", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("region", "account_id", "month", name=op.f("pk_usage_months")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "upload_reservations",
        sa.Column("upload_id", _key(36), nullable=False),
        sa.Column("region", _key(32), nullable=False),
        sa.Column("account_id", _key(32), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("admitted", sa.Boolean(), nullable=False),
        sa.Column("leased_until", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("upload_id", name=op.f("pk_upload_reservations")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("ix_upload_reservations_region_account_id"),
        "upload_reservations",
        ["region", "account_id"],
    )
    op.create_index(
        op.f("ix_upload_reservations_leased_until"), "upload_reservations", ["leased_until"]
    )


def downgrade() -> None:
    """Return to the revision before."""
    for table in ("upload_reservations", "usage_months", "account_blobs", "account_usage"):
        op.drop_table(table)
