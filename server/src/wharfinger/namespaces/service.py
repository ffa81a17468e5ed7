"""The use cases of namespaces: adding, listing, assigning, removing, and who owns one."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from wharfinger.database.again import again
from wharfinger.identity.model import OPERATOR_ACCOUNT, Caller, Role, RoleMissing
from wharfinger.namespaces.model import (
    Namespace,
    NamespaceInUse,
    NamespaceLimitReached,
    NamespaceStillEmptying,
    NamespaceUnknown,
    Owner,
    RegionReadOnly,
    ResourceGroupSet,
    State,
    require_name,
    require_resource_group,
)
from wharfinger.namespaces.ports import Access, Changes, Clock, DeletionStep, Store
from wharfinger.regions import GLOBAL

OPERATOR: Final = "operator"
_SHOWN: Final = 64


class Rules(Struct, frozen=True):
    """What the operator decides: hyphens in names, and how many namespaces an account may have.

    The name of one that is gone is kept from other accounts for ``keep_seconds``: the life of a
    registry token. It names what it grants; what another account made of the name would be that.
    """

    hyphens: bool
    per_account: int
    keep_seconds: int


class Added(Struct, frozen=True):
    """The account's namespace; ``new`` unless it had it before."""

    namespace: Namespace
    new: bool


class Owners:
    """Who owns a namespace: what identity and registry ask at each request. One read a question."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def require(self, region: str, name: str) -> Owner:
        """Return who owns the namespace.

        Raises:
            NamespaceUnknown: there is no such namespace, or it is being deleted.
        """
        account = self.owner(region, name)
        if account is None:
            raise NamespaceUnknown(namespace=name[:_SHOWN])
        return Owner(account)

    def active(self, region: str, account: str) -> Sequence[Namespace]:
        """Return the account's active namespaces in the region, by name."""
        with self._store.reading() as records:
            return records.active_of(region, account)

    @again
    def owner(self, region: str, namespace: str) -> str | None:
        """Return the account that owns the namespace; None unless it exists and is active."""
        with self._store.looking() as records:
            found = records.find(region, namespace)
        return found.account if found and found.state is State.ACTIVE else None


class Namespaces:
    """Blocking; any thread may call. Foreign and unknown namespaces are refused alike."""

    def __init__(
        self,
        store: Store,
        access: Access,
        steps: Sequence[DeletionStep],
        rules: Rules,
        clock: Clock,
    ) -> None:
        self._store = store
        self._access = access
        self._steps = tuple(steps)
        self._rules = rules
        self._clock = clock

    def add(self, caller: Caller, name: str, resource_group: str | None = None) -> Added:
        """Add a namespace to the caller's account; one that it has already stays as it is.

        This and all that follows happens in the caller's region.

        Raises:
            RoleMissing: the caller is no Manager of the account.
            RegionReadOnly: the region is the one of public images, the account not the operator's.
            NameTooShort and its siblings: the name breaks a rule.
            ResourceGroupInvalid: ``resource_group`` cannot name one.
            NamespaceInUse: another account has the name.
            NamespaceStillEmptying: the account deleted it, and it is not empty yet.
            NamespaceLimitReached: the account has all it may have.
        """
        self._access.require(caller, Role.MANAGER)
        return self._add(caller, name, resource_group)

    def operator_add(self, account: str, region: str, name: str) -> Added:
        """Add a namespace to an account from the operator's command line; else as `add`."""
        return self._add(Caller(OPERATOR, account, "", region=region), name, None)

    def _add(self, caller: Caller, name: str, resource_group: str | None) -> Added:
        region = caller.region
        if region == GLOBAL and caller.account != OPERATOR_ACCOUNT:
            raise RegionReadOnly(region=region)
        require_name(name, hyphens=self._rules.hyphens)
        if resource_group is not None:
            require_resource_group(resource_group)
        now = int(self._clock())
        wanted = Namespace(region, name, caller.account, now, now, resource_group or "")
        with self._store.writing() as changes:
            found = self._taken(changes, wanted) or self._insert(changes, caller, wanted)
        if found is None:
            return Added(wanted, new=True)
        if found.account != caller.account:
            raise NamespaceInUse(namespace=name)
        if found.state is State.DELETING:
            raise NamespaceStillEmptying(namespace=name, remaining=self._remaining(region, name))
        return Added(found, new=False)

    def list(self, caller: Caller) -> Sequence[Namespace]:
        """Return the active namespaces of the caller's account that it may see, by name.

        Raises:
            RoleMissing: the caller may list nothing.
        """
        visible = self._access.visible_namespaces(caller)
        with self._store.reading() as records:
            own = records.active_of(caller.region, caller.account)
        return [one for one in own if visible.includes(one.account, one.name)]

    def assign(self, caller: Caller, name: str, resource_group: str) -> Namespace:
        """Put a namespace of the caller's account into a resource group, once and for all.

        Raises:
            RoleMissing: the caller is no Manager of it, or the account has no such namespace.
            ResourceGroupInvalid: ``resource_group`` cannot name one.
            ResourceGroupSet: the namespace is in one.
        """
        self._access.require(caller, Role.MANAGER, name)
        require_resource_group(resource_group)
        with self._store.writing() as changes:
            found = _own(changes, caller, name)
            if not changes.assign(found, resource_group, int(self._clock())):
                raise ResourceGroupSet(namespace=name)
            detail = {"resource_group": resource_group}
            changes.audit(caller, "namespace.assign", found, detail)
        return found

    def remove(self, caller: Caller, name: str) -> None:
        """Delete a namespace with everything in it.

        From the return on nothing in it can be reached; the name is taken until a job has
        removed it all. Deleting what is being deleted changes nothing.

        Raises:
            RoleMissing: the caller is no Manager of it, or the account has no such namespace.
        """
        if self._is_deleting(caller, name):
            self._access.require(caller, Role.MANAGER)
            return
        self._access.require(caller, Role.MANAGER, name)
        with self._store.writing() as changes:
            found = _own(changes, caller, name)
            if changes.start_deletion(found, caller.iam_id, int(self._clock())):
                changes.audit(caller, "namespace.remove", found, {})

    def _is_deleting(self, caller: Caller, name: str) -> bool:
        with self._store.reading() as records:
            found = records.find(caller.region, name)
        return (
            found is not None and found.account == caller.account and found.state is State.DELETING
        )

    def _taken(self, changes: Changes, wanted: Namespace) -> Namespace | None:
        """Return what has the name, or None, with the account locked and known to have room."""
        changes.lock_account(wanted.account)
        found = changes.find(wanted.region, wanted.name)
        if found is not None and found.state is State.KEPT:
            freed = found.updated_at + self._rules.keep_seconds
            if found.account != wanted.account and wanted.created_at < freed:
                return found
            changes.forget(found)
            found = None
        if (
            found is None
            and changes.count(wanted.region, wanted.account) >= self._rules.per_account
        ):
            raise NamespaceLimitReached(limit=self._rules.per_account)
        return found

    def _insert(self, changes: Changes, caller: Caller, wanted: Namespace) -> Namespace | None:
        """Add the namespace; return what another account has put there in this very moment."""
        if not changes.add(wanted):
            found = changes.find(wanted.region, wanted.name)
            if found is None:
                raise NamespaceInUse(namespace=wanted.name)
            return found
        detail = {"resource_group": wanted.resource_group} if wanted.resource_group else {}
        changes.audit(caller, "namespace.add", wanted, detail)
        return None

    def _remaining(self, region: str, name: str) -> int:
        """Return how many things are left, the namespace itself among them."""
        return 1 + sum(step.remaining(region, name) for step in self._steps)


def _own(changes: Changes, caller: Caller, name: str) -> Namespace:
    found = changes.find(caller.region, name)
    if found is None or found.account != caller.account:
        raise RoleMissing(role=Role.MANAGER.value)
    return found
