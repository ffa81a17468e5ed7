"""From rows to values."""

from typing import Any

from sqlalchemy import Row

from wharfinger.identity.model import (
    Account,
    ApiKey,
    Credential,
    CredentialKind,
    Member,
    Policy,
    Role,
    ServiceId,
    User,
)


def account(row: Row[Any]) -> Account:
    """Return the account in a row of ``accounts``."""
    return Account(row.id, row.name, row.plan, row.created_at)


def user(row: Row[Any]) -> User:
    """Return the user in a row of ``users``."""
    return User(row.iam_id, row.email, row.password_hash, row.operator, row.created_at)


def member(row: Row[Any]) -> Member:
    """Return the member in a row of ``memberships`` with the user's e-mail joined."""
    return Member(row.iam_id, row.email, row.created_at)


def service_id(row: Row[Any]) -> ServiceId:
    """Return the service id in a row of ``service_ids``."""
    return ServiceId(row.iam_id, row.account_id, row.name, row.description, row.created_at)


def api_key(row: Row[Any]) -> ApiKey:
    """Return the API key in a row of ``api_keys``; its secret's hash stays in the database."""
    return ApiKey(
        row.id,
        row.account_id,
        row.iam_id,
        row.name,
        row.description,
        row.created_at,
        row.last_used_at,
    )


def policy(row: Row[Any]) -> Policy:
    """Return the policy in a row of ``policies``."""
    return Policy(
        row.id,
        row.account_id,
        row.iam_id,
        Role(row.role),
        row.namespace,
        row.created_at,
        row.region,
    )


def credential(row: Row[Any]) -> Credential:
    """Return the credential in a row of ``credentials`` with ``account_id`` joined."""
    return Credential(row.id, row.iam_id, CredentialKind(row.kind), row.epoch, row.account_id or "")
