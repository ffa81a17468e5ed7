"""Running hashes of uploads between two requests."""

import hashlib
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Final, NamedTuple

from wharfinger.registry.model.uploads import DEFAULT_ALGORITHM

if TYPE_CHECKING:
    from hashlib import _Hash


class Running(NamedTuple):
    """The hash of an upload's first bytes."""

    algorithm: str
    state: "_Hash"

    def copy(self) -> "Running":
        """Return one that goes on by itself."""
        return Running(self.algorithm, self.state.copy())


def start(algorithm: str = DEFAULT_ALGORITHM) -> Running:
    """Return the hash of nothing."""
    return Running(algorithm, hashlib.new(algorithm))


class RunningHashes:
    """What this worker has hashed of uploads that wait for their next request.

    An optimisation only: hashlib's states cannot be saved, so an upload that comes back after
    this worker forgot it (or that another worker began) is read again when it is finished. At
    most ``limit`` uploads are remembered, the latest ones. Any thread may call.
    """

    def __init__(self, limit: int) -> None:
        self._limit: Final = limit
        self._kept: Final[OrderedDict[str, tuple[int, Running]]] = OrderedDict()
        self._lock: Final = threading.Lock()

    def keep(self, upload: str, size: int, running: Running) -> None:
        """Remember the hash of the first ``size`` bytes of the upload."""
        with self._lock:
            self._kept[upload] = size, running
            self._kept.move_to_end(upload)
            while len(self._kept) > self._limit:
                self._kept.popitem(last=False)

    def of(self, upload: str, size: int) -> Running | None:
        """Return a hash of the first ``size`` bytes to go on with, None if it is not known."""
        with self._lock:
            kept, running = self._kept.get(upload, (-1, None))
            known = running.copy() if running is not None and kept == size else None
        return start() if known is None and size == 0 else known

    def forget(self, upload: str) -> None:
        """Forget an upload that has ended."""
        with self._lock:
            self._kept.pop(upload, None)
