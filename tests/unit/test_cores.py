"""Where threads run: each case in a process of its own, as cores that were left do not return."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

import pytest

from wharfinger.cores import anywhere, first, settle

_T = TypeVar("_T")
ALL = frozenset(os.sched_getaffinity(0))

Cores = frozenset[int]


def here() -> Cores:
    return frozenset(os.sched_getaffinity(0))


def in_thread() -> Cores:
    found: list[Cores] = []
    thread = threading.Thread(target=lambda: found.append(here()))
    thread.start()
    thread.join()
    return found[0]


def settled(number: int) -> tuple[Cores, Cores]:
    settle(number)
    return here(), in_thread()


def roamed(number: int) -> tuple[Cores, Cores]:
    settle(number)
    return anywhere(here)(), here()


def unsettled() -> tuple[Cores, Cores]:
    return anywhere(here)(), here()


def failed() -> Cores:
    def fail() -> None:
        raise RuntimeError

    settle(0)
    with pytest.raises(RuntimeError):
        anywhere(fail)()
    return here()


def apart(function: Callable[..., _T], *arguments: int) -> _T:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def test_whoever_settles_runs_on_one_core_and_so_do_its_threads() -> None:
    own, of_thread = apart(settled, 0)
    assert len(own) == 1
    assert own <= ALL
    assert of_thread == own


def test_as_many_workers_as_there_are_cores_take_all_of_them() -> None:
    begin = first()
    assert 0 <= begin < len(ALL)
    taken = [apart(settled, begin + number)[0] for number in range(len(ALL))]
    assert frozenset().union(*taken) == ALL


def test_long_work_runs_anywhere_and_comes_back() -> None:
    during, after = apart(roamed, 0)
    assert during == ALL
    assert len(after) == 1


def test_long_work_that_fails_comes_back_too() -> None:
    assert len(apart(failed)) == 1


def test_what_did_not_settle_runs_anywhere_as_before() -> None:
    assert apart(unsettled) == (ALL, ALL)
