"""Who somebody is and what they may do: values and rules, without HTTP or SQL."""

from collections.abc import Mapping
from enum import Enum
from typing import Final

from msgspec import Struct, field

from wharfinger_common.catalogue import identity as entries
from wharfinger_common.refusals import Refusal

ANONYMOUS: Final = "anonymous"
"""The subject of callers without credentials; a Reader policy for it makes things public."""

OPERATOR_ACCOUNT: Final = "00000000000000000000000000000001"
"""The account that the first start makes; operators are operators only while they act in it."""

PULL: Final = "pull"
PUSH: Final = "push"
DELETE: Final = "delete"


class Role(Enum):
    """An access role; ``actions`` are the registry actions that it allows on a repository."""

    READER = "Reader"
    WRITER = "Writer"
    MANAGER = "Manager"

    @property
    def actions(self) -> frozenset[str]:
        """Registry actions (Docker token scope grammar) that the role grants."""
        return _ACTIONS[self]


_ACTIONS: Final[Mapping[Role, frozenset[str]]] = {
    Role.READER: frozenset({PULL}),
    Role.WRITER: frozenset({PULL, PUSH, DELETE}),
    Role.MANAGER: frozenset({PULL, PUSH, DELETE}),
}


class TokenType(Enum):
    """The surface a token is for (claim ``typ``)."""

    IAM = "iam"
    REGISTRY = "registry"
    REFRESH = "refresh"


class Claims(Struct, frozen=True):
    """What a verified token says; times in Unix seconds.

    ``access`` maps a repository name to the actions granted, for registry tokens only.
    ``epoch`` must equal the credential's epoch in the database: raising that one revokes.
    ``ends`` is when the credential itself ends, 0 for never: its tokens do not outlive it.
    """

    typ: TokenType
    audience: str
    region: str
    account: str
    subject: str
    credential: str
    epoch: int
    issued: int
    expires: int
    access: Mapping[str, frozenset[str]] = field(default_factory=dict)
    catalog: bool = False
    ends: int = 0

    @property
    def anonymous(self) -> bool:
        """Whether the bearer presented no credentials when the token was issued."""
        return self.subject == ANONYMOUS

    def grants(self, repository: str, action: str) -> bool:
        """Whether the token itself grants ``action`` on ``repository``."""
        return action in self.access.get(repository, frozenset())


class Caller(Struct, frozen=True):
    """The authenticated caller of a control or identity call, acting in one account.

    ``region`` is the one whose host was called; without any, no namespace is the account's.
    """

    iam_id: str
    account: str
    credential: str
    operator: bool = False
    request_id: str = ""
    region: str = ""


class Account(Struct, frozen=True):
    """A tenant; ``created_at`` in Unix seconds, here and below."""

    id: str
    name: str
    plan: str
    created_at: int


class User(Struct, frozen=True):
    """A person, in any number of accounts; ``password_hash`` is None where only keys sign in."""

    iam_id: str
    email: str
    password_hash: str | None
    operator: bool
    created_at: int


class Member(Struct, frozen=True):
    """A user as seen from one account; ``joined_at`` says nothing about other accounts."""

    iam_id: str
    email: str
    joined_at: int


class ServiceId(Struct, frozen=True):
    """A machine's identity, in exactly one account."""

    iam_id: str
    account: str
    name: str
    description: str
    created_at: int


class ApiKey(Struct, frozen=True):
    """What is known of an API key once its secret was shown."""

    id: str
    account: str
    iam_id: str
    name: str
    description: str
    created_at: int
    last_used_at: int | None = None


class Policy(Struct, frozen=True):
    """A role that an account gives a subject on one namespace of a region, or on everything.

    The latter has neither ``namespace`` nor ``region``: both are ''.
    """

    id: str
    account: str
    iam_id: str
    role: Role
    namespace: str
    created_at: int
    region: str = ""


TOKEN_SUBJECT: Final = "RegistryToken-"  # noqa: S105 - how an id begins
"""How the subjects of registry tokens begin: such a token acts for itself, not for who made it."""


class StoredToken(Struct, frozen=True):
    """What is known of a registry token, whose subject and credential go by its ``id``.

    It grants Reader, or Writer unless it is ``read_only``, on all namespaces of the account in
    the region. ``ends`` is when it ends, 0 for never; ``made_by`` an iam_id.
    """

    id: str
    account: str
    region: str
    read_only: bool
    description: str
    made_by: str
    created_at: int
    ends: int = 0

    @property
    def role(self) -> Role:
        """What it grants."""
        return Role.READER if self.read_only else Role.WRITER


class CredentialKind(Enum):
    """What a credential is."""

    API_KEY = "apikey"
    REGISTRY_TOKEN = "token"  # noqa: S105 - the name of a kind, not a token
    PASSWORD = "password"  # noqa: S105 - the name of a kind, not a password
    ANONYMOUS = "anonymous"
    SSO = "sso"


class Credential(Struct, frozen=True):
    """What tokens are issued on. ``account`` is '' unless it acts in one account only.

    ``ends`` is when it ends by itself, in Unix seconds, 0 for never.
    """

    id: str
    iam_id: str
    kind: CredentialKind
    epoch: int
    account: str = ""
    ends: int = 0


class Visibility(Struct, frozen=True):
    """What a subject may see: whole accounts, and (account, namespace) pairs."""

    accounts: frozenset[str]
    namespaces: frozenset[tuple[str, str]]

    def includes(self, account: str, namespace: str) -> bool:
        """Whether ``namespace``, owned by ``account``, is visible."""
        return account in self.accounts or (account, namespace) in self.namespaces


class TokenInvalid(Refusal):
    """The token is not ours, not for this surface, or its credential was revoked."""

    entry = entries.TOKEN_INVALID


class KeyUnread(Exception):
    """Whether a token is ours can only be told by reading the key ring, which takes time."""


class TokenExpired(Refusal):
    """The token has passed its lifetime; ``claims`` are what it said."""

    entry = entries.TOKEN_EXPIRED
    claims: Claims | None = None

    @classmethod
    def of(cls, claims: Claims) -> "TokenExpired":
        """Return the refusal of a token of ours that has ended."""
        refusal = cls()
        refusal.claims = claims
        return refusal


class ApiKeyUnknown(Refusal):
    """No API key has this secret."""

    entry = entries.API_KEY_UNKNOWN


class CredentialsWrong(Refusal):
    """User name and password do not fit."""

    entry = entries.CREDENTIALS_WRONG


class RegistryTokenUnknown(Refusal):
    """The user name ``token`` was used with what is no registry token of the region."""

    entry = entries.REGISTRY_TOKEN_UNKNOWN


class StoredSignInRefused(CredentialsWrong):
    """What a client has stored is not, or no longer, accepted for a pull or push."""

    entry = entries.STORED_SIGN_IN_REFUSED


class StoredTokenRefused(RegistryTokenUnknown):
    """The same of a registry token."""

    entry = entries.STORED_SIGN_IN_REFUSED


class PropertyMissing(Refusal):
    """A field of the token request is missing or empty."""

    entry = entries.PROPERTY_MISSING


class GrantUnsupported(Refusal):
    """The grant type is not offered."""

    entry = entries.GRANT_UNSUPPORTED


class PasscodeInvalid(Refusal):
    """There is no such passcode, or it was used, or has ended."""

    entry = entries.PASSCODE_INVALID


class FormStale(Refusal):
    """What was sent does not come from the form, or from one that is too old."""

    entry = entries.FORM_STALE


class SignInStale(Refusal):
    """A sign-in at the provider that did not begin here, or too long ago."""

    entry = entries.SIGN_IN_STALE


class EmailUnverified(Refusal):
    """The provider does not vouch for an e-mail."""

    entry = entries.EMAIL_UNVERIFIED


class ProviderUnavailable(Refusal):
    """The provider of single sign-on does not answer as one."""

    entry = entries.PROVIDER_UNAVAILABLE


class ProviderRefused(Refusal):
    """The provider of single sign-on did not vouch for anybody."""

    entry = entries.PROVIDER_REFUSED


class PersonUnknown(Refusal):
    """The provider vouches for somebody whom no account has added."""

    entry = entries.PERSON_UNKNOWN


class NotInAccount(Refusal):
    """The credential cannot be bound to the account asked for."""

    entry = entries.NOT_IN_ACCOUNT


class RefreshInvalid(Refusal):
    """The refresh token is not valid."""

    entry = entries.REFRESH_INVALID


class RefreshExpired(Refusal):
    """The refresh token has expired."""

    entry = entries.REFRESH_EXPIRED


class TooManyFailures(Refusal):
    """The subject or the address failed to sign in too often."""

    entry = entries.TOO_MANY_FAILURES


class SignInBusy(Refusal):
    """Too many passwords are being checked."""

    entry = entries.SIGN_IN_BUSY


class ServiceUnknown(Refusal):
    """No token is issued for this service."""

    entry = entries.SERVICE_UNKNOWN


class ScopeInvalid(Refusal):
    """A scope has no TYPE:NAME:ACTIONS."""

    entry = entries.SCOPE_INVALID


class ScopesTooMany(Refusal):
    """The request holds more scopes than allowed."""

    entry = entries.SCOPES_TOO_MANY


class AccountForbidden(Refusal):
    """The caller does not act in the account that the call names."""

    entry = entries.ACCOUNT_FORBIDDEN


class RoleMissing(Refusal):
    """No policy gives the caller the role."""

    entry = entries.ROLE_MISSING


class OperatorOnly(Refusal):
    """The caller is no operator."""

    entry = entries.OPERATOR_ONLY


class NotFound(Refusal):
    """The account has no such thing."""

    entry = entries.NOT_FOUND


class AccountUnknown(Refusal):
    """The service has no such account."""

    entry = entries.ACCOUNT_UNKNOWN


class ValueInvalid(Refusal):
    """A field's value is not allowed."""

    entry = entries.VALUE_INVALID


class LastManager(Refusal):
    """The account would be left without a Manager."""

    entry = entries.LAST_MANAGER


class CurrentPasswordWrong(Refusal):
    """Who wants another password did not tell the one that counts."""

    entry = entries.CURRENT_PASSWORD_WRONG


class LimitReached(Refusal):
    """The account has as many of these as it may."""

    entry = entries.LIMIT_REACHED


class AlreadyExists(Refusal):
    """The account has this already."""

    entry = entries.ALREADY_EXISTS


class ClientUnknown(Refusal):
    """Client authentication that the token exchange does not know."""

    entry = entries.CLIENT_UNKNOWN
