"""Keeps the threads of a worker together on one core of the processor (docs/adr/0028).

The threads of a process take turns at the interpreter, and let go of it for each statement and
each operation on a file. Where another thread waits for it on another core, that one has it before
the first comes back, a few microseconds later, who then waits in its turn: fifty times for one
blob, each of them a wake-up by the kernel. On one core whoever let go of it is back before anybody
else runs.
"""

import os
import secrets
import sys
from collections.abc import Callable, Set
from contextlib import suppress
from typing import Final, ParamSpec, TypeVar

_P = ParamSpec("_P")
_T = TypeVar("_T")

_ALLOWED: Final = frozenset(os.sched_getaffinity(0)) if sys.platform == "linux" else frozenset()
"""Where this process, or the one that it was forked from, was let run when it began."""


def first() -> int:
    """Return a core to begin with, so that not all services of a machine begin with the same."""
    return secrets.randbelow(max(1, len(_ALLOWED)))


def settle(number: int) -> None:
    """Let this thread, and those that it starts from now on, run on one core only.

    Consecutive numbers are different cores, as long as there are any.
    """
    if _ALLOWED:
        _run_on({sorted(_ALLOWED)[number % len(_ALLOWED)]})


def anywhere(function: Callable[_P, _T]) -> Callable[_P, _T]:
    """Return ``function``, which runs on any core then.

    It is for what takes milliseconds of a core and little of the interpreter: hashing, copying.
    """

    def roaming(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        home = os.sched_getaffinity(0) if _ALLOWED else _ALLOWED
        if home == _ALLOWED:
            return function(*args, **kwargs)
        _run_on(_ALLOWED)
        try:
            return function(*args, **kwargs)
        finally:
            _run_on(home)

    return roaming


def _run_on(allowed: Set[int]) -> None:
    # The system may have taken cores away from us since: then it says itself where we run.
    with suppress(OSError):
        os.sched_setaffinity(0, allowed)
