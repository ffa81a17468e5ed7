"""Ids of sessions are known again for whom and as long as they were given, and by nobody else."""

from __future__ import annotations

import uuid

from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec.structs import replace

from wharfinger.registry.model.upload_ids import UploadIds, first_id, opened_at, tells_time
from wharfinger.registry.model.uploads import Pusher

SECONDS = 60.0
IDS = UploadIds(lambda: b"k" * 32, SECONDS)
PUSHER = Pusher("local", "team/app", "user-1")

times = st.floats(min_value=0, max_value=2.0**37)
texts = st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"]), max_size=40)
pushers = st.builds(Pusher, texts, texts, texts)


@given(pushers, texts, times)
def test_an_id_is_a_uuid_that_tells_its_time(pusher: Pusher, account: str, now: float) -> None:
    given_id = IDS.new(pusher, account, now)

    parsed = uuid.UUID(given_id)
    assert str(parsed) == given_id
    assert (parsed.version, parsed.variant) == (7, uuid.RFC_4122)
    assert tells_time(given_id)
    assert 0 <= now - opened_at(given_id) <= 0.001 + now * 1e-12
    assert IDS.fits(given_id, pusher, account)


@given(pushers, texts, pushers, texts)
def test_it_fits_nobody_else(one: Pusher, account: str, other: Pusher, another: str) -> None:
    assume((one, account) != (other, another))
    assert not IDS.fits(IDS.new(one, account, 1e9), other, another)


@given(st.integers(0, 127))
def test_a_changed_id_does_not_fit(bit: int) -> None:
    changed = uuid.UUID(int=uuid.UUID(IDS.new(PUSHER, "a", 1e9)).int ^ (1 << bit))
    assert not IDS.fits(str(changed), PUSHER, "a")


@given(st.uuids())
def test_made_up_ids_do_not_fit(made_up: uuid.UUID) -> None:
    assert not IDS.fits(str(made_up), PUSHER, "a")


def test_ids_of_another_key_do_not_fit() -> None:
    assert not IDS.fits(UploadIds(lambda: b"l" * 32, SECONDS).new(PUSHER, "a", 1e9), PUSHER, "a")


def test_it_may_begin_for_its_time() -> None:
    given_id = IDS.new(PUSHER, "a", 1e9)
    assert IDS.may_begin(given_id, 1e9 + SECONDS - 1)
    assert not IDS.may_begin(given_id, 1e9 + SECONDS)
    assert not IDS.may_begin(str(uuid.uuid4()), 1e9)


def test_ids_of_one_moment_differ() -> None:
    assert len({IDS.new(PUSHER, "a", 1e9) for _ in range(1000)}) == 1000


@given(times, times)
def test_ids_come_in_the_order_of_time(one: float, other: float) -> None:
    assume(one + 0.002 < other)
    earlier, later = (IDS.new(replace(PUSHER, subject=str(at)), "a", at) for at in (one, other))
    assert earlier < first_id(other) <= later
