"""Several administrators at once, on every database: nobody waits for ever, nothing half done."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.contracts.identity_store.suite import SIGNING
from tests.support.databases import DATABASES
from tests.support.races import at_once
from wharfinger.audit.store import record
from wharfinger.identity.model import (
    Account,
    ApiKey,
    Credential,
    CredentialKind,
    Policy,
    Role,
    User,
)
from wharfinger.identity.ports import Failures
from wharfinger.identity.store import SqlStore

ROUNDS = 12
ACCOUNTS = [Account(name * 32, name, "standard", 1) for name in "ab"]


@pytest.fixture(params=DATABASES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlStore]:
    with DATABASES[request.param](tmp_path) as database:
        store = SqlStore(database, record, lambda: 1000.0)
        with store.writing() as changes:
            for account in ACCOUNTS:
                changes.add_account(account)
        yield store


def join(store: SqlStore, account: Account, number: int) -> str:
    """Add a user to the account as administration does; return who it is."""
    wanted = User(f"user-{account.name}-{number}", "u@example.com", None, False, 1)
    with store.writing() as changes:
        changes.lock_account(account.id)
        user = changes.add_user(wanted)
        if user.iam_id == wanted.iam_id:
            changes.add_credential(
                Credential(f"pw-{user.iam_id}", user.iam_id, CredentialKind.PASSWORD, 0)
            )
        changes.add_member(account.id, user.iam_id, 1)
        key = f"key-{account.name}-{number}"
        changes.add_api_key(ApiKey(key, account.id, user.iam_id, "k", "", 1), key.encode() * 2)
        policy = f"p-{account.name}-{number}"
        changes.add_policy(Policy(policy, account.id, user.iam_id, Role.MANAGER, "", 1))
    return user.iam_id


def leave(store: SqlStore, account: Account, iam_id: str) -> str:
    """Take a user out of the account as administration does; return who it was."""
    with store.writing() as changes:
        changes.lock_account(account.id)
        changes.remove_member(account.id, iam_id)
        if not changes.accounts_of(iam_id, 1):
            changes.remove_user(iam_id)
    return iam_id


def test_a_user_who_leaves_one_account_while_joining_another_is_whole(store: SqlStore) -> None:
    first, second = ACCOUNTS
    for number in range(ROUNDS):
        was = join(store, first, number)

        _, now = at_once(
            partial(leave, store, first, was),
            partial(join, store, second, number),
        )

        with store.reading() as records:
            found = records.user_by_email("u@example.com")
            assert found is not None
            assert found.iam_id == now
            assert list(records.accounts_of(now, 9)) == [second.id]
            assert records.epoch(f"key-a-{number}") is None
            assert records.epoch(f"key-b-{number}") is not None
        leave(store, second, now)


def test_a_user_who_leaves_all_accounts_at_once_is_gone(store: SqlStore) -> None:
    for number in range(ROUNDS):
        (iam_id,) = {join(store, account, number) for account in ACCOUNTS}

        at_once(*(partial(leave, store, one, iam_id) for one in ACCOUNTS))

        with store.reading() as records:
            assert records.user(iam_id) is None
            assert records.epoch(f"pw-{iam_id}") is None


def test_revocations_of_one_subject_in_many_ways_all_succeed(store: SqlStore) -> None:
    first, second = ACCOUNTS
    for number in range(ROUNDS):
        (iam_id,) = {join(store, account, number) for account in ACCOUNTS}

        def touch(number: int = number) -> None:
            with store.writing(durable=False) as changes:
                keys = [f"key-{account.name}-{number}" for account in ACCOUNTS]
                changes.touch_api_keys([(key, 5) for key in keys])

        def delete_key(number: int = number) -> None:
            with store.writing() as changes:
                changes.lock_account(second.id)
                changes.remove_api_key(second.id, f"key-b-{number}")

        def end_role(iam_id: str = iam_id) -> None:
            with store.writing() as changes:
                changes.lock_account(second.id)
                changes.raise_epochs(iam_id)

        def go(iam_id: str = iam_id) -> None:
            leave(store, first, iam_id)

        at_once(touch, delete_key, end_role, go, touch)

        with store.reading() as records:
            assert records.epoch(f"key-a-{number}") is None
            assert records.epoch(f"key-b-{number}") is None
            assert records.epoch(f"pw-{iam_id}") == 2
        leave(store, second, iam_id)


def test_failures_of_many_are_counted_while_old_ones_are_forgotten(store: SqlStore) -> None:
    def fail(subject: str, at: int) -> None:
        with store.writing(durable=False) as changes:
            changes.add_failure({f"s:{subject}", "a:shared"}, at, 60)

    for number in range(30):
        fail(f"old{number}", 100)

    at_once(*(partial(fail, f"new{n % 3}", 1000) for n in range(9)))

    with store.reading() as records:
        assert records.failures({"a:shared"}) == {"a:shared": Failures(1000, 9)}
        assert records.failures({"s:new0"}) == {"s:new0": Failures(1000, 3)}
        assert records.failures({f"s:old{n}" for n in range(30)}) == {}


def test_rotations_of_keys_at_once_add_one_and_remove_what_is_over(store: SqlStore) -> None:
    with store.writing() as changes:
        for generation in range(1, 4):
            changes.add_signing_key(replace(SIGNING, kid=f"k{generation}", generation=generation))

    def rotate(number: int) -> bool:
        with store.writing() as changes:
            added = changes.add_signing_key(replace(SIGNING, kid=f"n{number}", generation=4))
            changes.remove_signing_keys(["k1", "k2"] if number % 2 else ["k2", "k1"])
            changes.raise_longest_life(7200 + number)
            return added

    added = at_once(*(partial(rotate, n) for n in range(6)))

    assert sorted(added) == [False] * 5 + [True]
    with store.reading() as records:
        assert [key.generation for key in records.signing_keys()] == [3, 4]
