"""What the server's protocol and the application agree on for requests that need no task.

A request that the application's layers are asked for costs a task, a dozen calls and as many
objects. What is plain and frequent the protocol therefore asks for itself (docs/adr/0003, 0029).
"""

from collections.abc import Callable
from typing import Any, Final, Protocol

from msgspec import Struct
from starlette.types import Scope

from wharfinger.web.threads import Ended

AtOnce = tuple[int, bytes, bytes]
"""Status, header lines and body."""

Shortcut = Callable[[dict[str, Any]], AtOnce | None]
"""Returns a scope's answer, None where the application must give it; neither waits nor raises."""

FAILED: Final = "wharfinger.failed"
"""Key of a scope: the exception that a `Job` ended with, which the application is to answer."""


class Job(Protocol):
    """A request whose body is awaited whole, and that a thread then does."""

    def begun(self) -> None:
        """Take note that a thread is about to do it; in the loop, as the next two."""

    def answered(self, body: int, answer: AtOnce) -> None:
        """Take note that it was answered, its own body having had ``body`` bytes."""

    def failed(self) -> None:
        """Take note that the application answers it."""

    def work(self, body: bytes) -> AtOnce:
        """Do it; blocking, in a thread. What it raises the application answers."""


Intake = Callable[[dict[str, Any]], Job | None]
"""Returns the job that a scope's request is, None for the application; neither waits nor raises."""


Begin = Callable[[Callable[[], AtOnce], Callable[[Ended[AtOnce]], None]], bool]
"""Runs the first in a thread and tells the second how it ended; False where none is to be had."""


def _nothing(_scope: dict[str, Any]) -> None:
    """Leave everything to the application."""


def _nobody(_work: Callable[[], AtOnce], _told: Callable[[Ended[AtOnce]], None]) -> bool:
    """Begin nothing."""
    return False


class Short(Struct, frozen=True):
    """What an application has answered without a task; by default nothing.

    ``begin`` does jobs, the bodies of which have at most ``body_bytes`` bytes.
    """

    answer: Shortcut = _nothing
    intake: Intake = _nothing
    begin: Begin = _nobody
    body_bytes: int = 0


def raise_failed(scope: Scope) -> None:
    """Raise what the request has failed with already, if it has.

    The ordinary route calls this where it would begin itself, so that whatever stands before it
    (who asks, what is told and noted of a refusal) is as ever.
    """
    failed = scope.get(FAILED)
    if isinstance(failed, BaseException):
        raise failed
