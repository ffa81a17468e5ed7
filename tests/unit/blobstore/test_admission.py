"""Who may ask the object store, and who is refused while it gives no answer."""

from __future__ import annotations

import threading
from contextlib import ExitStack, suppress

import pytest

from wharfinger.blobstore.errors import StoreUnavailable
from wharfinger.blobstore.object_store.admission import Admission


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_all_places_held_without_an_answer_are_refused_at_once() -> None:
    clock = Clock()
    admission = Admission(2, 60.0, clock)
    with ExitStack() as held:
        held.enter_context(admission.request())
        held.enter_context(admission.request())
        clock.now += 60
        with pytest.raises(StoreUnavailable) as refused, admission.request():
            pass
    assert refused.value.headers["Retry-After"]


@pytest.mark.parametrize("error", [None, KeyError])
def test_an_answer_of_any_kind_gives_the_next_one_time(error: type[Exception] | None) -> None:
    clock = Clock()
    admission = Admission(2, 60.0, clock)
    held = ExitStack()
    held.enter_context(admission.request())
    clock.now += 60
    with suppress(KeyError), admission.request():
        if error:
            raise error
    full = ExitStack()
    full.enter_context(admission.request())
    entered = threading.Event()

    def wait() -> None:
        with admission.request():
            entered.set()

    waiting = threading.Thread(target=wait)
    waiting.start()
    full.close()
    waiting.join(30)
    assert entered.is_set()
    held.close()


def test_a_request_that_failed_is_no_sign_of_life_but_frees_its_place() -> None:
    clock = Clock()
    admission = Admission(1, 60.0, clock)
    with suppress(StoreUnavailable), admission.request():
        clock.now += 100
        raise StoreUnavailable(part="blob store")
    with admission.request():
        clock.now += 60
        with pytest.raises(StoreUnavailable), admission.request():
            pass


def test_who_comes_after_quiet_hours_is_let_in() -> None:
    clock = Clock()
    admission = Admission(1, 60.0, clock)
    with admission.request():
        pass
    clock.now += 9000
    with admission.request():
        pass
