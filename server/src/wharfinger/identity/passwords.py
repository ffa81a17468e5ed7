"""Password hashing (argon2id, RFC 9106), bounded in how many run at once."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Final

from wharfinger.cores import anywhere
from wharfinger.identity.model import SignInBusy, ValueInvalid
from wharfinger_common.languages import Text

if TYPE_CHECKING:
    from argon2 import PasswordHasher

MAX_CHARACTERS: Final = 256
_WAITING: Final = 4


class Passwords:
    """Hashes and checks passwords; any thread may call.

    One check costs about 70 ms and 64 MiB. At most ``at_once`` run together and four times as
    many wait; more are refused at once, so that guessing cannot occupy every thread. ``make``
    returns another hasher than the library's default one (RFC 9106, low-memory profile).
    """

    def __init__(
        self, at_once: int, min_length: int, make: "Callable[[], PasswordHasher] | None" = None
    ) -> None:
        self._make = make
        self._min_length = min_length
        self._running = threading.Semaphore(at_once)
        self._admitted = threading.Semaphore(at_once * (1 + _WAITING))

    def hash(self, password: str) -> str:
        """Return the argon2id hash of a new password, in PHC form.

        Raises:
            ValueInvalid: the password is too short or longer than 256 characters.
            SignInBusy: too many are being computed.
        """
        if not self._min_length <= len(password) <= MAX_CHARACTERS:
            raise ValueInvalid(
                property="password",
                reason=Text(
                    "it must have {least} to {most} characters",
                    least=self._min_length,
                    most=MAX_CHARACTERS,
                ),
            )
        with self._bounded():
            return anywhere(self._tools[0].hash)(password)

    def matches(self, password: str, password_hash: str | None) -> bool:
        """Whether ``password`` has this hash; without a hash (no such user) it takes the same time.

        Raises:
            SignInBusy: too many are being computed.
        """
        from argon2.exceptions import InvalidHashError, VerificationError

        with self._bounded():
            hasher, decoy = self._tools
            try:
                fits = anywhere(hasher.verify)(password_hash or decoy, password[:MAX_CHARACTERS])
            except (VerificationError, InvalidHashError):
                return False
        return fits and password_hash is not None and len(password) <= MAX_CHARACTERS

    @contextmanager
    def _bounded(self) -> Iterator[None]:
        if not self._admitted.acquire(blocking=False):
            raise SignInBusy(headers={"Retry-After": "1"})
        try:
            with self._running:
                yield
        finally:
            self._admitted.release()

    @cached_property
    def _tools(self) -> "tuple[PasswordHasher, str]":
        # Imported at the first password: 20 ms that a start should not pay. The decoy is made at
        # the same moment, so that no later check of an unknown user takes longer than others.
        from argon2 import PasswordHasher

        hasher = (self._make or PasswordHasher)()
        return hasher, anywhere(hasher.hash)("decoy")
