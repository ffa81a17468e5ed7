"""Running a unit of work again that the database itself has ended.

A database that is stopped, or finds two units in a deadlock, ends units that did nothing wrong.
Of such a unit nothing stands, so it may simply be run again, and whoever asked for it notices no
more than a pause. Only where the connection was lost between the commit and its answer nobody
knows: `again` is for what may be done twice, `rerun` for what can find out.
"""

import functools
from collections.abc import Callable
from typing import Final, ParamSpec, Protocol, TypeVar

from wharfinger.database.errors import DatabaseInterrupted

ATTEMPTS: Final = 3
"""Each begins by waiting for the database, as long as the settings say."""

_P = ParamSpec("_P")
_T = TypeVar("_T")
_T_co = TypeVar("_T_co", covariant=True)


class Unit(Protocol[_T_co]):
    """Something that runs one unit of work."""

    def __call__(self, *, uncertain: bool) -> _T_co:
        """Run it; ``uncertain``: an earlier run may have been committed without an answer."""


def rerun(unit: Unit[_T]) -> _T:
    """Return what ``unit`` returns, run again while the database ends it.

    Raises:
        DatabaseInterrupted: it ended every one of `ATTEMPTS` runs.
    """
    uncertain = False
    for _ in range(ATTEMPTS - 1):
        try:
            return unit(uncertain=uncertain)
        except DatabaseInterrupted as interrupted:
            uncertain = uncertain or interrupted.committing
    return unit(uncertain=uncertain)


def again(method: Callable[_P, _T]) -> Callable[_P, _T]:
    """Let a method run again while the database ends its unit; doing it twice is doing it once."""

    @functools.wraps(method)
    def repeated(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        return rerun(lambda *, uncertain: method(*args, **kwargs))  # noqa: ARG005 - it does not care

    return repeated
