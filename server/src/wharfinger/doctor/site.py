"""What the checks look at, with everything that comes from outside replaceable."""

import http.client
import os
import resource
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from wharfinger.settings import Settings
from wharfinger_common.catalogue import doctor
from wharfinger_common.findings import Finding, Severity
from wharfinger_common.languages import Text
from wharfinger_common.refusals import Entry

ANSWER_SECONDS = 5.0


class Room(NamedTuple):
    """Room of a filesystem: bytes and inodes, free for the service and in all."""

    free: int
    total: int
    free_inodes: int
    inodes: int


@dataclass(frozen=True, slots=True)
class Health:
    """What answered on a port: the service or not, and '' or what it waits for."""

    ours: bool
    waiting: str = ""

    @classmethod
    def of(cls, answer: bytes) -> "Health":
        """Return what the body of ``/health/ready`` says."""
        try:
            told = msgspec.json.decode(answer, type=_Answer)
        except msgspec.MsgspecError:
            return cls(ours=False)
        if told.status == "ready":
            return cls(ours=True)
        failed = [f"{name}: {part.message}" for name, part in told.parts.items() if part.message]
        return cls(ours=True, waiting=", ".join(failed) or told.status)


class _Part(msgspec.Struct):
    message: str = ""


class _Answer(msgspec.Struct):
    status: str
    parts: dict[str, _Part] = {}


def room_of(path: str) -> Room:
    """Return the room under ``path``."""
    found = os.statvfs(path)
    size = found.f_frsize
    return Room(found.f_bavail * size, found.f_blocks * size, found.f_favail, found.f_files)


def open_files() -> int:
    """Return how many files a process of this user may open."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def resolves(host: str) -> bool:
    """Whether the host has an address here."""
    try:
        return bool(socket.getaddrinfo(host, None))
    except OSError:
        return False


def health(host: str, port: int, *, tls: bool) -> Health | None:
    """Return what ``/health/ready`` says there, None if nobody listens."""
    where = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - not bound here
    # Whether certificates fit is another check's question.
    context = ssl._create_unverified_context()  # noqa: S323
    connection = (
        http.client.HTTPSConnection(where, port, timeout=ANSWER_SECONDS, context=context)
        if tls
        else http.client.HTTPConnection(where, port, timeout=ANSWER_SECONDS)
    )
    try:
        connection.connect()
    except ssl.SSLError:
        return Health(ours=False)
    except OSError:
        return None
    try:
        connection.request("GET", "/health/ready")
        return Health.of(connection.getresponse().read(64 * 1024))
    except (OSError, http.client.HTTPException):
        return Health(ours=False)
    finally:
        connection.close()


@dataclass(frozen=True, slots=True)
class Site:
    """One deployment as seen from its machine; ``clock`` and ``monotonic`` give seconds."""

    settings: Settings
    clock: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    room: Callable[[str], Room] = room_of
    open_files: Callable[[], int] = open_files
    resolves: Callable[[str], bool] = resolves
    began: tuple[float, float] = field(default=(0.0, 0.0))

    def __post_init__(self) -> None:
        object.__setattr__(self, "began", (self.clock(), self.monotonic()))


def fine(check: str, what: Text) -> Finding:
    """Return the finding that something is as it should be."""
    return Finding(check, Severity.OK, doctor.IN_ORDER, {"what": what})


def warning(check: str, entry: Entry, **facts: object) -> Finding:
    """Return a finding that will matter."""
    return Finding(check, Severity.WARNING, entry, facts)


def wrong(check: str, entry: Entry, **facts: object) -> Finding:
    """Return a finding that keeps something from working."""
    return Finding(check, Severity.ERROR, entry, facts)
