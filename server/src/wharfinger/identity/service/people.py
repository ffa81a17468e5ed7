"""Users and service ids of an account."""

from collections.abc import Sequence

from wharfinger.identity.model import Caller, Member, ServiceId
from wharfinger.identity.ports import Page
from wharfinger.identity.service.administration import add_user, new_user
from wharfinger.identity.service.desk import (
    MAX_DESCRIPTION,
    Desk,
    audit,
    keeping_a_manager,
    require_role,
    require_text,
    unknown,
)
from wharfinger_common.languages import Text


class People:
    """Use cases around users and service ids, for Managers of the caller's account. Blocking."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def add_user(
        self, caller: Caller, email: str, password: str | None = None, role: str | None = None
    ) -> Member:
        """Return the user, now in the caller's account; made if the e-mail is new.

        The password counts only for a new user; the answer is the same for both.

        Raises:
            RoleMissing, ValueInvalid, LimitReached, SignInBusy.
        """
        # Checked before the expensive hash too, so that only Managers can cause it.
        with self._desk.viewing(caller):
            pass
        user = new_user(self._desk, email, password, require_role(role) if role else None)
        with self._desk.managing(caller) as changes:
            return add_user(self._desk, changes, caller, user)

    def users(self, caller: Caller, page: Page) -> Sequence[Member]:
        """Return a page of the account's users."""
        with self._desk.viewing(caller) as records:
            return records.members(caller.account, page)

    def user(self, caller: Caller, iam_id: str) -> Member:
        """Return one user of the account.

        Raises:
            NotFound: the account has no such user.
        """
        with self._desk.viewing(caller) as records:
            found = records.member(caller.account, iam_id)
        if found is None:
            raise unknown(Text("user"), iam_id)
        return found

    def remove_user(self, caller: Caller, iam_id: str) -> None:
        """End the membership, with the user's policies and API keys in this account.

        A user who is left in no account is removed altogether.

        Raises:
            NotFound: the account has no such user.
            LastManager: the account would be left without a Manager.
        """
        with self._desk.managing(caller) as changes:
            if changes.member(caller.account, iam_id) is None:
                raise unknown(Text("user"), iam_id)
            with keeping_a_manager(changes, caller.account):
                changes.remove_member(caller.account, iam_id)
            if not changes.accounts_of(iam_id, 1):
                changes.remove_user(iam_id)
            audit(changes, caller, "user.remove", iam_id)

    def create_service_id(self, caller: Caller, name: str, description: str = "") -> ServiceId:
        """Return a new service id.

        Raises:
            RoleMissing, ValueInvalid, LimitReached.
        """
        name = require_text("name", name)
        description = require_text("description", description, MAX_DESCRIPTION, empty=True)
        iam_id = "iam-ServiceId-" + self._desk.new_id()
        service_id = ServiceId(iam_id, caller.account, name, description, self._desk.now)
        with self._desk.managing(caller) as changes:
            self._desk.require_room(changes, caller.account, Text("service ids"))
            changes.add_service_id(service_id)
            audit(changes, caller, "serviceid.create", iam_id, name=name)
        return service_id

    def service_ids(self, caller: Caller, page: Page) -> Sequence[ServiceId]:
        """Return a page of the account's service ids."""
        with self._desk.viewing(caller) as records:
            return records.service_ids(caller.account, page)

    def service_id(self, caller: Caller, iam_id: str) -> ServiceId:
        """Return one service id of the account.

        Raises:
            NotFound: the account has no such service id.
        """
        with self._desk.viewing(caller) as records:
            found = records.service_id(caller.account, iam_id)
        if found is None:
            raise unknown(Text("service id"), iam_id)
        return found

    def remove_service_id(self, caller: Caller, iam_id: str) -> None:
        """Remove a service id with its policies and API keys.

        Raises:
            NotFound: the account has no such service id.
        """
        with self._desk.managing(caller) as changes:
            if changes.service_id(caller.account, iam_id) is None:
                raise unknown(Text("service id"), iam_id)
            changes.remove_service_id(caller.account, iam_id)
            audit(changes, caller, "serviceid.delete", iam_id)
