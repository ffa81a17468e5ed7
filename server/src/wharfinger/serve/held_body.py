"""A request whose short body is collected by the protocol, and done by a thread without a task.

Until the work begins the request can become an ordinary one at any moment, with all that came of
its body so far: where it is longer or slower than it may be, or where the connection ends.
"""

import asyncio
from typing import Final, Protocol

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from wharfinger.web.at_once import FAILED, AtOnce, Job, Short
from wharfinger.web.threads import Ended

HOLD_SECONDS: Final = 2.0
"""How long a body may take to come; slower ones are watched over by the application."""


class Answering(Protocol):
    """What the connection does with the request in the end: one of both, once."""

    def make_task(self, cycle: RequestResponseCycle) -> None:
        """Let the application answer."""

    def answer_held(self, cycle: RequestResponseCycle, answer: AtOnce) -> None:
        """Write the answer."""


class HeldBody:
    """The request of ``cycle``, which is ``job`` if its body is short enough."""

    def __init__(
        self,
        connection: Answering,
        cycle: RequestResponseCycle,
        job: Job,
        short: Short,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._connection: Final = connection
        self._cycle: Final = cycle
        self._job: Final = job
        self._short: Final = short
        self._timer: Final = loop.call_later(HOLD_SECONDS, self.release)
        self.holds = True

    def take(self, piece: bytes) -> None:
        """Take a piece of the body."""
        self._cycle.body += piece
        if len(self._cycle.body) > self._short.body_bytes:
            self.release()

    def release(self) -> None:
        """Make an ordinary request of it, if its work has not begun."""
        if self.holds:
            self._end()
            self._make_task()

    def complete(self) -> None:
        """Begin its work: the body is there."""
        self._end()
        self._cycle.more_body = False
        body = bytes(self._cycle.body)
        self._job.begun()
        if not self._short.begin(lambda: self._job.work(body), self._done):
            self._job.failed()
            self._make_task()

    def _make_task(self) -> None:
        # Who asks for the body learns that there is some, or that it has ended.
        self._cycle.message_event.set()
        self._connection.make_task(self._cycle)

    def _end(self) -> None:
        self.holds = False
        self._timer.cancel()

    def _done(self, ended: Ended[AtOnce]) -> None:
        if ended.value is None:
            self._job.failed()
            self._cycle.scope[FAILED] = ended.error  # type: ignore[typeddict-unknown-key]  # ours
            self._make_task()
            return
        self._job.answered(len(self._cycle.body), ended.value)
        self._connection.answer_held(self._cycle, ended.value)
