"""What every store of identity must do; an adapter joins by a subclass with a fixture ``store``."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from msgspec.structs import replace

from wharfinger.identity.model import (
    ANONYMOUS,
    Account,
    ApiKey,
    Credential,
    CredentialKind,
    Policy,
    Role,
    ServiceId,
    User,
)
from wharfinger.identity.ports import Changes, Failures, Page, SigningKey, Store

ACCOUNT = Account("a" * 32, "acme", "standard", 100)
OTHER = Account("b" * 32, "other", "free", 200)
USER = User("user-1", "u@example.com", "hash", False, 100)
ROBOT = ServiceId("iam-ServiceId-1", ACCOUNT.id, "robot", "", 100)
KEY = ApiKey("ApiKey-1", ACCOUNT.id, USER.iam_id, "key", "d", 100)
POLICY = Policy("p1", ACCOUNT.id, USER.iam_id, Role.MANAGER, "", 100)
SECRET = b"s" * 32
SIGNING = SigningKey("kid-1", b"sealed", "{}", 100, 100, 1, 3600)


def furnish(changes: Changes) -> None:
    changes.add_account(ACCOUNT)
    changes.add_account(OTHER)
    changes.add_user(USER)
    changes.add_credential(Credential("pw-1", USER.iam_id, CredentialKind.PASSWORD, 0))
    changes.add_member(ACCOUNT.id, USER.iam_id, 100)
    changes.add_member(OTHER.id, USER.iam_id, 200)
    changes.add_service_id(ROBOT)
    changes.add_api_key(KEY, SECRET)
    changes.add_policy(POLICY)


class StoreSuite:
    @pytest.fixture
    def furnished(self, store: Store) -> Store:
        with store.writing() as changes:
            furnish(changes)
        return store

    def test_what_was_added_is_found(self, furnished: Store) -> None:
        with furnished.reading() as records:
            assert records.account(ACCOUNT.id) == ACCOUNT
            assert records.user(USER.iam_id) == USER
            assert records.user_by_email(USER.email) == USER
            assert records.service_id(ACCOUNT.id, ROBOT.iam_id) == ROBOT
            assert records.api_key(ACCOUNT.id, KEY.id) == KEY
            assert records.policy(ACCOUNT.id, POLICY.id) == POLICY
            password = Credential("pw-1", USER.iam_id, CredentialKind.PASSWORD, 0)
            assert records.password_credential(USER.email) == (password, "hash")
            bound = Credential(KEY.id, USER.iam_id, CredentialKind.API_KEY, 0, ACCOUNT.id)
            assert records.credential_by_secret(SECRET) == records.credential(KEY.id) == bound
            assert records.accounts_of(USER.iam_id, 9) == [ACCOUNT.id, OTHER.id]
            assert records.accounts_of(USER.iam_id, 1) == [ACCOUNT.id]

    def test_what_is_missing_is_none(self, furnished: Store) -> None:
        with furnished.reading() as records:
            assert records.account("x") is None
            assert records.user("x") is None
            assert records.user_by_email("x") is None
            assert records.password_credential("x") is None
            assert records.credential("x") is None
            assert records.credential_by_secret(b"x" * 32) is None
            assert records.epoch("x") is None
            assert records.member(ACCOUNT.id, "x") is None

    def test_another_password_takes_the_place_of_the_one_that_was_shown(
        self, furnished: Store
    ) -> None:
        new = Credential("pw-2", USER.iam_id, CredentialKind.PASSWORD, 0)
        with furnished.writing() as changes:
            assert changes.replace_password("pw-1", new, "hash 2")
        with furnished.reading() as records:
            assert records.password_credential(USER.email) == (new, "hash 2")
            assert records.epoch("pw-1") is None
            assert records.epoch(KEY.id) is not None
        late = Credential("pw-3", USER.iam_id, CredentialKind.PASSWORD, 0)
        for gone in ("pw-1", None):
            with furnished.writing() as changes:
                assert not changes.replace_password(gone, late, "hash 3")
        with furnished.reading() as records:
            assert records.password_credential(USER.email) == (new, "hash 2")

    def test_nothing_is_found_in_another_account(self, furnished: Store) -> None:
        with furnished.reading() as records:
            assert records.service_id(OTHER.id, ROBOT.iam_id) is None
            assert records.api_key(OTHER.id, KEY.id) is None
            assert records.policy(OTHER.id, POLICY.id) is None
            assert records.roles(OTHER.id, {USER.iam_id}, "", "") == {}
            assert list(records.api_keys(OTHER.id, "", Page(9))) == []
        with furnished.writing() as changes:
            changes.remove_api_key(OTHER.id, KEY.id)
            changes.remove_policy(OTHER.id, POLICY.id)
            changes.remove_service_id(OTHER.id, ROBOT.iam_id)
        with furnished.reading() as records:
            assert records.epoch(KEY.id) == 0
            assert records.policy(ACCOUNT.id, POLICY.id) == POLICY
            assert records.service_id(ACCOUNT.id, ROBOT.iam_id) == ROBOT

    def test_a_unit_that_fails_leaves_nothing(self, store: Store) -> None:
        def fail() -> None:
            with store.writing() as changes:
                furnish(changes)
                changes.audit(ACCOUNT.id, "a", "x.y", "t", "", {})
                raise OSError("gone")

        with pytest.raises(OSError, match="gone"):
            fail()
        with store.reading() as records:
            assert records.account(ACCOUNT.id) is None
            assert records.user(USER.iam_id) is None

    def test_the_first_user_of_an_email_stays(self, furnished: Store) -> None:
        with furnished.writing() as changes:
            again = changes.add_user(replace(USER, iam_id="user-2", password_hash="other"))
        assert again == USER

    def test_standing(self, furnished: Store) -> None:
        with furnished.reading() as records:
            assert records.standing(ACCOUNT.id, USER.iam_id) is False
            assert records.standing(ACCOUNT.id, ROBOT.iam_id) is False
            assert records.standing(OTHER.id, ROBOT.iam_id) is None
            assert records.standing(ACCOUNT.id, "x") is None
        with furnished.writing() as changes:
            changes.add_user(User("op", "op@example.com", None, True, 1))
            changes.add_member(ACCOUNT.id, "op", 1)
        with furnished.reading() as records:
            assert records.standing(ACCOUNT.id, "op") is True

    def test_roles_on_a_namespace_include_those_on_the_account(self, furnished: Store) -> None:
        public = Policy("p2", ACCOUNT.id, ANONYMOUS, Role.READER, "team", 1, "north")
        with furnished.writing() as changes:
            assert changes.add_policy(public)
            assert not changes.add_policy(replace(public, id="p3"))
        with furnished.reading() as records:
            both = {USER.iam_id, ANONYMOUS}
            manager = {USER.iam_id: frozenset({Role.MANAGER})}
            reader = {ANONYMOUS: frozenset({Role.READER})}
            assert records.roles(ACCOUNT.id, both, "north", "team") == manager | reader
            assert records.roles(ACCOUNT.id, both, "south", "team") == manager
            assert records.roles(ACCOUNT.id, both, "north", "other") == manager
            assert records.roles(ACCOUNT.id, both, "", "") == manager
            assert records.roles_anywhere(ACCOUNT.id, ANONYMOUS) == {Role.READER}
            assert set(records.grants(both, list(Role), "", "north")) == {
                (ACCOUNT.id, ""),
                (ACCOUNT.id, "team"),
            }
            assert set(records.grants(both, list(Role), "", "south")) == {(ACCOUNT.id, "")}
            assert list(records.grants(both, list(Role), OTHER.id, "north")) == []

    def test_the_policies_of_a_namespace_end_in_its_region_alone(self, furnished: Store) -> None:
        public = Policy("p2", ACCOUNT.id, ANONYMOUS, Role.READER, "team", 1, "north")
        with furnished.writing() as changes:
            assert changes.add_policy(public)
            assert changes.add_policy(replace(public, id="p3", region="south"))
            assert changes.remove_namespace_policies(ACCOUNT.id, "south", "team") == [ANONYMOUS]
            assert changes.remove_namespace_policies(ACCOUNT.id, "south", "team") == []
        with furnished.reading() as records:
            assert records.policy(ACCOUNT.id, "p2") == public
            assert records.policy(ACCOUNT.id, "p3") is None

    def test_pages_are_in_order_and_complete(self, furnished: Store) -> None:
        robots = [replace(ROBOT, iam_id=f"iam-ServiceId-{n}") for n in range(2, 7)]
        with furnished.writing() as changes:
            for robot in robots:
                changes.add_service_id(robot)
        with furnished.reading() as records:
            first = records.service_ids(ACCOUNT.id, Page(4))
            second = records.service_ids(ACCOUNT.id, Page(4, first[-1].iam_id))
            assert [*first, *second] == [ROBOT, *robots]
            assert records.count(ACCOUNT.id, "service ids") == 6
            assert records.count(OTHER.id, "users") == 1

    def test_leaving_an_account_takes_what_was_there_only(self, furnished: Store) -> None:
        with furnished.writing() as changes:
            changes.remove_member(ACCOUNT.id, USER.iam_id)
        with furnished.reading() as records:
            assert records.member(ACCOUNT.id, USER.iam_id) is None
            assert records.member(OTHER.id, USER.iam_id) is not None
            assert records.credential(KEY.id) is None
            assert records.policy(ACCOUNT.id, POLICY.id) is None
            assert records.epoch("pw-1") == 1

    def test_managers_are_counted_as_persons_of_the_whole_account(self, furnished: Store) -> None:
        with furnished.writing() as changes:
            changes.add_policy(Policy("p2", ACCOUNT.id, ROBOT.iam_id, Role.MANAGER, "", 1))
            changes.add_policy(Policy("p3", ACCOUNT.id, USER.iam_id, Role.MANAGER, "team", 1))
            assert changes.managers(ACCOUNT.id) == 1
            changes.remove_policy(ACCOUNT.id, POLICY.id)
            assert changes.managers(ACCOUNT.id) == 0

    def test_one_of_two_keys_of_a_generation_wins(self, store: Store) -> None:
        def add(number: int) -> bool:
            with store.writing() as changes:
                return changes.add_signing_key(replace(SIGNING, kid=f"kid-{number}"))

        with ThreadPoolExecutor(4) as pool:
            assert sorted(pool.map(add, range(4))) == [False, False, False, True]
        with store.writing() as changes:
            changes.raise_longest_life(60)
            (key,) = changes.signing_keys()
            assert key.longest_life == 3600
            changes.raise_longest_life(7200)
            (key,) = changes.signing_keys()
            assert key.longest_life == 7200
            changes.remove_signing_keys([key.kid])
            assert list(changes.signing_keys()) == []

    def test_failures_add_up_and_start_anew_after_their_window(self, store: Store) -> None:
        def fail(at: int) -> None:
            with store.writing(durable=False) as changes:
                changes.add_failure({"s:1", "a:1"}, at, 60)

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(fail, [1000] * 8))
        with store.reading() as records:
            assert records.failures({"s:1", "x"}) == {"s:1": Failures(1000, 8)}
        fail(1060)
        with store.writing() as changes:
            assert changes.failures({"a:1"}) == {"a:1": Failures(1060, 1)}
            changes.clear_failures({"a:1"})
            assert changes.failures({"a:1", "s:1"}) == {"s:1": Failures(1060, 1)}

    def test_the_last_use_never_goes_back(self, furnished: Store) -> None:
        with furnished.writing(durable=False) as changes:
            changes.touch_api_keys([(KEY.id, 500), ("gone", 500)])
            changes.touch_api_keys([(KEY.id, 400)])
            assert changes.api_key(ACCOUNT.id, KEY.id) == replace(KEY, last_used_at=500)

    def test_a_passcode_is_taken_once_and_in_its_time(self, furnished: Store) -> None:
        first, second = b"1" * 32, b"2" * 32
        with furnished.writing() as changes:
            changes.add_passcode(first, "pw-1", 200, 100)
            assert changes.take_passcode(first, 200) is None
            changes.add_passcode(first, "pw-1", 300, 200)
            changes.add_passcode(second, "pw-1", 300, 200)
            # The newer one of a credential ends the older.
            assert changes.take_passcode(first, 250) is None
        password = Credential("pw-1", USER.iam_id, CredentialKind.PASSWORD, 0)

        def take(_: int) -> Credential | None:
            with furnished.writing() as changes:
                return changes.take_passcode(second, 250)

        with ThreadPoolExecutor(4) as pool:
            taken = list(pool.map(take, range(4)))
        assert [one for one in taken if one] == [password]

    def test_a_passcode_of_who_is_gone_is_worth_nothing(self, furnished: Store) -> None:
        with furnished.writing() as changes:
            changes.add_passcode(b"1" * 32, "pw-1", 200, 100)
            changes.remove_member(ACCOUNT.id, USER.iam_id)
            changes.remove_member(OTHER.id, USER.iam_id)
            changes.remove_user(USER.iam_id)
        with furnished.writing() as changes:
            assert changes.take_passcode(b"1" * 32, 150) is None
