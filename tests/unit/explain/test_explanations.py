"""Who is told what: the caller its own facts, the owner's Managers the rule too, nobody else."""

import pytest

from tests.unit.explain.test_explain_model import refused
from wharfinger.explain.model import ExplanationUnknown, Refused
from wharfinger.explain.service import EXPIRE_AT_ONCE, Explanations
from wharfinger.identity.model import Caller
from wharfinger_common.languages import Language

DAY = 86_400
NOW = 1_780_000_000
RULE = {"kind": "policy", "values": {"roles": "none"}, "needed": "the role Writer"}


class OneRefusal:
    def __init__(self, kept: Refused) -> None:
        self.kept = kept
        self.expired: list[tuple[int, int]] = []
        self.left = 0

    def add(self, refused: object, per_account: int) -> None:
        raise NotImplementedError

    def find(self, request_id: str) -> Refused | None:
        return self.kept if request_id == self.kept.request_id else None

    def expire(self, before: int, limit: int) -> int:
        self.expired.append((before, limit))
        gone = min(self.left, limit)
        self.left -= gone
        return gone


class Managers:
    def is_manager(self, caller: Caller) -> bool:
        return caller.iam_id.startswith("manager")


class House:
    def __init__(self, **more: object) -> None:
        facts = {"subject": "who", "account": "away", "owner": "home", "rule": RULE, "at": NOW}
        self.store = OneRefusal(refused(**{**facts, **more}))
        self.clock = float(NOW)
        self.explanations = Explanations(self.store, Managers(), lambda: self.clock, 7 * DAY)

    def ask(self, iam_id: str, account: str, request_id: str = "r1") -> tuple[str, bool]:
        """The request's code, and whether the rule was told."""
        caller = Caller(iam_id, account, "credential")
        found = self.explanations.explain(caller, request_id, Language.ENGLISH)
        return found.code, found.rule is not None


@pytest.mark.parametrize(
    ("iam_id", "account", "rule"),
    [("who", "away", False), ("manager", "home", True)],
)
def test_the_caller_and_the_owner_may_know(iam_id: str, account: str, *, rule: bool) -> None:
    assert House().ask(iam_id, account) == ("WHF0005", rule)


@pytest.mark.parametrize(
    ("iam_id", "account"),
    [
        ("who", "home"),  # the same person, with a credential of another account
        ("another", "away"),
        ("manager", "away"),  # the caller's account does not own the thing
        ("reader", "home"),
        ("manager", "third"),
    ],
)
def test_nobody_else_may(iam_id: str, account: str) -> None:
    with pytest.raises(ExplanationUnknown):
        House().ask(iam_id, account)


def test_unknown_and_foreign_look_alike() -> None:
    with pytest.raises(ExplanationUnknown) as foreign:
        House().ask("another", "away", "r1")
    with pytest.raises(ExplanationUnknown) as unknown:
        House().ask("another", "away", "r2")

    assert str(foreign.value).replace("r1", "r2") == str(unknown.value)


def test_who_was_not_recognised_owns_nothing_of_it() -> None:
    house = House(subject="", account="", owner="")

    for iam_id, account in (("", ""), ("manager", ""), ("who", "away")):
        with pytest.raises(ExplanationUnknown):
            house.ask(iam_id or "nobody", account)
    assert house.explanations.operator_explain("r1", Language.ENGLISH).code == "WHF0005"


def test_a_caller_whose_token_was_for_any_account_is_told_in_each() -> None:
    assert House(account="").ask("who", "anywhere") == ("WHF0005", False)


def test_a_code_of_a_newer_version_is_unknown() -> None:
    with pytest.raises(ExplanationUnknown):
        House(code="WHF9998").explanations.operator_explain("r1", Language.ENGLISH)


def test_what_is_too_old_is_unknown_before_the_job_removed_it() -> None:
    house = House()
    house.clock += 7 * DAY + 1

    with pytest.raises(ExplanationUnknown):
        house.ask("who", "away")


def test_expiry_goes_on_until_nothing_is_left() -> None:
    house = House()
    house.store.left = EXPIRE_AT_ONCE + 1

    assert house.explanations.expire()
    assert not house.explanations.expire()
    assert house.store.expired == [(NOW - 7 * DAY, EXPIRE_AT_ONCE)] * 2
