"""The bounded pool of threads that services run in, away from the event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final, Generic, NamedTuple, ParamSpec, TypeVar

from wharfinger_common.catalogue import web as entries
from wharfinger_common.refusals import Refusal

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Ended(NamedTuple, Generic[_T]):
    """How a call ended: with a value, or with an error if there is one."""

    value: _T | None
    error: BaseException | None = None


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
        begun: asyncio.Future[_T] = asyncio.get_running_loop().create_future()
        if not self.begin(lambda: function(*args, **kwargs), lambda ended: _tell(begun, ended)):
            raise Busy(headers={"Retry-After": "1"})
        return await begun

    def begin(self, function: Callable[[], _T], told: Callable[[Ended[_T]], None]) -> bool:
        """Run ``function`` in a thread and tell the loop how it ended; from the loop only.

        False where it was not begun: too many calls wait already, or the worker is at its end.
        """
        if self._under_way >= self._limit:
            return False
        loop = asyncio.get_running_loop()

        def work() -> None:
            ended = _ended(function)
            with suppress(RuntimeError):  # the loop has ended, and whoever waited
                loop.call_soon_threadsafe(self._tell, told, ended)

        try:
            self._pool.submit(work)
        except RuntimeError:  # the pool is closed
            return False
        self._under_way += 1
        return True

    def _tell(self, told: Callable[[Ended[_T]], None], ended: Ended[_T]) -> None:
        self._under_way -= 1
        told(ended)

    def under_way(self) -> int:
        """Return how many calls are in the pool or wait for it."""
        return self._under_way

    def close(self) -> None:
        """Wait for the calls under way and end the threads."""
        self._pool.shutdown(wait=True)


def _ended(function: Callable[[], _T]) -> Ended[_T]:
    try:
        return Ended(function())
    except BaseException as error:
        return Ended(None, error)


def _tell(begun: asyncio.Future[_T], ended: Ended[_T]) -> None:
    if begun.cancelled():
        return
    if ended.error is not None:
        begun.set_exception(ended.error)
    else:
        begun.set_result(ended.value)  # type: ignore[arg-type]  # without an error it is a value
