"""Remembering refused requests, in batches, off the path of the requests."""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

from msgspec.structs import replace

from wharfinger.explain.model import Refused, named_namespace
from wharfinger.explain.ports import Owners, RefusalStore

GATHER_SECONDS: Final = 0.5
"""How long refusals wait for others before they are written together."""
PENDING: Final = 500
"""Refusals that wait at most; what comes above is not remembered."""
OF_ONE: Final = 100
"""Refusals of one account that wait at most: who is refused all the time writes no more."""
OF_UNKNOWN: Final = 20
"""The same of all callers together whose credentials nobody knows."""


class Recorder:
    """Collects refusals of one process; a thread writes them half a second after the first.

    Any thread may call. A process that is killed loses what waited. Whether writing succeeds
    changes no answer: what cannot be written is told to ``failed`` and dropped.
    """

    def __init__(
        self,
        store: RefusalStore,
        owners: Owners,
        per_account: int,
        failed: Callable[[Exception, int], None],
        gather: float = GATHER_SECONDS,
    ) -> None:
        self._store: Final = store
        self._owners: Final = owners
        self._per_account: Final = per_account
        self._failed: Final = failed
        self._gather: Final = gather
        self._lock: Final = threading.Lock()
        self._writing: Final = threading.Lock()
        self._waiting: list[Refused] = []
        self._counts: Counter[str] = Counter()
        self._due: Final = threading.Event()
        self._closing: Final = threading.Event()
        self._thread: threading.Thread | None = None

    def note(self, refused: Refused) -> None:
        """Remember a refused request; costs microseconds, never blocks on the database."""
        with self._lock:
            most = OF_ONE if refused.account or refused.subject else OF_UNKNOWN
            held = self._counts[refused.account]
            full = len(self._waiting) >= PENDING or held >= min(self._per_account, most)
            if full or self._closing.is_set():
                return
            self._waiting.append(refused)
            self._counts[refused.account] += 1
            if self._thread is None:
                # Made late: the process that serves is forked after this object may be built.
                self._thread = threading.Thread(target=self._run, name="refusals", daemon=True)
                self._thread.start()
        self._due.set()

    def flush(self) -> None:
        """Write what waits, now; blocking."""
        # One writer at a time: whoever asks for a flush finds everything written after it.
        with self._writing:
            with self._lock:
                waiting, self._waiting = self._waiting, []
                self._counts.clear()
            if waiting:
                self._write(waiting)

    def close(self) -> None:
        """Write what waits and end the thread; nothing is remembered after."""
        with self._lock:
            self._closing.set()
        self._due.set()
        if self._thread is not None:
            self._thread.join()
        self.flush()

    def _run(self) -> None:
        while not self._closing.is_set():
            self._due.wait()
            self._closing.wait(self._gather)
            self._due.clear()
            self.flush()

    def _write(self, waiting: Sequence[Refused]) -> None:
        try:
            self._store.add(self._owned(waiting), self._per_account)
        except Exception as error:
            self._failed(error, len(waiting))

    def _owned(self, waiting: Sequence[Refused]) -> list[Refused]:
        """Return them with the owner of the namespace that each names, if it names one."""
        known: dict[tuple[str, str], str] = {}
        return [replace(each, owner=self._owner(each, known)) for each in waiting]

    def _owner(self, refused: Refused, known: dict[tuple[str, str], str]) -> str:
        namespace = named_namespace(refused.names)
        if not namespace:
            return refused.owner
        key = (refused.region, namespace)
        if key not in known:
            known[key] = self._owners.owner(*key) or ""
        return known[key] or refused.owner
