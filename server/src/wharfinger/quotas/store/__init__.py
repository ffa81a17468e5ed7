"""The SQLAlchemy Core adapters of the quotas' ports, for SQLite and PostgreSQL.

Lock order, where a database runs units side by side: whatever a unit does besides, then rows of
``account_blobs`` in the order of their digests, then the account's row of ``account_usage``, then
``usage_months``, ``quota_pushes`` and ``upload_reservations``. A unit that counts for several
accounts takes them in order.
"""
