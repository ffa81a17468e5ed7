"""Counting failed sign-ins, for each subject and each address, in a table all workers share."""

import hashlib
import ipaddress
from typing import Final

from wharfinger.identity.model import TooManyFailures
from wharfinger.identity.ports import Clock, Records, Store

ADDRESS_FACTOR: Final = 10
"""An address may fail this many times as often as a subject: many people share one."""

_IPV6_NETWORK: Final = 64


class Throttle:
    """Refuses sign-ins after ``limit`` failures of a subject within ``window`` seconds.

    A success writes nothing, unless there is a failure to forget.
    """

    def __init__(self, store: Store, clock: Clock, limit: int, window: int) -> None:
        self._store = store
        self._clock = clock
        self._limit = limit
        self._window = window

    @property
    def now(self) -> int:
        """The time in whole Unix seconds."""
        return int(self._clock())

    def admit(self, records: Records, subject: str, address: str) -> bool:
        """Let an attempt through; return whether the subject has failures to forget on success.

        Raises:
            TooManyFailures: subject or address failed too often; ``Retry-After`` says how long.
        """
        now = self._clock()
        keys = {
            subject_key(subject): self._limit,
            address_key(address): self._limit * ADDRESS_FACTOR,
        }
        found = records.failures(keys.keys())
        for key, failures in found.items():
            left = failures.window_start + self._window - now
            if failures.count >= keys[key] and left > 0:
                seconds = int(left) + 1
                raise TooManyFailures(headers={"Retry-After": str(seconds)}, seconds=seconds)
        return subject_key(subject) in found

    def failed(self, subject: str, address: str) -> None:
        """Count a failed attempt."""
        keys = {subject_key(subject), address_key(address)}
        # Not durable: a power failure that forgets some failures helps no guesser.
        with self._store.writing(durable=False) as changes:
            changes.add_failure(keys, int(self._clock()), self._window)

    def succeeded(self, subject: str) -> None:
        """Forget the subject's failures. Those of the address stay: it may hold a guesser too."""
        with self._store.writing(durable=False) as changes:
            changes.clear_failures({subject_key(subject)})


def subject_key(subject: str) -> str:
    """Return the key of a subject: a hash, because a mistyped user name may be a password."""
    return "s:" + hashlib.sha256(subject.encode()).hexdigest()


def address_key(address: str) -> str:
    """Return the key of an address; an IPv6 one counts with its /64, which one machine can own."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "a:" + hashlib.sha256(address.encode()).hexdigest()
    if parsed.version == 4:
        return f"a:{parsed}"
    return (
        f"a:{ipaddress.ip_network((int(parsed), _IPV6_NETWORK), strict=False).network_address}/64"
    )
