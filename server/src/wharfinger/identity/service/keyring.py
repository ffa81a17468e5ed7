"""The ring of signing keys: who signs now, who still verifies, and how the next one takes over."""

import secrets
import threading
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct

from wharfinger.database.again import again
from wharfinger.identity.model import KeyUnread
from wharfinger.identity.ports import Clock, SigningKey, Store
from wharfinger.identity.secrets import Seal

if TYPE_CHECKING:
    from joserfc.jwk import ECKey

OVERLAP_SECONDS: Final = 600
"""How long a new key is published before it signs; processes reload far more often than that."""

RELOAD_SECONDS: Final = 60.0
MISS_RELOAD_SECONDS: Final = 1.0
PURPOSE: Final = "token signing key"
_DAY: Final = 86_400


class _Entry(Struct, frozen=True):
    stored: SigningKey
    key: "ECKey"


class _Ring(Struct, frozen=True):
    """What was read at one moment; replaced as a whole, so readers need no lock."""

    entries: dict[str, _Entry]
    loaded_at: float

    def signing(self, now: float) -> _Entry | None:
        ready = [entry for entry in self.entries.values() if entry.stored.signs_from <= now]
        return max(ready, key=lambda entry: entry.stored.generation, default=None)


class KeyRing:
    """ES256 keys shared by all processes through the store (RFC 7517, RFC 7518 section 3.4).

    A key lives ``rotation_days`` as the newest. Its successor is published ``OVERLAP_SECONDS``
    before it signs; the old one verifies until the longest-lived token that it may have signed
    has ended, and is then removed: rotation signs nobody out. Any thread may call.
    """

    def __init__(
        self, store: Store, seal: Seal, clock: Clock, rotation_days: int, longest_life: int
    ) -> None:
        self._store = store
        self._seal = seal
        self._clock = clock
        self._rotation = rotation_days * _DAY
        self._longest_life = longest_life
        self._rotating = threading.Lock()
        self._loading = threading.Lock()
        self._ring = _Ring({}, float("-inf"))

    def signer(self) -> "tuple[str, ECKey]":
        """Return (kid, key) to sign with now; once a minute, read the ring and rotate if due."""
        now = self._clock()
        if now - self._ring.loaded_at >= RELOAD_SECONDS:
            self._refresh(RELOAD_SECONDS)
        entry = self._ring.signing(now)
        if entry is None:
            self.rotate()
            entry = self._ring.signing(self._clock())
        if entry is None:
            raise RuntimeError("no signing key is in force although one was just made")
        return entry.stored.kid, entry.key

    def verifier(self, kid: str, *, wait: bool = True) -> "ECKey | None":
        """Return the key named ``kid``. An unknown one is looked up, once a second at most.

        Costs a dictionary look-up; that look-up in the store is one statement over a few rows.

        Raises:
            KeyUnread: it would have to be looked up, and the caller does not ``wait``.
        """
        entry = self._ring.entries.get(kid)
        if entry is None and self._clock() - self._ring.loaded_at >= MISS_RELOAD_SECONDS:
            if not wait:
                raise KeyUnread
            self._load()
            entry = self._ring.entries.get(kid)
        return entry.key if entry else None

    def jwks(self) -> dict[str, Any]:
        """Return the public keys as a JWK set (RFC 7517 section 5), newest first."""
        if not self._ring.entries:
            self.rotate()
        elif self._clock() - self._ring.loaded_at >= MISS_RELOAD_SECONDS:
            self._load()
        entries = sorted(self._ring.entries.values(), key=lambda entry: -entry.stored.generation)
        return {"keys": [msgspec.json.decode(entry.stored.public_jwk) for entry in entries]}

    @again
    def rotate(self) -> None:
        """Make the next key if it is due, remove those that nothing needs, read the ring."""
        with self._store.reading() as records:
            stored = list(records.signing_keys())
        now = int(self._clock())
        due = not stored or stored[-1].signs_from + self._rotation <= now + OVERLAP_SECONDS
        new = self._make(stored, now) if due else None
        finished = _finished(stored, now)
        if new or finished or any(key.longest_life < self._longest_life for key in stored):
            with self._store.writing() as changes:
                if new:
                    changes.add_signing_key(new)
                changes.remove_signing_keys(finished)
                changes.raise_longest_life(self._longest_life)
        self._load()

    def _make(self, stored: list[SigningKey], now: int) -> SigningKey:
        from joserfc.jwk import ECKey

        kid = secrets.token_hex(16)
        key = ECKey.generate_key("P-256", {"kid": kid, "use": "sig", "alg": "ES256"})
        return SigningKey(
            kid=kid,
            private_key=self._seal.close(msgspec.json.encode(key.as_dict(private=True)), PURPOSE),
            public_jwk=msgspec.json.encode(key.as_dict(private=False)).decode(),
            created_at=now,
            # The very first key signs at once: there is no token that another one could verify.
            signs_from=now + OVERLAP_SECONDS if stored else now,
            generation=stored[-1].generation + 1 if stored else 1,
            longest_life=self._longest_life,
        )

    def _refresh(self, age: float) -> None:
        """Rotate and read the ring unless another thread of this process just did."""
        if not self._rotating.acquire(blocking=not self._ring.entries):
            return
        try:
            if self._clock() - self._ring.loaded_at >= age:
                self.rotate()
        finally:
            self._rotating.release()

    @again
    def _load(self) -> None:
        from joserfc.jwk import ECKey

        # One reader at a time: otherwise an older reading could replace a newer one.
        with self._loading:
            with self._store.reading() as records:
                stored = records.signing_keys()
            known = self._ring.entries
            entries = {}
            for key in stored:
                if key.kid in known:
                    entries[key.kid] = known[key.kid]
                else:
                    jwk = msgspec.json.decode(self._seal.open(key.private_key, PURPOSE))
                    entries[key.kid] = _Entry(key, ECKey.import_key(jwk))
            self._ring = _Ring(entries, self._clock())


def _finished(stored: list[SigningKey], now: int) -> list[str]:
    """Return the kids of keys whose last token has ended since their successor took over."""
    pairs = pairwise(stored)
    return [
        old.kid for old, new in pairs if new.signs_from + old.longest_life + OVERLAP_SECONDS < now
    ]
