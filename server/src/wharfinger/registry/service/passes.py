"""Passes: steps of collection one after the other, slowly, from where the last one stood."""

import time
from collections.abc import Callable, Iterator
from typing import Final

from msgspec.structs import replace

from wharfinger.registry.model.collection import PassState, Step, Task
from wharfinger.registry.ports import Clock
from wharfinger.registry.ports.collection import CollectionObserver, CollectionRecords
from wharfinger.registry.service.collection import Collector

SLICE_SECONDS: Final = 5.0
"""How long other background work waits for a pass at most."""
_KEEP_SECONDS: Final = 1.0
_LONGEST_PAUSE: Final = 5.0


class Pace:
    """Rests after each step, so that steps take only a share of the time.

    ``share`` is in percent; ``pause`` waits that many seconds, or shorter when the process ends.
    When others load the database or the disk, steps take longer and so do the rests.
    """

    def __init__(
        self,
        share: float,
        pause: Callable[[float], object],
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rest: Final = (100 - share) / share
        self._pause: Final = pause
        self._elapsed: Final = elapsed

    def now(self) -> float:
        """Return seconds on a clock that only grows."""
        return self._elapsed()

    def rest(self, since: float) -> None:
        """Pause for what was done since ``since``."""
        seconds = min((self._elapsed() - since) * self._rest, _LONGEST_PAUSE)
        if seconds > 0:
            self._pause(seconds)


class Passes:
    """Runs passes of collection. Blocking; `run` is for one worker at a time."""

    def __init__(
        self,
        collector: Collector,
        records: CollectionRecords,
        pace: Pace,
        *,
        clock: Clock,
        observer: CollectionObserver,
    ) -> None:
        self._collector: Final = collector
        self._records: Final = records
        self._pace: Final = pace
        self._clock: Final = clock
        self._observer: Final = observer

    def run(self, task: Task, keep: Callable[[], None]) -> bool:
        """Go on with the pass for some seconds; return whether it came to its end.

        ``keep`` is called about once a second and may raise to end it. What was not written down
        by then is done again: steps may be repeated.
        """
        state = self._records.load(task)
        if not state.cursor:
            state = PassState(begun_at=self._clock())
        begun = kept = self._pace.now()
        while self._pace.now() - begun < SLICE_SECONDS:
            state, ended = self._step(task, state)
            if ended:
                self._records.save(task, state)
                self._observer.finished(task, state)
                return True
            if self._pace.now() - kept >= _KEEP_SECONDS:
                keep()
                kept = self._pace.now()
        self._records.save(task, state)
        return False

    def whole(self, task: Task) -> PassState:
        """Run one pass from its beginning to its end, beside any that `run` has under way."""
        state, ended = PassState(begun_at=self._clock()), False
        while not ended:
            state, ended = self._step(task, state)
        return state

    def all(self) -> Iterator[tuple[Task, PassState]]:
        """Run one whole pass of each task, and yield it with its figures."""
        for task in Task:
            yield task, self.whole(task)

    def _step(self, task: Task, state: PassState) -> tuple[PassState, bool]:
        since = self._pace.now()
        step = self._collector.step(task, state.cursor)
        state = _added(state, step)
        if step.cursor is None:
            return replace(state, cursor="", ended_at=self._clock()), True
        self._pace.rest(since)
        return state, False


def _added(state: PassState, step: Step) -> PassState:
    return replace(
        state,
        cursor=step.cursor or "",
        examined=state.examined + step.examined,
        removed=state.removed + step.removed,
        size=state.size + step.size,
    )
