"""Reading: one statement for each question."""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache
from typing import Any, Final, TypeVar

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    String,
    Table,
    and_,
    bindparam,
    func,
    literal,
    or_,
    select,
    union_all,
)

from wharfinger.database.prepared import Prepared
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
from wharfinger.identity.ports import Failures, Page, SigningKey
from wharfinger.identity.store import rows
from wharfinger.identity.store.registry_tokens import TokenRecords
from wharfinger.identity.tables import (
    accounts,
    api_keys,
    credentials,
    facts,
    memberships,
    policies,
    registry_tokens,
    service_ids,
    signin_failures,
    signing_keys,
    users,
)

_COUNTED: Final[Mapping[str, Table]] = {
    "users": memberships,
    "service ids": service_ids,
    "API keys": api_keys,
    "policies": policies,
    "registry tokens": registry_tokens,
}
_T = TypeVar("_T")

_CREDENTIAL: Final = select(
    credentials.c.id,
    credentials.c.iam_id,
    credentials.c.kind,
    credentials.c.epoch,
    api_keys.c.account_id,
).outerjoin(api_keys, api_keys.c.id == credentials.c.id)
_CREDENTIAL_BY_ID: Final = Prepared(
    lambda _: _CREDENTIAL.where(credentials.c.id == bindparam("asked"))
)
_CREDENTIAL_BY_SECRET: Final = Prepared(
    lambda _: _CREDENTIAL.where(api_keys.c.secret_sha256 == bindparam("asked"))
)
_EPOCH: Final = Prepared(
    lambda _: select(credentials.c.epoch).where(credentials.c.id == bindparam("asked"))
)


@cache
def _roles_of(subjects: int) -> Prepared:
    """Return the statement of the roles of so many subjects, given as s0, s1..."""
    named = [bindparam(f"s{number}", type_=String()) for number in range(subjects)]
    query = select(policies.c.iam_id, policies.c.role).where(
        policies.c.account_id == bindparam("account"),
        policies.c.iam_id.in_(named),
        or_(
            policies.c.namespace == "",
            and_(
                policies.c.namespace == bindparam("asked", type_=String()),
                policies.c.region == bindparam("in_region", type_=String()),
            ),
        ),
    )
    return Prepared(lambda _: query)


@cache
def _failures_of(keys: int) -> Prepared:
    """Return the statement of the failures counted under so many keys, given as k0, k1..."""
    named = [bindparam(f"k{number}", type_=String()) for number in range(keys)]
    table = signin_failures.c
    query = select(table.key, table.window_start, table.count).where(table.key.in_(named))
    return Prepared(lambda _: query)


class SqlRecords(TokenRecords):
    """Implements ``identity.ports.Records`` over one connection."""

    def account(self, account: str) -> Account | None:
        """Return the account with this id."""
        return self._one(select(accounts).where(accounts.c.id == account), rows.account)

    def accounts(self, page: Page) -> Sequence[Account]:
        """Return a page of all accounts, by id."""
        found = self._page(select(accounts), accounts.c.id, page)
        return [rows.account(row) for row in found]

    def user(self, iam_id: str) -> User | None:
        """Return the user with this id."""
        return self._one(select(users).where(users.c.iam_id == iam_id), rows.user)

    def user_by_email(self, email: str) -> User | None:
        """Return the user with this (normalised) e-mail."""
        return self._one(select(users).where(users.c.email == email), rows.user)

    def password_credential(self, email: str) -> tuple[Credential, str] | None:
        """Return credential and password hash of the user with this e-mail, if it has one."""
        query = (
            select(credentials, users.c.password_hash, literal("").label("account_id"))
            .join(users, users.c.iam_id == credentials.c.iam_id)
            .where(
                users.c.email == email,
                users.c.password_hash.is_not(None),
                credentials.c.kind == CredentialKind.PASSWORD.value,
            )
        )
        return self._one(query, lambda row: (rows.credential(row), row.password_hash))

    def members(self, account: str, page: Page) -> Sequence[Member]:
        """Return a page of the account's users, by iam_id."""
        found = self._page(_members(account), memberships.c.iam_id, page)
        return [rows.member(row) for row in found]

    def member(self, account: str, iam_id: str) -> Member | None:
        """Return one user of the account."""
        return self._one(_members(account).where(memberships.c.iam_id == iam_id), rows.member)

    def accounts_of(self, iam_id: str, limit: int) -> Sequence[str]:
        """Return the ids of at most ``limit`` accounts that the user belongs to."""
        query = select(memberships.c.account_id).where(memberships.c.iam_id == iam_id)
        ordered = query.order_by(memberships.c.account_id).limit(limit)
        return list(self._connection.execute(ordered).scalars())

    def service_id(self, account: str, iam_id: str) -> ServiceId | None:
        """Return one service id of the account."""
        own = service_ids.c.account_id == account
        return self._one(
            select(service_ids).where(own, service_ids.c.iam_id == iam_id), rows.service_id
        )

    def service_ids(self, account: str, page: Page) -> Sequence[ServiceId]:
        """Return a page of the account's service ids, by iam_id."""
        query = select(service_ids).where(service_ids.c.account_id == account)
        return [rows.service_id(row) for row in self._page(query, service_ids.c.iam_id, page)]

    def standing(self, account: str, iam_id: str) -> bool | None:
        """Return whether the subject is an operator; None if it is not in the account."""
        member = (
            select(users.c.operator)
            .join(memberships, memberships.c.iam_id == users.c.iam_id)
            .where(users.c.iam_id == iam_id, memberships.c.account_id == account)
        )
        machine = select(literal(value=False)).where(
            service_ids.c.iam_id == iam_id, service_ids.c.account_id == account
        )
        row = self._connection.execute(union_all(member, machine)).first()
        return None if row is None else bool(row[0])

    def credential(self, credential: str) -> Credential | None:
        """Return the credential with this id, with the account it is bound to."""
        return _credential(_CREDENTIAL_BY_ID.first(self._connection, asked=credential))

    def credential_by_secret(self, sha256: bytes) -> Credential | None:
        """Return the credential of the API key whose secret hashes to ``sha256``."""
        return _credential(_CREDENTIAL_BY_SECRET.first(self._connection, asked=sha256))

    def epoch(self, credential: str) -> int | None:
        """Return the credential's epoch, None if it does not exist (any more)."""
        row = _EPOCH.first(self._connection, asked=credential)
        return None if row is None else int(row[0])

    def api_key(self, account: str, key: str) -> ApiKey | None:
        """Return one API key of the account."""
        own = api_keys.c.account_id == account
        return self._one(select(api_keys).where(own, api_keys.c.id == key), rows.api_key)

    def api_keys(self, account: str, iam_id: str, page: Page) -> Sequence[ApiKey]:
        """Return a page of the account's API keys, by id; of one subject, or all for ''."""
        query = _of(select(api_keys).where(api_keys.c.account_id == account), api_keys, iam_id)
        return [rows.api_key(row) for row in self._page(query, api_keys.c.id, page)]

    def policy(self, account: str, policy: str) -> Policy | None:
        """Return one policy of the account."""
        own = policies.c.account_id == account
        return self._one(select(policies).where(own, policies.c.id == policy), rows.policy)

    def policies(self, account: str, iam_id: str, page: Page) -> Sequence[Policy]:
        """Return a page of the account's policies, by id; of one subject, or all for ''."""
        query = _of(select(policies).where(policies.c.account_id == account), policies, iam_id)
        return [rows.policy(row) for row in self._page(query, policies.c.id, page)]

    def roles(
        self, account: str, iam_ids: Collection[str], region: str, namespace: str
    ) -> Mapping[str, frozenset[Role]]:
        """Return each subject's roles on ``namespace`` and account-wide; '' = only the latter."""
        subjects = {f"s{number}": iam_id for number, iam_id in enumerate(iam_ids)}
        rows = _roles_of(len(subjects)).run(
            self._connection, account=account, asked=namespace, in_region=region, **subjects
        )
        found: dict[str, set[Role]] = {}
        for iam_id, role in rows.fetchall():
            found.setdefault(iam_id, set()).add(Role(role))
        given = {iam_id: frozenset(roles) for iam_id, roles in found.items()}
        return {**given, **self._token_roles(account, iam_ids, region)}

    def roles_anywhere(self, account: str, iam_id: str) -> frozenset[Role]:
        """Return all roles that the subject has on anything in the account."""
        query = (
            select(policies.c.role)
            .where(policies.c.account_id == account, policies.c.iam_id == iam_id)
            .distinct()
        )
        return frozenset(Role(role) for role in self._connection.execute(query).scalars())

    def grants(
        self, iam_ids: Collection[str], roles: Collection[Role], account: str, region: str
    ) -> Sequence[tuple[str, str]]:
        """Return (account, namespace) of policies with these roles; see the port."""
        query = (
            select(policies.c.account_id, policies.c.namespace)
            .where(
                policies.c.iam_id.in_(iam_ids),
                policies.c.role.in_([role.value for role in roles]),
                policies.c.region.in_(["", region]),
            )
            .distinct()
        )
        if account:
            query = query.where(policies.c.account_id == account)
        given = [(row[0], row[1]) for row in self._connection.execute(query)]
        tokens = self._token_roles(account, iam_ids, region).values()
        return [*given, *((account, "") for found in tokens if found.intersection(roles))]

    def count(self, account: str, kind: str) -> int:
        """Return how many of a kind the account has; see the port."""
        table = _COUNTED[kind]
        query = select(func.count()).select_from(table).where(table.c.account_id == account)
        return self._connection.execute(query).scalar_one()

    def managers(self, account: str) -> int:
        """Return how many users are Managers of the whole account."""
        query = (
            select(func.count(policies.c.iam_id.distinct()))
            .join(users, users.c.iam_id == policies.c.iam_id)
            .where(
                policies.c.account_id == account,
                policies.c.role == Role.MANAGER.value,
                policies.c.namespace == "",
            )
        )
        return self._connection.execute(query).scalar_one()

    def signing_keys(self) -> Sequence[SigningKey]:
        """Return all signing keys, oldest generation first."""
        query = select(signing_keys).order_by(signing_keys.c.generation)
        return [SigningKey(**row._mapping) for row in self._connection.execute(query)]

    def fact(self, name: str) -> str | None:
        """Return what was written down of the whole deployment under ``name``."""
        query = select(facts.c.value).where(facts.c.name == name)
        return self._connection.execute(query).scalar_one_or_none()

    def failures(self, keys: Collection[str]) -> Mapping[str, Failures]:
        """Return the failed sign-ins counted under each of ``keys`` that has any."""
        asked = {f"k{number}": key for number, key in enumerate(keys)}
        found = _failures_of(len(asked)).run(self._connection, **asked).fetchall()
        return {key: Failures(start, count) for key, start, count in found}

    def _one(self, query: Select[Any], make: Callable[[Row[Any]], _T]) -> _T | None:
        row = self._connection.execute(query).one_or_none()
        return None if row is None else make(row)

    def _page(self, query: Select[Any], key: ColumnElement[str], page: Page) -> Sequence[Row[Any]]:
        if page.start:
            query = query.where(key > page.start)
        return self._connection.execute(query.order_by(key).limit(page.limit)).all()


def _credential(row: tuple[Any, ...] | None) -> Credential | None:
    if row is None:
        return None
    key, iam_id, kind, epoch, account = row
    return Credential(key, iam_id, CredentialKind(kind), epoch, account or "")


def _members(account: str) -> Select[Any]:
    return (
        select(memberships.c.iam_id, users.c.email, memberships.c.created_at)
        .join(users, users.c.iam_id == memberships.c.iam_id)
        .where(memberships.c.account_id == account)
    )


def _of(query: Select[Any], table: Table, iam_id: str) -> Select[Any]:
    return query.where(table.c.iam_id == iam_id) if iam_id else query
