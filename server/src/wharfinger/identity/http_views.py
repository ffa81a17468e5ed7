"""The JSON of ``/identity/v1``: what calls take and answer."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from wharfinger.identity.emails import MAX_CHARACTERS
from wharfinger.identity.model import Account, ApiKey, Member, Policy, ServiceId
from wharfinger.identity.passwords import MAX_CHARACTERS as PASSWORD_CHARACTERS
from wharfinger.identity.service.desk import BLANK, INVISIBLE, MAX_DESCRIPTION, MAX_NAME
from wharfinger.identity.service.whoami import Bearer
from wharfinger.web.wrong_input import shaped
from wharfinger_common.languages import Text

RoleName = Literal["Reader", "Writer", "Manager"]

# What is published is what is checked: a program that follows the description is not refused.
_EDGE: Final = f"[^{BLANK}{INVISIBLE}]"
_LETTERS: Final = r"\u00c0-\u024f\u0400-\u052f\u0e01-\u0e2e\u3041-\u3096\u4e00-\u9fff\uac00-\ud7a3"
_ATOM: Final = rf"[!-?A-~{_LETTERS}]"
_NAME: Final = f"^{_EDGE}(?:[^{INVISIBLE}]*{_EDGE})?$"
_LINE: Final = f"^[^{INVISIBLE}]*$"
_ADDRESS: Final = f"^{_ATOM}+@{_ATOM}+$"
Name = Annotated[
    str,
    Field(min_length=1, max_length=MAX_NAME, pattern=_NAME),
    BeforeValidator(
        shaped(
            _NAME,
            Text("it must begin and end with a visible character, and be one line of plain text"),
        )
    ),
]
Description = Annotated[
    str,
    Field(max_length=MAX_DESCRIPTION, pattern=_LINE),
    BeforeValidator(shaped(_LINE, Text("it must be one line of plain text"))),
]
Email = Annotated[
    str,
    Field(min_length=3, max_length=MAX_CHARACTERS, pattern=_ADDRESS),
    BeforeValidator(shaped(_ADDRESS, Text("it must be an email address, NAME@HOST"))),
]
Password = Annotated[str, Field(max_length=PASSWORD_CHARACTERS, pattern="^[^\\x00]*$")]
IamId = Annotated[str, Field(min_length=1, max_length=64, pattern="^[A-Za-z0-9_-]+$")]
PlanName = Annotated[str, Field(min_length=1, max_length=32, pattern="^[A-Za-z0-9-]+$")]
Namespace = Annotated[str, Field(max_length=30, pattern="^[a-z0-9_-]*$")]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewAccount(_Body):
    """An account to be made; the owner becomes its first Manager."""

    name: Name
    plan: PlanName | None = Field(None, description="by default that of the settings")
    owner_email: Email | None = None
    owner_password: Password | None = None


class NewUser(_Body):
    """A user to be added to the account; the password counts only for one who is new."""

    email: Email
    password: Password | None = None
    role: RoleName | None = None


class NewPassword(_Body):
    """Another password for the caller, who shows with the current one that it may."""

    current_password: Password
    password: Password


class NewServiceId(_Body):
    """A service id to be made."""

    name: Name
    description: Description = ""


class NewApiKey(_Body):
    """An API key to be made, for the caller unless ``iam_id`` names another of the account."""

    name: Name
    description: Description = ""
    iam_id: IamId | None = None


class NewPolicy(_Body):
    """A role to be given, on one namespace or (null) the whole account."""

    iam_id: IamId
    role: RoleName
    namespace: Namespace | None = None


class AccountView(BaseModel):
    """An account."""

    id: str
    name: str
    plan: str
    created_at: str

    @classmethod
    def of(cls, account: Account) -> "AccountView":
        """Return the view of ``account``."""
        at = rfc3339(account.created_at)
        return cls(id=account.id, name=account.name, plan=account.plan, created_at=at)


class UserView(BaseModel):
    """A user, as the account sees it."""

    id: str
    iam_id: str
    email: str
    created_at: str

    @classmethod
    def of(cls, user: Member) -> "UserView":
        """Return the view of ``user``."""
        at = rfc3339(user.joined_at)
        return cls(id=user.iam_id, iam_id=user.iam_id, email=user.email, created_at=at)


class ServiceIdView(BaseModel):
    """A service id."""

    id: str
    iam_id: str
    name: str
    description: str
    created_at: str

    @classmethod
    def of(cls, service_id: ServiceId) -> "ServiceIdView":
        """Return the view of ``service_id``."""
        return cls(
            id=service_id.iam_id,
            iam_id=service_id.iam_id,
            name=service_id.name,
            description=service_id.description,
            created_at=rfc3339(service_id.created_at),
        )


class ApiKeyView(BaseModel):
    """An API key, without its secret."""

    id: str
    iam_id: str
    account_id: str
    name: str
    description: str
    created_at: str
    last_used_at: str | None

    @classmethod
    def of(cls, key: ApiKey) -> "ApiKeyView":
        """Return the view of ``key``."""
        return cls(**_api_key(key))


class NewApiKeyView(ApiKeyView):
    """A new API key with its secret, which is shown this once."""

    apikey: str

    @classmethod
    def made(cls, key: ApiKey, secret: str) -> "NewApiKeyView":
        """Return the view of a new ``key``."""
        return cls(apikey=secret, **_api_key(key))


class PolicyView(BaseModel):
    """A role that a subject has, on one namespace of a region or (both null) the whole account."""

    id: str
    iam_id: str
    role: RoleName
    namespace: str | None
    region: str | None
    created_at: str

    @classmethod
    def of(cls, policy: Policy) -> "PolicyView":
        """Return the view of ``policy``."""
        return cls(
            id=policy.id,
            iam_id=policy.iam_id,
            role=policy.role.value,
            namespace=policy.namespace or None,
            region=policy.region or None,
            created_at=rfc3339(policy.created_at),
        )


class AccountName(BaseModel):
    """An account by its id and name."""

    id: str
    name: str


class BearerView(BaseModel):
    """Who the bearer of the token is, and the accounts that a token could be bound to."""

    iam_id: str
    type: Literal["user", "serviceid"]
    name: str = Field(description="e-mail of a user, name of a service id")
    account: str | None = Field(description="the account that the token is bound to")
    accounts: Sequence[AccountName]

    @classmethod
    def of(cls, bearer: Bearer) -> "BearerView":
        """Return the view of ``bearer``."""
        return cls(
            iam_id=bearer.iam_id,
            type="user" if bearer.is_user else "serviceid",
            name=bearer.name,
            account=bearer.account or None,
            accounts=[AccountName(id=one.id, name=one.name) for one in bearer.accounts],
        )


class _Page(BaseModel):
    limit: int = Field(description="entries that this page may hold")
    next: str | None = Field(description="the start parameter of the next page; null: no more")


class AccountPage(_Page):
    """A page of accounts."""

    accounts: Sequence[AccountView]


class UserPage(_Page):
    """A page of users."""

    users: Sequence[UserView]


class ServiceIdPage(_Page):
    """A page of service ids."""

    serviceids: Sequence[ServiceIdView]


class ApiKeyPage(_Page):
    """A page of API keys."""

    apikeys: Sequence[ApiKeyView]


class PolicyPage(_Page):
    """A page of policies."""

    policies: Sequence[PolicyView]


def rfc3339(seconds: int) -> str:
    """Return a time in Unix seconds as RFC 3339 in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _api_key(key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "iam_id": key.iam_id,
        "account_id": key.account,
        "name": key.name,
        "description": key.description,
        "created_at": rfc3339(key.created_at),
        "last_used_at": None if key.last_used_at is None else rfc3339(key.last_used_at),
    }
