"""The scrub: every stored blob is read again and again, slowly, and compared with its digest.

It is what finds bytes that rot on the disk or change in the object store, where no reader would
notice (docs/adr/0020). Damage is fenced, what is whole again is served again.
"""

import time
from collections.abc import Callable
from typing import Final, Protocol

from msgspec.structs import replace

from wharfinger.registry.model.checking import BlobRow, Checked
from wharfinger.registry.model.collection import PassState
from wharfinger.registry.ports import Clock
from wharfinger.registry.ports.checking import BlobChecks
from wharfinger.registry.service.blob_check import BlobCheck
from wharfinger.registry.service.throttle import Throttle

TASK: Final = "scrub"
PAGE: Final = 100
LEAST_BYTES: Final = 64 * 1024
"""What a small blob counts as: looking it up costs as much as reading so many bytes."""

_SAVE_SECONDS: Final = 30.0


class PassRecords(Protocol):
    """How far passes have come, by their name."""

    def load(self, task: str) -> PassState:
        """Return how far the pass has come."""

    def save(self, task: str, state: PassState) -> None:
        """Write down how far the pass has come."""


class ScrubObserver(Protocol):
    """Is told what the scrub does; must not raise."""

    def scrubbed(self, row: BlobRow) -> None:
        """A blob was read, or found not to be readable."""

    def found(self, checked: Checked) -> None:
        """Something was found, and perhaps done about it."""

    def ended(self, state: PassState) -> None:
        """A pass is done."""


class Scrub:
    """Runs one pass after the other. Blocking; `run` is for one worker at a time.

    ``check`` makes the check of single blobs that reads through a throttle of ``rate`` bytes a
    second; ``pause`` waits that many seconds, or shorter when the process ends.
    """

    def __init__(
        self,
        blobs: BlobChecks,
        records: PassRecords,
        check: Callable[[Throttle], BlobCheck],
        *,
        rate: float,
        clock: Clock,
        pause: Callable[[float], object],
        observer: ScrubObserver,
    ) -> None:
        self._blobs: Final = blobs
        self._records: Final = records
        self._check: Final = check
        self._rate: Final = rate
        self._clock: Final = clock
        self._pause: Final = pause
        self._observer: Final = observer

    def run(self, keep: Callable[[], None]) -> None:
        """Bring the pass that is under way to its end, or run one.

        ``keep`` is called at least once a second, and may raise to end it; what was not written
        down by then, some seconds' worth, is read again.
        """

        def pause(seconds: float) -> None:
            left = seconds
            while left > 0:
                self._pause(min(left, 1.0))
                keep()
                left -= 1.0

        throttle = Throttle(self._rate, pause=pause)
        check = self._check(throttle)
        state = self._records.load(TASK)
        if not state.cursor:
            state = PassState(begun_at=self._clock())
        saved = time.monotonic()
        while page := self._blobs.blobs(state.cursor, PAGE):
            for row in page:
                keep()
                state = self._one(check, throttle, row, state)
                if time.monotonic() - saved >= _SAVE_SECONDS:
                    self._records.save(TASK, state)
                    saved = time.monotonic()
        state = replace(state, cursor="", ended_at=self._clock())
        self._records.save(TASK, state)
        self._observer.ended(state)

    def _one(
        self, check: BlobCheck, throttle: Throttle, row: BlobRow, state: PassState
    ) -> PassState:
        found = list(check.one(row, deep=True, repair=True))
        throttle.passed(max(0, LEAST_BYTES - row.size))
        for each in found:
            self._observer.found(each)
        self._observer.scrubbed(row)
        return replace(
            state,
            cursor=row.location,
            examined=state.examined + 1,
            removed=state.removed + len(found),
            size=state.size + row.size,
        )
