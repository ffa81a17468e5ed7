"""What identity needs from outside: its store, namespace ownership, audit, clock and ids."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from msgspec import Struct

from wharfinger.identity.model import (
    Account,
    ApiKey,
    Credential,
    CredentialKind,
    Member,
    Policy,
    Role,
    ServiceId,
    StoredToken,
    User,
)

Clock = Callable[[], float]
"""Returns the time in Unix seconds."""

NewId = Callable[[], str]
"""Returns a fresh id of 32 lowercase hexadecimal digits."""


class Page(Struct, frozen=True):
    """A request for one page: at most ``limit`` entries after the id ``start`` ('' = the first)."""

    limit: int
    start: str = ""


class SigningKey(Struct, frozen=True):
    """A signing key as it is stored: the private part sealed, the public part a JWK in JSON."""

    kid: str
    private_key: bytes
    public_jwk: str
    created_at: int
    signs_from: int
    generation: int
    longest_life: int


class Failures(Struct, frozen=True):
    """Failed sign-ins counted under one key since ``window_start`` (Unix seconds)."""

    window_start: int
    count: int


class Person(Struct, frozen=True):
    """Whom a provider of single sign-on vouches for; ``verified`` is about the e-mail."""

    email: str
    verified: bool


class OidcProvider(Protocol):
    """A provider of single sign-on; every method may ask it over the network."""

    def authorization_url(self, redirect_uri: str, state: str, nonce: str, verifier: str) -> str:
        """Return where the browser signs in."""

    def identify(self, redirect_uri: str, code: str, nonce: str, verifier: str) -> Person:
        """Return whom the provider vouches for with ``code``."""


class Records(Protocol):
    """One consistent view of what identity keeps. Each method is one statement."""

    def account(self, account: str) -> Account | None:
        """Return the account with this id."""

    def accounts(self, page: Page) -> Sequence[Account]:
        """Return a page of all accounts, by id."""

    def user(self, iam_id: str) -> User | None:
        """Return the user with this id."""

    def user_by_email(self, email: str) -> User | None:
        """Return the user with this (normalised) e-mail."""

    def password_credential(self, email: str) -> tuple[Credential, str] | None:
        """Return credential and password hash of the user with this e-mail, if it has one."""

    def members(self, account: str, page: Page) -> Sequence[Member]:
        """Return a page of the account's users, by iam_id."""

    def member(self, account: str, iam_id: str) -> Member | None:
        """Return one user of the account."""

    def accounts_of(self, iam_id: str, limit: int) -> Sequence[str]:
        """Return the ids of at most ``limit`` accounts that the user belongs to."""

    def service_id(self, account: str, iam_id: str) -> ServiceId | None:
        """Return one service id of the account."""

    def service_ids(self, account: str, page: Page) -> Sequence[ServiceId]:
        """Return a page of the account's service ids, by iam_id."""

    def standing(self, account: str, iam_id: str) -> bool | None:
        """Return whether the subject is an operator; None if it is not in the account."""

    def credential(self, credential: str) -> Credential | None:
        """Return the credential with this id, with the account it is bound to."""

    def credential_by_secret(self, sha256: bytes) -> Credential | None:
        """Return the credential of the API key whose secret hashes to ``sha256``."""

    def epoch(self, credential: str) -> int | None:
        """Return the credential's epoch, None if it does not exist (any more)."""

    def api_key(self, account: str, key: str) -> ApiKey | None:
        """Return one API key of the account."""

    def api_keys(self, account: str, iam_id: str, page: Page) -> Sequence[ApiKey]:
        """Return a page of the account's API keys, by id; of one subject, or all for ''."""

    def policy(self, account: str, policy: str) -> Policy | None:
        """Return one policy of the account."""

    def policies(self, account: str, iam_id: str, page: Page) -> Sequence[Policy]:
        """Return a page of the account's policies, by id; of one subject, or all for ''."""

    def roles(
        self, account: str, iam_ids: Collection[str], region: str, namespace: str
    ) -> Mapping[str, frozenset[Role]]:
        """Return each subject's roles on a namespace and account-wide; '' = only the latter."""

    def roles_anywhere(self, account: str, iam_id: str) -> frozenset[Role]:
        """Return all roles that the subject has on anything in the account."""

    def grants(
        self, iam_ids: Collection[str], roles: Collection[Role], account: str, region: str
    ) -> Sequence[tuple[str, str]]:
        """Return (account, namespace) of policies with these roles that count in the region.

        ``account`` '' asks for those of all accounts; a namespace '' stands for all there are.
        """

    def count(self, account: str, kind: str) -> int:
        """Return how many of a kind the account has.

        Kinds are 'users', 'service ids', 'API keys', 'policies' and 'registry tokens'.
        """

    def token_by_secret(self, hmac: bytes, region: str, now: int) -> Credential | None:
        """Return the credential of the region's registry token of this hash, unless it ended."""

    def registry_token(
        self, account: str, region: str, token: str
    ) -> tuple[StoredToken, bytes] | None:
        """Return one registry token of the account in the region, and its sealed secret."""

    def registry_tokens(self, account: str, region: str, page: Page) -> Sequence[StoredToken]:
        """Return a page of the account's registry tokens in the region, by id."""

    def signing_keys(self) -> Sequence[SigningKey]:
        """Return all signing keys, oldest generation first."""

    def fact(self, name: str) -> str | None:
        """Return what was written down of the whole deployment under ``name``."""

    def failures(self, keys: Collection[str]) -> Mapping[str, Failures]:
        """Return the failed sign-ins counted under each of ``keys`` that has any."""


class Changes(Records, Protocol):
    """A writing unit: all of it happens, or nothing."""

    def lock_account(self, account: str) -> None:
        """Let no other unit that locked the account run until this one ends."""

    def add_account(self, account: Account) -> None:
        """Add an account."""

    def add_user(self, user: User) -> User:
        """Add the user, or return the one that has this e-mail already."""

    def remove_user(self, iam_id: str) -> None:
        """Remove a user who belongs to no account any more, with what tokens were issued on."""

    def add_member(self, account: str, iam_id: str, at: int) -> bool:
        """Add the user to the account; False if it belongs to it already."""

    def remove_member(self, account: str, iam_id: str) -> None:
        """End the membership, with the subject's policies and API keys in this account."""

    def add_service_id(self, service_id: ServiceId) -> None:
        """Add a service id."""

    def remove_service_id(self, account: str, iam_id: str) -> None:
        """Remove a service id with its policies and API keys."""

    def add_credential(self, credential: Credential) -> None:
        """Add a credential; nothing happens if its id is taken."""

    def replace_password(self, old: str | None, credential: Credential, password_hash: str) -> bool:
        """Let ``credential`` take the place of the one called ``old``; False if that is gone."""

    def raise_epochs(self, iam_id: str) -> None:
        """End the registry tokens that were issued to this subject."""

    def add_api_key(self, key: ApiKey, sha256: bytes) -> None:
        """Add an API key and its credential."""

    def remove_api_key(self, account: str, key: str) -> None:
        """Remove an API key and its credential: tokens issued on it end."""

    def add_registry_token(self, token: StoredToken, hmac: bytes, sealed: bytes) -> None:
        """Add a registry token, found by ``hmac``, and its credential."""

    def remove_registry_tokens(
        self, account: str, region: str, *, token: str = "", description: str = ""
    ) -> Sequence[str]:
        """Remove the registry token of an id, or all of a description, with their credentials.

        Returns the ids of those that are gone.
        """

    def remove_ended_tokens(self, now: int, limit: int) -> Sequence[tuple[str, str]]:
        """Remove ``limit`` registry tokens at most that ended; return (id, account) of each."""

    def add_policy(self, policy: Policy) -> bool:
        """Add a policy; False if the account has this very one already."""

    def remove_policy(self, account: str, policy: str) -> None:
        """Remove a policy."""

    def remove_namespace_policies(self, account: str, region: str, namespace: str) -> Sequence[str]:
        """Remove the policies that name the namespace; return the subjects that had one."""

    def managers(self, account: str) -> int:
        """Return how many users are Managers of the whole account."""

    def add_signing_key(self, key: SigningKey) -> bool:
        """Add a signing key; False if another process has added this generation already."""

    def raise_longest_life(self, seconds: int) -> None:
        """Note that keys may sign tokens that live this long."""

    def remove_signing_keys(self, kids: Collection[str]) -> None:
        """Remove signing keys."""

    def add_passcode(self, sha256: bytes, credential: str, ends: int, now: int) -> None:
        """Add a passcode in place of all of this credential, and forget those that have ended."""

    def take_passcode(self, sha256: bytes, now: int) -> Credential | None:
        """Return the credential of a passcode that has not ended, and end it; None without one."""

    def add_failure(self, keys: Collection[str], now: int, window: int) -> None:
        """Count a failed sign-in under each key; counts older than ``window`` s start anew."""

    def clear_failures(self, keys: Collection[str]) -> None:
        """Forget the failed sign-ins counted under ``keys``."""

    def touch_api_keys(self, used: Iterable[tuple[str, int]]) -> None:
        """Raise the last use of each API key to the given time."""

    def add_fact(self, name: str, value: str) -> bool:
        """Write something down of the whole deployment, for good; False if it was already."""

    def audit(
        self,
        account: str,
        actor: str,
        action: str,
        target: str,
        request_id: str,
        detail: Mapping[str, object],
    ) -> None:
        """Leave the audit row of what this unit does."""


class Store(Protocol):
    """Where identity's records live. Any thread may call any method."""

    def reading(self) -> AbstractContextManager[Records]:
        """Enter a consistent view.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """

    def writing(self, *, durable: bool = True) -> AbstractContextManager[Changes]:
        """Enter a writing unit; it commits on leaving, or rolls back when an exception leaves.

        Raises:
            DatabaseUnavailable: the database does not answer or stays locked.
        """


class NamespaceOwners(Protocol):
    """Which account owns a namespace; wired from the room of namespaces."""

    def owner(self, region: str, namespace: str) -> str | None:
        """Return the id of the account that owns the namespace; None unless it is active."""


__all__ = [
    "Changes",
    "Clock",
    "CredentialKind",
    "Failures",
    "NamespaceOwners",
    "NewId",
    "Page",
    "Records",
    "SigningKey",
    "Store",
]
