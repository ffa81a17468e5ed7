"""The job that empties a deleted namespace, step by step, and then frees its name.

For its former account at once, for others when the tokens for what was there have ended.
"""

from collections.abc import Mapping, Sequence

from wharfinger.identity.model import Caller
from wharfinger.jobs.ports import Lease
from wharfinger.namespaces.model import Namespace, State
from wharfinger.namespaces.ports import Clock, DeletionStep, Policies, Store


class Emptying:
    """Handles jobs of the kind ``namespaces.model.EMPTYING``; may be run again after any part."""

    def __init__(
        self,
        store: Store,
        steps: Sequence[DeletionStep],
        policies: Policies,
        clock: Clock,
        keep_seconds: int,
    ) -> None:
        """Keep names for ``keep_seconds``: as long as `Namespaces` does."""
        self._clock = clock
        self._keep_seconds = keep_seconds
        self._store = store
        self._steps = tuple(steps)
        self._policies = policies

    def __call__(self, lease: Lease) -> None:
        """Run every step until nothing is left, then remove policies and keep the name alone."""
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
        self._end(found, lease.job.payload["requested_by"])

    def _find(self, payload: Mapping[str, str]) -> Namespace | None:
        """Return the deleted namespace; None once it is gone, whatever has its name now."""
        with self._store.reading() as records:
            found = records.find(payload["region"], payload["name"])
        if found is None or found.id != int(payload["id"]) or found.state is not State.DELETING:
            return None
        return found

    def _end(self, namespace: Namespace, requested_by: str) -> None:
        with self._store.writing() as changes:
            changes.forget_kept(int(self._clock()) - self._keep_seconds)
            if changes.keep(namespace):
                by = Caller(requested_by, namespace.account, credential="")
                changes.audit(by, "namespace.emptied", namespace, {})
