"""A furnished identity for tests: real services over a real SQLite file, a clock that is set."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher

from wharfinger.audit.service import AuditService
from wharfinger.audit.store import SqlAuditTrail, record
from wharfinger.database.schema import metadata
from wharfinger.database.sqlite import SqliteDatabase
from wharfinger.identity.model import Caller, Claims, TokenType
from wharfinger.identity.passwords import Passwords
from wharfinger.identity.service.registry_sign_in import TokenRequest
from wharfinger.identity.services import IdentityServices, build
from wharfinger.settings import Settings

MASTER_KEY = bytes(range(32))
PASSWORD = "correct horse battery"
REGION = "local"
ADDRESS = "192.0.2.7"


@dataclass
class FakeClock:
    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class FakeOwners:
    namespaces: dict[tuple[str, str], str] = field(default_factory=dict)

    def owner(self, region: str, namespace: str) -> str | None:
        return self.namespaces.get((region, namespace))

    def require(self, region: str, name: str, /) -> object:
        return self.namespaces[region, name]


@dataclass
class Tenant:
    """An account with its first Manager and that one's API key."""

    account: str
    manager: Caller
    api_key: str


class House:
    def __init__(self, folder: Path, **settings: Any) -> None:
        self.path = folder / "test.db"
        self.clock = FakeClock()
        self.owners = FakeOwners()
        self.settings = Settings(region=REGION, revocation_seconds=5.0, **settings)
        self.database = SqliteDatabase(self.path)
        with self.database.writing() as connection:
            metadata.create_all(connection)
        self.services = self.worker()
        self.audit = AuditService(SqlAuditTrail(self.database), self.services.access)

    def worker(self, **settings: Any) -> IdentityServices:
        """Another process's services over the same database."""
        changed = Settings(**{**_dict(self.settings), **settings})
        return build(
            changed,
            self.database,
            owners=self.owners,
            record=record,
            master_key=MASTER_KEY,
            clock=self.clock,
            passwords=Passwords(changed.password_checks, changed.password_min_length, cheap),
        )

    def tenant(self, name: str, namespace: str | None = None) -> Tenant:
        administration = self.services.administration
        account = administration.operator_create_account(name).id
        email = f"{name}@example.com"
        member = administration.operator_add_user(account, email, PASSWORD, "Manager")
        _, secret = administration.operator_create_api_key(account, email, "first")
        if namespace:
            self.owners.namespaces[REGION, namespace] = account
        return Tenant(account, Caller(member.iam_id, account, "", region=REGION), secret)

    def iam(self, grant: str, **form: str) -> Claims:
        token = self.services.sign_in.exchange(
            {"grant_type": grant, **form}, ADDRESS, with_refresh=True
        )
        return self.services.tokens.verify(token.access_token, TokenType.IAM, "iam")

    def registry(self, user: str | None, password: str, *scopes: str, **more: Any) -> Claims:
        request = TokenRequest(
            service="registry",
            region=REGION,
            scopes=scopes,
            username=user,
            password=password,
            address=ADDRESS,
            **more,
        )
        token = self.services.registry_sign_in.issue(request)
        return self.services.tokens.verify(token.token, TokenType.REGISTRY, "registry")

    def close(self) -> None:
        self.database.close()


def cheap() -> PasswordHasher:
    """Hashing in microseconds: most tests are not about its cost."""
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def _dict(settings: Settings) -> dict[str, Any]:
    return {name: getattr(settings, name) for name in settings.__struct_fields__}
