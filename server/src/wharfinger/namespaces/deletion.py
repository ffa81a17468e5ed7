"""The job that empties a deleted namespace, step by step, and then frees its name."""

from collections.abc import Mapping, Sequence

from wharfinger.identity.model import Caller
from wharfinger.jobs.ports import Lease
from wharfinger.namespaces.model import Namespace, State
from wharfinger.namespaces.ports import DeletionStep, Policies, Store


class Emptying:
    """Handles jobs of the kind ``namespaces.model.EMPTYING``; may be run again after any part."""

    def __init__(self, store: Store, steps: Sequence[DeletionStep], policies: Policies) -> None:
        self._store = store
        self._steps = tuple(steps)
        self._policies = policies

    def __call__(self, lease: Lease) -> None:
        """Run every step until nothing is left, then remove policies and the namespace itself."""
        found = self._find(lease.job.payload)
        if found is None:
            return
        for step in self._steps:
            done = False
            while not done:
                lease.keep()
                done = step.run(found.region, found.name)
        lease.keep()
        # Before the name is free: who had a role on it must not have it on the next of the name.
        self._policies.namespace_deleted(found.account, found.region, found.name)
        self._erase(found, lease.job.payload["requested_by"])

    def _find(self, payload: Mapping[str, str]) -> Namespace | None:
        """Return the deleted namespace; None once it is gone, whatever has its name now."""
        with self._store.reading() as records:
            found = records.find(payload["region"], payload["name"])
        if found is None or found.id != int(payload["id"]) or found.state is not State.DELETING:
            return None
        return found

    def _erase(self, namespace: Namespace, requested_by: str) -> None:
        with self._store.writing() as changes:
            if changes.erase(namespace):
                by = Caller(requested_by, namespace.account, credential="")
                changes.audit(by, "namespace.emptied", namespace, {})
