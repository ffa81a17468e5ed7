"""Recording when API keys were last used, in batches: signing in must not wait for a write."""

import threading
from typing import Final

from wharfinger.identity.ports import Clock, Store

FLUSH_SECONDS: Final = 30.0
FLUSH_ENTRIES: Final = 1000


class LastUse:
    """Collects uses of API keys; any thread may call. What a killed process held is lost."""

    def __init__(self, store: Store, clock: Clock, every: float = FLUSH_SECONDS) -> None:
        self._store = store
        self._clock = clock
        self._every = every
        self._lock = threading.Lock()
        self._used: dict[str, int] = {}
        self._flushed_at = clock()

    def note(self, key: str) -> None:
        """Remember that ``key`` was used now; writes once in ``every`` seconds, or when full."""
        now = self._clock()
        with self._lock:
            self._used[key] = int(now)
            due = now - self._flushed_at >= self._every or len(self._used) >= FLUSH_ENTRIES
            if due:
                self._flushed_at = now
        if due:
            self.flush()

    def flush(self) -> None:
        """Write what was collected; call it at shutdown too."""
        with self._lock:
            used, self._used = self._used, {}
        if used:
            with self._store.writing(durable=False) as changes:
                changes.touch_api_keys(used.items())
