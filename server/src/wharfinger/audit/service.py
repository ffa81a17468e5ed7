"""Reading the audit trail."""

from collections.abc import Sequence

from wharfinger.audit.model import AuditRow
from wharfinger.audit.ports import AuditTrail
from wharfinger.identity.model import Caller, Role
from wharfinger.identity.service.access import Access


class AuditService:
    """Shows Managers what was changed in their account. Blocking."""

    def __init__(self, trail: AuditTrail, access: Access) -> None:
        self._trail = trail
        self._access = access

    def page(self, caller: Caller, before: int | None, limit: int) -> Sequence[AuditRow]:
        """Return at most ``limit`` rows of the caller's account, newest first.

        ``before`` is the id of the last row of the page before, None for the newest.

        Raises:
            RoleMissing: the caller is no Manager of the account.
        """
        self._access.require(caller, Role.MANAGER)
        return self._trail.page(caller.account, before, limit)
