"""What accounts decide in a region, and which namespaces are private for it."""

from collections.abc import Collection
from typing import Final

from wharfinger.identity.model import Caller, Role
from wharfinger.images.model.options import ImageCounts, Options, PoliciesAlwaysHold
from wharfinger.images.ports import Access, AccountSettings, Clock


class PrivateNamespaces:
    """Which namespaces take pushes and pulls from private networks only (``web.private.Private``).

    Answers from memory for ``seconds``; what this process changed shows at once.
    """

    def __init__(self, settings: AccountSettings, clock: Clock, seconds: float) -> None:
        self._settings: Final = settings
        self._clock: Final = clock
        self._seconds: Final = seconds
        self._known: Collection[tuple[str, str]] = frozenset()
        self._until = float("-inf")

    def is_stale(self) -> bool:
        """Whether `refresh` is due."""
        return self._clock() >= self._until

    def refresh(self) -> None:
        """Look up which they are; blocking."""
        until = self._clock() + self._seconds
        self._known = self._settings.private_namespaces()
        self._until = until

    def restricts(self, region: str, namespace: str) -> bool:
        """Whether the namespace is one of them."""
        return (region, namespace) in self._known

    def forget(self) -> None:
        """Let the next question look it up."""
        self._until = float("-inf")


class OptionsDesk:
    """The use cases of ``/auth`` and ``/settings``. Blocking; any thread may call."""

    def __init__(
        self, settings: AccountSettings, access: Access, private: PrivateNamespaces
    ) -> None:
        self._settings: Final = settings
        self._access: Final = access
        self._private: Final = private

    def get(self, caller: Caller, role: Role | None) -> Options:
        """Return the options of the caller's account, if it has the role; None: any role.

        Raises:
            RoleMissing: it has not.
        """
        if role is None:
            self._access.require_anywhere(caller, frozenset(Role))
        else:
            self._access.require(caller, role)
        return self._settings.get(caller.region, caller.account)

    def counts(self, caller: Caller) -> ImageCounts | None:
        """Return what the account has, None where it does not want figures (any role).

        Raises:
            RoleMissing: the caller has no role in the account.
        """
        if not self.get(caller, None).platform_metrics:
            return None
        return self._settings.counts(caller.region, caller.account)

    def change_auth(
        self, caller: Caller, *, by_policies: bool | None, private_only: bool | None
    ) -> None:
        """Change how access is decided; what is None stays.

        Raises:
            RoleMissing: the caller is no Manager of the account.
            PoliciesAlwaysHold: ``by_policies`` is False.
        """
        self._access.require(caller, Role.MANAGER)
        if by_policies is False:
            raise PoliciesAlwaysHold
        self.change(caller, private_only=private_only)

    def change(self, caller: Caller, **changed: bool | None) -> None:
        """Change those options of the caller's account that are not None.

        Raises:
            RoleMissing: the caller is no Manager of the account.
        """
        self._access.require(caller, Role.MANAGER)
        told = {name: value for name, value in changed.items() if value is not None}
        if told:
            self._settings.change(caller, told)
            self._private.forget()
