"""Issuing and verifying tokens: compact JWS over JSON claims (RFC 7519), signed with ES256."""

import hashlib
import threading
import uuid
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

import msgspec

from wharfinger.database.again import again
from wharfinger.identity.model import Claims, Credential, TokenExpired, TokenInvalid, TokenType
from wharfinger.identity.ports import Clock, Store
from wharfinger.identity.service.keyring import KeyRing
from wharfinger_common.languages import Text

LEEWAY_SECONDS: Final = 1
"""How long past ``exp`` a token is still taken: clocks of several machines differ a little."""

IAM_AUDIENCE: Final = "iam"
REGISTRY_AUDIENCE: Final = "registry"
NOTARY_AUDIENCE: Final = "notary"
SERVICES: Final = (REGISTRY_AUDIENCE, NOTARY_AUDIENCE)
IAM_SCOPE: Final = "ibm openid"
_ALGORITHMS: Final = ("ES256",)
_K = TypeVar("_K")
_V = TypeVar("_V")


class _Account(msgspec.Struct, frozen=True):
    bss: str = ""


class _Access(msgspec.Struct, frozen=True):
    type: str
    name: str
    actions: list[str]


class _Payload(msgspec.Struct, frozen=True):
    iss: str
    sub: str
    aud: str
    exp: int
    iat: int
    typ: TokenType
    region: str
    cid: str
    epo: int
    end: int = 0
    account: _Account = _Account()
    access: list[_Access] = []


class TokenService:
    """Issues and verifies the service's tokens. Any thread may call; see each method for its cost.

    ``regions`` are those served; ``revocation_seconds`` bounds how long ``is_current`` may answer
    from memory;
    ``cache_entries`` bounds how many verified tokens, and credentials, are remembered;
    ``issued`` is told the type of each token issued, by any thread.
    """

    def __init__(
        self,
        ring: KeyRing,
        store: Store,
        clock: Clock,
        *,
        issuer: str,
        regions: Sequence[str],
        revocation_seconds: float,
        cache_entries: int,
        issued: Callable[[TokenType], None] = lambda _: None,
    ) -> None:
        self._issued = issued
        self._ring = ring
        self._store = store
        self._clock = clock
        self._issuer = issuer
        self._regions = tuple(regions)
        self._revocation = revocation_seconds
        self._capacity = cache_entries
        self._verified: OrderedDict[bytes, Claims] = OrderedDict()
        self._epochs: OrderedDict[str, tuple[int | None, float]] = OrderedDict()
        self._lock = threading.Lock()

    def warm(self) -> None:
        """Import the cryptography and read the keys, so that no request need to; blocking."""
        import joserfc.jws  # noqa: F401 - the import is the point: it takes 0.1 s

        self._ring.signer()

    def issue(
        self,
        typ: TokenType,
        credential: Credential,
        *,
        audience: str,
        lifetime: int,
        account: str,
        access: Sequence[Mapping[str, object]] = (),
        region: str = "",
    ) -> tuple[str, int, int]:
        """Return (token, issued, expires): a JWT for ``credential``; ``lifetime`` in seconds.

        It does not outlive a credential that ends before.
        A registry token is for one ``region``; IAM tokens are good in all, and name the first.
        Costs one ES256 signature, about 30 us; blocks for statements once a minute.
        """
        from joserfc.jws import serialize_compact

        kid, key = self._ring.signer()
        issued = int(self._clock())
        expires = min(issued + lifetime, credential.ends or issued + lifetime)
        claims: dict[str, Any] = {
            "iss": self._issuer,
            "sub": credential.iam_id,
            "aud": audience,
            "exp": expires,
            "iat": issued,
            "jti": uuid.uuid4().hex,
            "typ": typ.value,
            "iam_id": credential.iam_id,
            "id": credential.iam_id,
            "account": {"bss": account},
            "region": region or self._regions[0],
            "cid": credential.id,
            "epo": credential.epoch,
        }
        if credential.ends:
            claims["end"] = credential.ends
        if typ is TokenType.REGISTRY:
            claims["access"] = list(access)
        else:
            claims["scope"] = IAM_SCOPE
        header = {"alg": "ES256", "typ": "JWT", "kid": kid}
        token = serialize_compact(header, msgspec.json.encode(claims), key)
        self._issued(typ)
        return token, issued, expires

    def verify(self, token: str, typ: TokenType, audience: str) -> Claims:
        """Return what ``token`` says, if it is ours, unexpired, and for this surface.

        Whether the region it names is the one that is called is for the caller to compare.
        Does not ask whether its credential still stands: see ``is_current``. A token seen before
        costs one SHA-256 of it and a look-up (2 us); a new one an ES256 verification (80 us);
        blocks where its key is unknown: the ring is read then, once a second at most.

        Raises:
            TokenExpired: it is ours, and ended more than ``LEEWAY_SECONDS`` ago.
            TokenInvalid: anything else is wrong with it.
        """
        return self._verify(token, typ, audience, self._key_of)

    def verify_at_once(self, token: str, typ: TokenType, audience: str) -> Claims:
        """Do as `verify`, on the event loop.

        Raises:
            TokenExpired, TokenInvalid: as `verify`.
            KeyUnread: `verify` would have to read the key ring.
        """
        return self._verify(token, typ, audience, self._known_key_of)

    def _verify(
        self, token: str, typ: TokenType, audience: str, key_of: Callable[[Any], Any]
    ) -> Claims:
        key = hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
        claims = self._verified.get(key)
        if claims is None:
            claims = self._checked(token, key_of)
            self._remember(self._verified, key, claims)
        elif self._clock() > claims.expires + LEEWAY_SECONDS:
            self._verified.pop(key, None)
            raise TokenExpired.of(claims)
        else:
            self._touch(key)
        if claims.typ is not typ or claims.audience != audience:
            raise TokenInvalid(reason=Text("it was issued for another interface"))
        return claims

    def is_current(self, claims: Claims) -> bool:
        """Whether the credential behind a verified token still stands; blocking.

        A registry token carries access, so it ends when its credential's epoch is raised (a role
        was taken away). IAM and refresh tokens carry none: they end with their credential's row.
        Answers from memory for ``revocation_seconds``; this process's own revocations show at once.
        """
        return _stands(claims, self._epoch(claims.credential))

    def remembers_current(self, claims: Claims) -> bool:
        """Whether ``is_current`` would say yes from memory; never blocks.

        Asked first on the event loop, it spares nearly every request the way to a thread and back.
        """
        known = self._remembered(claims.credential)
        return known is not None and _stands(claims, known[0])

    def doubt(self, credential: str) -> None:
        """Look the credential up before it is honoured again: somebody saw that it changed."""
        with self._lock:
            self._epochs.pop(credential, None)

    def forget_credentials(self) -> None:
        """Look every credential up again: call it after a revocation was committed."""
        with self._lock:
            self._epochs.clear()

    def jwks(self) -> dict[str, Any]:
        """Return the public keys as a JWK set (RFC 7517); blocking."""
        return self._ring.jwks()

    @again
    def _epoch(self, credential: str) -> int | None:
        known = self._remembered(credential)
        if known is not None:
            return known[0]
        now = self._clock()
        with self._store.reading() as records:
            epoch = records.epoch(credential)
        self._remember(self._epochs, credential, (epoch, now))
        return epoch

    def _remembered(self, credential: str) -> tuple[int | None, float] | None:
        """Return the epoch and when it was read, if that is not too long ago."""
        known = self._epochs.get(credential)
        fresh = known is not None and self._clock() - known[1] < self._revocation
        return known if fresh else None

    def _checked(self, token: str, key_of: Callable[[Any], Any]) -> Claims:
        from joserfc.errors import JoseError
        from joserfc.jws import deserialize_compact

        try:
            signed = deserialize_compact(token, key_of, algorithms=_ALGORITHMS)
            payload = msgspec.json.decode(signed.payload, type=_Payload)
        except TokenInvalid:
            raise
        # Whatever a hostile token makes a parser stumble over, the answer is the same.
        except (
            JoseError,
            ValueError,
            TypeError,
            KeyError,
            msgspec.MsgspecError,
            RecursionError,
        ) as error:
            raise TokenInvalid(reason=Text("it was not issued by this service")) from error
        if payload.iss != self._issuer or payload.region not in self._regions:
            raise TokenInvalid(reason=Text("it was issued for another region or service"))
        claims = _claims(payload)
        if self._clock() > claims.expires + LEEWAY_SECONDS:
            raise TokenExpired.of(claims)
        return claims

    def _known_key_of(self, signature: Any) -> Any:
        return self._key_of(signature, wait=False)

    def _key_of(self, signature: Any, *, wait: bool = True) -> Any:
        kid = signature.headers().get("kid")
        key = self._ring.verifier(kid, wait=wait) if isinstance(kid, str) else None
        if key is None:
            raise TokenInvalid(reason=Text("it was not signed by a key of this service"))
        return key

    def _touch(self, key: bytes) -> None:
        try:
            self._verified.move_to_end(key)
        except KeyError:
            # Another thread dropped it meanwhile; what was read stays true.
            return

    def _remember(self, cache: "OrderedDict[_K, _V]", key: _K, value: _V) -> None:
        with self._lock:
            cache[key] = value
            while len(cache) > self._capacity:
                cache.popitem(last=False)


def _stands(claims: Claims, epoch: int | None) -> bool:
    return epoch is not None and (claims.typ is not TokenType.REGISTRY or epoch == claims.epoch)


def _claims(payload: _Payload) -> Claims:
    repositories = [entry for entry in payload.access if entry.type == "repository"]
    return Claims(
        typ=payload.typ,
        audience=payload.aud,
        region=payload.region,
        account=payload.account.bss,
        subject=payload.sub,
        credential=payload.cid,
        epoch=payload.epo,
        issued=payload.iat,
        expires=payload.exp,
        access={entry.name: frozenset(entry.actions) for entry in repositories},
        catalog=any(
            entry.type == "registry" and entry.name == "catalog" for entry in payload.access
        ),
        ends=payload.end,
    )
