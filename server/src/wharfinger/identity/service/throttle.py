"""Counting failed sign-ins in a table all workers share.

Each counts three times: for the subject at this address, for the address, and for the subject
wherever it was tried. The first bound is the tight one. The others are so far apart that nobody
can keep somebody else out from one address: the stranger's address is refused long before the
subject is.
"""

import hashlib
import ipaddress
from typing import Final

from wharfinger.identity.model import TooManyFailures
from wharfinger.identity.ports import Clock, Records, Store

ADDRESS_FACTOR: Final = 10
"""An address may fail this many times as often as a subject at it: many people share one."""

SUBJECT_FACTOR: Final = 50
"""A subject may fail this many times as often everywhere together as at one address."""

_IPV6_NETWORK: Final = 64


class Throttle:
    """Refuses sign-ins after ``limit`` failures of a subject at an address in ``window`` seconds.

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
        """Let an attempt through; return whether there are failures to forget on success.

        Raises:
            TooManyFailures: subject or address failed too often; ``Retry-After`` says how long.
        """
        now = self._clock()
        pair = pair_key(subject, address)
        keys = {
            pair: self._limit,
            address_key(address): self._limit * ADDRESS_FACTOR,
            subject_key(subject): self._limit * SUBJECT_FACTOR,
        }
        found = records.failures(keys.keys())
        for key, failures in found.items():
            left = failures.window_start + self._window - now
            if failures.count >= keys[key] and left > 0:
                seconds = int(left) + 1
                raise TooManyFailures(headers={"Retry-After": str(seconds)}, seconds=seconds)
        return pair in found

    def settle(self, subject: str, address: str, *, succeeded: bool, failed_before: bool) -> None:
        """Count how an attempt ended; ``failed_before`` is what `admit` returned."""
        if not succeeded:
            self.failed(subject, address)
        elif failed_before:
            self.succeeded(subject, address)

    def failed(self, subject: str, address: str) -> None:
        """Count a failed attempt."""
        keys = {pair_key(subject, address), address_key(address), subject_key(subject)}
        # Not durable: a power failure that forgets some failures helps no guesser.
        with self._store.writing(durable=False) as changes:
            changes.add_failure(keys, int(self._clock()), self._window)

    def succeeded(self, subject: str, address: str) -> None:
        """Forget the subject's failures at this address; the others may be a guesser's."""
        with self._store.writing(durable=False) as changes:
            changes.clear_failures({pair_key(subject, address)})


def pair_key(subject: str, address: str) -> str:
    """Return the key of a subject at an address."""
    return "p:" + hashlib.sha256(f"{address_key(address)} {subject}".encode()).hexdigest()


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
