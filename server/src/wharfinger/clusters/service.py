"""Registered clusters: told by who can read them, for colleagues who cannot."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from wharfinger.clusters.model import (
    Cluster,
    ClusterLimitReached,
    ClusterUnknown,
    Facts,
    merged,
    require_facts,
    require_name,
)
from wharfinger.clusters.ports import Access, Clock, Store
from wharfinger.identity.model import Caller, Role

ANY_ROLE: Final = (Role.READER, Role.WRITER, Role.MANAGER)
_SHOWN: Final = 64


class Limits(Struct, frozen=True):
    """How many clusters an account may register, and how many workers each may have."""

    clusters: int
    workers: int


class Clusters:
    """Blocking; any thread may call. Everything happens in the caller's account, in no region."""

    def __init__(self, store: Store, access: Access, limits: Limits, clock: Clock) -> None:
        self._store: Final = store
        self._access: Final = access
        self._limits: Final = limits
        self._clock: Final = clock

    def register(self, caller: Caller, name: str, facts: Facts) -> bool:
        """Keep the facts of a cluster, in the place of earlier ones; return whether it is new.

        Workers that were there and are not any more are remembered as deleted.

        Raises:
            RoleMissing: the caller is neither Writer nor Manager of the account.
            ClusterNameInvalid, ClusterFactInvalid, TooManyWorkers: what cannot be kept.
            ClusterLimitReached: the account has all that it may have.
        """
        self._access.require(caller, Role.WRITER)
        require_name(name)
        require_facts(facts, self._limits.workers)
        with self._store.writing() as changes:
            changes.lock_account(caller.account)
            before = changes.find(caller.account, name)
            if before is None and changes.count(caller.account) >= self._limits.clusters:
                raise ClusterLimitReached(limit=self._limits.clusters)
            kept = merged(before.facts if before else None, facts)
            count, now = len(facts.workers), int(self._clock())
            changes.put(Cluster(caller.account, name, kept, now, caller.iam_id, count))
            changes.audit(caller, "cluster.register", name, {"workers": count})
        return before is None

    def list(self, caller: Caller) -> Sequence[Cluster]:
        """Return the account's clusters by name, without their workers.

        Raises:
            RoleMissing: the caller has no role in the account.
        """
        self._access.require_anywhere(caller, ANY_ROLE)
        with self._store.reading() as records:
            return records.all_of(caller.account)

    def one(self, caller: Caller, name: str) -> Cluster:
        """Return what was registered last of a cluster.

        Raises:
            RoleMissing: the caller has no role in the account.
            ClusterUnknown: the account has registered none of this name.
        """
        self._access.require_anywhere(caller, ANY_ROLE)
        with self._store.reading() as records:
            found = records.find(caller.account, name)
        if found is None:
            raise ClusterUnknown(name=name[:_SHOWN])
        return found

    def remove(self, caller: Caller, name: str) -> None:
        """Forget a cluster; nothing happens to the cluster itself.

        Raises:
            RoleMissing: the caller is neither Writer nor Manager of the account.
            ClusterUnknown: the account has registered none of this name.
        """
        self._access.require(caller, Role.WRITER)
        with self._store.writing() as changes:
            if not changes.remove(caller.account, name):
                raise ClusterUnknown(name=name[:_SHOWN])
            changes.audit(caller, "cluster.remove", name, {})
