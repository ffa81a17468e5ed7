"""What the administrative use cases share: checked units of work, text rules, limits."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from msgspec import Struct

from wharfinger.identity.model import (
    Caller,
    LastManager,
    LimitReached,
    NotFound,
    Policy,
    Role,
    ValueInvalid,
)
from wharfinger.identity.passwords import Passwords
from wharfinger.identity.ports import Changes, Clock, NewId, Records, Store
from wharfinger.identity.service.access import require_manager
from wharfinger.identity.service.tokens import TokenService
from wharfinger_common.languages import Text

MAX_NAME: Final = 255
MAX_DESCRIPTION: Final = 1000
INVISIBLE: Final = (
    r"\x00-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\uffff"
)
"""Characters, as in a regular expression's brackets, that control a text instead of showing."""
BLANK: Final = r" \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
_INVISIBLE: Final = re.compile(f"[{INVISIBLE}]")
_SHOWN: Final = 100


class Desk(Struct, frozen=True):
    """Where administration happens. ``limit`` bounds the entries of each kind in an account."""

    store: Store
    tokens: TokenService
    passwords: Passwords
    clock: Clock
    new_id: NewId
    limit: int

    @property
    def now(self) -> int:
        """The time in whole Unix seconds."""
        return int(self.clock())

    @contextmanager
    def managing(self, caller: Caller) -> Iterator[Changes]:
        """Enter a writing unit in the caller's account, alone in it, for a Manager.

        Raises:
            RoleMissing: the caller is no Manager of the account.
        """
        with self.changing(caller.account) as changes:
            require_manager(changes, caller)
            yield changes

    @contextmanager
    def changing(self, account: str) -> Iterator[Changes]:
        """Enter a writing unit, alone in ``account``; what it revoked is seen here once it ends."""
        with self.store.writing() as changes:
            changes.lock_account(account)
            yield changes
        self.tokens.forget_credentials()

    @contextmanager
    def viewing(self, caller: Caller) -> Iterator[Records]:
        """Enter a reading unit for a Manager of the caller's account.

        Raises:
            RoleMissing: the caller is no Manager of the account.
        """
        with self.store.reading() as records:
            require_manager(records, caller)
            yield records

    def require_room(self, changes: Changes, account: str, kind: str) -> None:
        """Let the unit go on if the account may have one more of ``kind``.

        Raises:
            LimitReached: it may not.
        """
        if changes.count(account, kind) >= self.limit:
            raise LimitReached(limit=self.limit, kind=kind)

    def give_role(
        self,
        changes: Changes,
        account: str,
        iam_id: str,
        role: Role,
        namespace: str = "",
        region: str = "",
    ) -> Policy | None:
        """Add a policy; None if the account has this very one already.

        Raises:
            LimitReached: the account has too many policies.
        """
        self.require_room(changes, account, Text("policies"))
        policy = Policy(self.new_id(), account, iam_id, role, namespace, self.now, region)
        return policy if changes.add_policy(policy) else None


@contextmanager
def keeping_a_manager(changes: Changes, account: str) -> Iterator[None]:
    """Let the block change who manages the account, but not leave it without a user who does.

    Raises:
        LastManager: it would.
    """
    before = changes.managers(account)
    yield
    if before and not changes.managers(account):
        raise LastManager


def audit(changes: Changes, caller: Caller, action: str, target: str, **detail: object) -> None:
    """Leave the audit row of what ``caller`` does in this unit."""
    changes.audit(caller.account, caller.iam_id, action, target, caller.request_id, detail)


def require_text(name: str, text: str, longest: int = MAX_NAME, *, empty: bool = False) -> str:
    """Return ``text`` without blanks around it.

    Raises:
        ValueInvalid: it is empty (unless that is allowed), too long or has control characters.
    """
    text = text.strip()
    if not text and not empty:
        raise ValueInvalid(property=name, reason=Text("it must not be empty"))
    if len(text) > longest:
        raise ValueInvalid(
            property=name, reason=Text("it must have {limit} characters at most", limit=longest)
        )
    if _INVISIBLE.search(text):
        raise ValueInvalid(property=name, reason=Text("it must not hold control characters"))
    return text


def require_role(text: str) -> Role:
    """Return the role that ``text`` names, in any case.

    Raises:
        ValueInvalid: it names none.
    """
    try:
        return Role(text.strip().capitalize())
    except ValueError as error:
        names = ", ".join(role.value for role in Role)
        raise ValueInvalid(
            property="role", reason=Text("it must be one of {names}", names=names)
        ) from error


def unknown(kind: str, id_: str) -> NotFound:
    """Return the refusal for something that the account does not have."""
    return NotFound(kind=kind, id=id_[:_SHOWN])
