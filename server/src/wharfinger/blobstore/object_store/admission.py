"""How many threads may wait for the object store at once, so that its silence stays its own."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from wharfinger.blobstore.errors import RETRY_SECONDS, StoreUnavailable


class Admission:
    """Leaves some of a process's threads to what needs no blobs while the store is silent.

    A request to a store that has stopped answering holds its thread for all its attempts. ``most``
    requests are under way at once. One more waits for a place, but no longer than until nobody has
    got an answer for ``seconds``; then it is refused, at once if that is so already. Any thread
    may call any method.
    """

    def __init__(
        self, most: int, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most: Final = most
        self._seconds: Final = seconds
        self._clock: Final = clock
        self._left: Final = threading.Condition()
        self._under_way = 0
        self._answered = 0.0

    @contextmanager
    def request(self) -> Iterator[None]:
        """Hold a place for one request; any outcome but StoreUnavailable is an answer.

        Raises:
            StoreUnavailable: all places are held by requests that get no answer.
        """
        self._enter()
        answered = True
        try:
            yield
        except StoreUnavailable:
            answered = False
            raise
        finally:
            self._leave(answered=answered)

    def _enter(self) -> None:
        with self._left:
            if not self._under_way:
                self._answered = self._clock()
            patience = self._answered + self._seconds - self._clock()
            if not self._left.wait_for(self._has_place, max(0.0, patience)):
                raise StoreUnavailable.after(RETRY_SECONDS)
            self._under_way += 1

    def _leave(self, *, answered: bool) -> None:
        with self._left:
            self._under_way -= 1
            if answered:
                self._answered = self._clock()
            self._left.notify()

    def _has_place(self) -> bool:
        return self._under_way < self._most
