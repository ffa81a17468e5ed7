"""Calls that start together, as clients' do, or that meet at a certain step of one of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from threading import Barrier
from typing import Any, TypeVar

import pytest
from sqlalchemy import Connection, Engine, event

from wharfinger.database.prepared import Cursor, Prepared
from wharfinger.database.unit import Database

T = TypeVar("T")
BLOCKED_SECONDS = 0.15
"""How long one thread waits for the other, which may wait for it; any value gives a valid order."""


def at_once(*calls: Callable[[], T]) -> list[T]:
    """Run the calls in threads that start together; return what they return, in order."""
    barrier = Barrier(len(calls))

    def run(call: Callable[[], T]) -> T:
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(run, call) for call in calls]]


class Steps:
    """Counts the steps of the thread that made it, and at one of them lets another one act."""

    def __init__(self, at: int, act: Callable[[], None]) -> None:
        self._stepping = threading.get_ident()
        self._at = at
        self._act = act
        self._actor: threading.Thread | None = None
        self._failure: list[BaseException] = []
        self._count = 0
        self._one = threading.Lock()

    def own(self, *_: Any) -> None:
        if threading.get_ident() == self._stepping:
            self.step()

    def step(self) -> None:
        with self._one:
            if self._count == self._at:
                self._actor = threading.Thread(target=self._run)
                self._actor.start()
                self._actor.join(BLOCKED_SECONDS)
            self._count += 1

    def end(self) -> bool:
        """Wait for the other thread, and return whether its step was reached."""
        if self._actor is None:
            return False
        self._actor.join()
        if self._failure:
            raise self._failure[0]
        return True

    def _run(self) -> None:
        try:
            self._act()
        except BaseException as error:
            self._failure.append(error)


@contextmanager
def stepping_through(database: Database, steps: Steps) -> Iterator[None]:
    """Make steps of what the thread that made ``steps`` does with the database in the block.

    Those are the beginnings of its writing units, each of their statements, and their commits.
    """
    writing, run = database.writing, Prepared.run

    @contextmanager
    def unit(**options: bool) -> Iterator[Connection]:
        steps.own()
        with writing(**options) as connection:
            yield connection
            steps.own()

    def stepping_unit(**options: bool) -> AbstractContextManager[Connection]:
        return unit(**options)

    def stepping_run(prepared: Prepared, connection: Connection, **values: Any) -> Cursor:
        steps.own()
        return run(prepared, connection, **values)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Prepared, "run", stepping_run)
        patch.setattr(database, "writing", stepping_unit)
        event.listen(Engine, "before_cursor_execute", steps.own)
        try:
            yield
        finally:
            event.remove(Engine, "before_cursor_execute", steps.own)
