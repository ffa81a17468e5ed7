"""Policies on a namespace name its region: namespaces of one name in two regions are two.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_OLD = "uq_policies_account_id_iam_id_namespace_role"
_NEW = "uq_policies_account_id_iam_id_namespace_region_role"


def upgrade() -> None:
    with op.batch_alter_table("policies") as batch:
        batch.add_column(sa.Column("region", sa.String(32), nullable=False, server_default=""))
    # Before there were regions a deployment had one, which its namespaces tell.
    op.execute(
        "UPDATE policies SET region = COALESCE((SELECT max(n.region) FROM namespaces n "
        "WHERE n.account_id = policies.account_id AND n.name = policies.namespace), '')"
    )
    # A policy whose namespace is gone would count in no region; it must not count in all.
    op.execute("DELETE FROM policies WHERE namespace <> '' AND region = ''")
    with op.batch_alter_table("policies") as batch:
        batch.alter_column("region", server_default=None)
        batch.drop_constraint(_OLD, type_="unique")
        batch.create_unique_constraint(
            _NEW, ["account_id", "iam_id", "namespace", "region", "role"]
        )


def downgrade() -> None:
    with op.batch_alter_table("policies") as batch:
        batch.drop_constraint(_NEW, type_="unique")
        batch.drop_column("region")
        batch.create_unique_constraint(_OLD, ["account_id", "iam_id", "namespace", "role"])
