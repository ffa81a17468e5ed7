"""Putting identity together: its services over one store, for the composition root and tests."""

import uuid
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from wharfinger.database.effects import Recorder
from wharfinger.database.unit import Database
from wharfinger.identity.model import TokenType
from wharfinger.identity.oidc import AuthlibProvider
from wharfinger.identity.passwords import Passwords
from wharfinger.identity.ports import Clock, NamespaceOwners, Store
from wharfinger.identity.secrets import Seal
from wharfinger.identity.service.access import Access
from wharfinger.identity.service.administration import Administration
from wharfinger.identity.service.api_keys import ApiKeys
from wharfinger.identity.service.authentication import Authenticator
from wharfinger.identity.service.desk import Desk
from wharfinger.identity.service.keyring import KeyRing
from wharfinger.identity.service.last_use import LastUse
from wharfinger.identity.service.own_password import OwnPasswords
from wharfinger.identity.service.passcodes import Passcodes
from wharfinger.identity.service.people import People
from wharfinger.identity.service.policies import Policies
from wharfinger.identity.service.registry_sign_in import RegistrySignIn
from wharfinger.identity.service.registry_tokens import RegistryTokens
from wharfinger.identity.service.sign_in import SignIn
from wharfinger.identity.service.single_sign_on import SingleSignOn
from wharfinger.identity.service.throttle import Throttle
from wharfinger.identity.service.tokens import TokenService
from wharfinger.identity.service.whoami import WhoAmI
from wharfinger.identity.store import SqlStore
from wharfinger.identity.token_form import LookUp
from wharfinger.settings import Settings

ISSUER = "wharfinger"


class ClientSecretUnusable(RuntimeError):
    """The file of ``oidc_client_secret_file`` holds no secret."""


class IdentityServices(Struct, frozen=True):
    """Everything that identity offers; one for each process.

    ``tokens.warm()`` in a thread spares the first request an import; ``last_use.flush()`` at
    shutdown keeps the last uses of API keys.
    """

    store: Store
    tokens: TokenService
    access: Access
    sign_in: SignIn
    registry_sign_in: RegistrySignIn
    administration: Administration
    people: People
    own_passwords: OwnPasswords
    api_keys: ApiKeys
    policies: Policies
    registry_tokens: RegistryTokens
    last_use: LastUse
    whoami: WhoAmI
    passcodes: Passcodes
    single_sign_on: SingleSignOn | None


def build(
    settings: Settings,
    database: Database,
    *,
    owners: NamespaceOwners,
    record: Recorder,
    master_key: bytes,
    clock: Clock,
    passwords: Passwords | None = None,
    issued: Callable[[TokenType], None] = lambda _: None,
) -> IdentityServices:
    """Return the services over ``database``; nothing is read or written yet.

    ``record`` leaves an audit row in a connection's transaction, ``master_key`` has 32 bytes.
    ``issued`` is told of each token.
    Without ``passwords`` the settings' are used.
    """
    store = SqlStore(database, record, clock)
    tokens = _tokens(settings, store, master_key, clock, issued)
    passwords = passwords or Passwords(settings.password_checks, settings.password_min_length)
    access = Access(store, owners)
    throttle = Throttle(store, clock, settings.signin_failures, settings.signin_window_seconds)
    last_use = LastUse(store, clock)
    look_up = LookUp(master_key)
    authenticator = Authenticator(store, tokens, passwords, throttle, last_use, look_up)
    passcodes = Passcodes(store, authenticator, throttle, settings.passcode_seconds)
    desk = Desk(store, tokens, passwords, clock, _new_id, settings.identities_per_account)
    return IdentityServices(
        store=store,
        tokens=tokens,
        access=access,
        sign_in=SignIn(
            store,
            authenticator,
            passcodes,
            tokens,
            token_seconds=settings.iam_token_seconds,
            refresh_seconds=settings.refresh_token_seconds,
        ),
        registry_sign_in=RegistrySignIn(
            authenticator,
            tokens,
            access,
            token_seconds=settings.registry_token_seconds,
            refresh_seconds=settings.refresh_token_seconds,
            max_scopes=settings.token_scopes,
        ),
        administration=Administration(desk, settings.offered_plans),
        people=People(desk),
        own_passwords=OwnPasswords(desk, authenticator),
        api_keys=ApiKeys(desk),
        policies=Policies(desk, owners),
        registry_tokens=RegistryTokens(desk, Seal(master_key), look_up),
        last_use=last_use,
        whoami=WhoAmI(store),
        passcodes=passcodes,
        single_sign_on=_single_sign_on(settings, passcodes, Seal(master_key), clock),
    )


def _client_secret(file: str) -> str:
    try:
        secret = Path(file).read_text(encoding="utf-8").strip()
        reason = "" if secret else "it is empty"
    except (OSError, UnicodeDecodeError) as error:
        reason = str(error)
    if reason:
        raise ClientSecretUnusable(
            f"oidc_client_secret_file: '{file}' cannot be used: {reason}; name a file that the "
            "service's user may read, with the client's secret in it"
        )
    return secret


def _single_sign_on(
    settings: Settings, passcodes: Passcodes, seal: Seal, clock: Clock
) -> SingleSignOn | None:
    if not settings.oidc_issuer:
        return None
    secret = _client_secret(settings.oidc_client_secret_file)
    provider = AuthlibProvider(settings.oidc_issuer, settings.oidc_client_id, secret, clock)
    return SingleSignOn(provider, passcodes, seal, clock, max(1, settings.threads // 4))


def _tokens(
    settings: Settings,
    store: Store,
    master_key: bytes,
    clock: Clock,
    issued: Callable[[TokenType], None],
) -> TokenService:
    longest = max(
        settings.iam_token_seconds,
        settings.refresh_token_seconds,
        settings.registry_token_seconds,
    )
    ring = KeyRing(store, Seal(master_key), clock, settings.signing_key_days, longest)
    return TokenService(
        ring,
        store,
        clock,
        issuer=ISSUER,
        regions=[region.name for region in settings.served],
        revocation_seconds=settings.revocation_seconds,
        cache_entries=settings.token_cache_entries,
        issued=issued,
    )


def _new_id() -> str:
    return uuid.uuid4().hex
