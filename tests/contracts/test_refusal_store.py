"""What every store of refused requests must do."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.support.databases import DATABASES
from tests.unit.explain.test_explain_model import refused
from wharfinger.explain.model import Refused
from wharfinger.explain.store import SqlRefusalStore


@pytest.fixture(params=DATABASES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlRefusalStore]:
    with DATABASES[request.param](tmp_path) as database:
        yield SqlRefusalStore(database)


def numbered(count: int, account: str = "acc", start: int = 0) -> list[Refused]:
    return [
        refused(request_id=f"{account}-{number}", account=account, at=number)
        for number in range(start, start + count)
    ]


def test_what_was_kept_is_found_as_it_was(store: SqlRefusalStore) -> None:
    rule = {"kind": "quota", "values": {"used": 5, "名": "值"}, "needed": {"$text": "x"}}
    kept = refused(
        subject="iam-1", account="acc", credential="key-1", owner="own", rule=rule, names={}
    )
    store.add([kept, refused(request_id="r2")], 10)

    assert store.find("r1") == kept
    assert store.find("r2") == refused(request_id="r2")
    assert store.find("r3") is None


def test_the_newest_of_each_account_are_kept(store: SqlRefusalStore) -> None:
    store.add(numbered(7), 10)
    store.add(numbered(7, start=7), 10)
    store.add(numbered(3, account="other"), 10)

    found = [number for number in range(14) if store.find(f"acc-{number}")]
    assert found == list(range(4, 14))
    assert all(store.find(f"other-{number}") for number in range(3))


def test_more_at_once_than_is_kept(store: SqlRefusalStore) -> None:
    store.add(numbered(30), 10)

    assert [number for number in range(30) if store.find(f"acc-{number}")] == list(range(20, 30))


def test_the_same_request_twice_is_kept_once(store: SqlRefusalStore) -> None:
    store.add([refused()], 10)
    store.add([replace(refused(), path="/other"), refused(request_id="r2")], 10)

    assert store.find("r1") == refused()
    assert store.find("r2") is not None


def test_texts_longer_than_their_columns_are_cut(store: SqlRefusalStore) -> None:
    long = "x" * 500
    store.add([refused(account=long, subject=long, region=long, method=long)], 10)

    found = store.find("r1")
    assert found is not None
    assert found.account == long[:64]
    assert found.method == long[:16]


def test_what_is_old_goes_in_steps(store: SqlRefusalStore) -> None:
    store.add(numbered(10), 100)

    assert store.expire(before=6, limit=4) == 4
    assert store.expire(before=6, limit=4) == 2
    assert store.expire(before=6, limit=4) == 0
    assert [number for number in range(10) if store.find(f"acc-{number}")] == [6, 7, 8, 9]
