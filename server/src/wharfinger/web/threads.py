"""The bounded pool of threads that services run in, away from the event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, ParamSpec, TypeVar

from wharfinger_common.catalogue import web as entries
from wharfinger_common.refusals import Refusal

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Busy(Refusal):
    """More requests wait for a thread than the service lets wait."""

    entry = entries.BUSY


class Threads:
    """Runs blocking calls for coroutines; made after the fork, in the worker that uses it.

    At most ``waiting_per_thread`` calls a thread wait; more are refused, so that a flood costs
    bounded memory and the refusals stay quick.
    """

    def __init__(self, size: int, waiting_per_thread: int = 64) -> None:
        self._pool: Final = ThreadPoolExecutor(size, thread_name_prefix="service")
        self._limit: Final = size * waiting_per_thread
        self._under_way = 0

    async def run(self, function: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Return what ``function`` returns, run in a thread of the pool.

        A caller that is cancelled does not stop the function: what it began it ends.

        Raises:
            Busy: too many calls wait already, or the worker is at its end.
        """
        if self._under_way >= self._limit:
            raise Busy(headers={"Retry-After": "1"})
        begun = self._begin(lambda: function(*args, **kwargs))
        self._under_way += 1
        try:
            return await begun
        finally:
            self._under_way -= 1

    def _begin(self, call: Callable[[], _T]) -> asyncio.Future[_T]:
        try:
            return asyncio.get_running_loop().run_in_executor(self._pool, call)
        except RuntimeError as error:  # the pool is closed
            raise Busy(headers={"Retry-After": "1"}) from error

    def under_way(self) -> int:
        """Return how many calls are in the pool or wait for it."""
        return self._under_way

    def close(self) -> None:
        """Wait for the calls under way and end the threads."""
        self._pool.shutdown(wait=True)
