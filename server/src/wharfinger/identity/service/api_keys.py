"""API keys: one's own, and for Managers those of the account."""

from collections.abc import Sequence

from wharfinger.identity import keys
from wharfinger.identity.model import ApiKey, Caller
from wharfinger.identity.ports import Page, Records
from wharfinger.identity.service.access import is_manager, require_manager
from wharfinger.identity.service.administration import add_api_key
from wharfinger.identity.service.desk import MAX_DESCRIPTION, Desk, audit, require_text, unknown
from wharfinger_common.languages import Text


class ApiKeys:
    """Use cases around API keys. Blocking."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def create(
        self, caller: Caller, name: str, description: str = "", iam_id: str | None = None
    ) -> tuple[ApiKey, str]:
        """Return a new API key with its secret, shown this once; for the caller unless ``iam_id``.

        Raises:
            RoleMissing: it is for somebody else and the caller is no Manager.
            NotFound: the account has no such subject.
            ValueInvalid, LimitReached.
        """
        name = require_text("name", name)
        description = require_text("description", description, MAX_DESCRIPTION, empty=True)
        subject = iam_id or caller.iam_id
        secret = keys.generate()
        with self._desk.changing(caller.account) as changes:
            if subject != caller.iam_id:
                require_manager(changes, caller)
            if changes.standing(caller.account, subject) is None:
                raise unknown(Text("user or service id"), subject)
            key = add_api_key(
                self._desk, changes, caller.account, subject, secret, name, description
            )
            audit(changes, caller, "apikey.create", key.id, iam_id=subject, name=name)
        return key, secret

    def list(self, caller: Caller, page: Page, iam_id: str | None = None) -> Sequence[ApiKey]:
        """Return a page of API keys: a Manager's account's (of one subject), else the caller's own.

        Raises:
            RoleMissing: another's keys are asked for and the caller is no Manager.
        """
        with self._desk.store.reading() as records:
            if iam_id not in {None, caller.iam_id}:
                require_manager(records, caller)
            all_of_them = iam_id is None and is_manager(records, caller)
            subject = "" if all_of_them else iam_id or caller.iam_id
            return records.api_keys(caller.account, subject, page)

    def get(self, caller: Caller, key: str) -> ApiKey:
        """Return one API key.

        Raises:
            NotFound: there is none, or none that the caller may see.
        """
        with self._desk.store.reading() as records:
            return _managed(records, caller, key)

    def delete(self, caller: Caller, key: str) -> None:
        """Revoke an API key: it and every token issued on it end.

        Raises:
            NotFound: there is none, or none that the caller may see.
        """
        with self._desk.changing(caller.account) as changes:
            found = _managed(changes, caller, key)
            changes.remove_api_key(caller.account, key)
            audit(changes, caller, "apikey.delete", key, iam_id=found.iam_id, name=found.name)


def _managed(records: Records, caller: Caller, key: str) -> ApiKey:
    found = records.api_key(caller.account, key)
    if found is None or not (found.iam_id == caller.iam_id or is_manager(records, caller)):
        raise unknown(Text("API key"), key)
    return found
