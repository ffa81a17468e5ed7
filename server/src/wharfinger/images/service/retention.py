"""Retention policies: setting, trying and running them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from wharfinger.identity.model import Caller, Role
from wharfinger.images.model.retention import (
    ALL,
    DAY,
    RETAINING,
    Candidate,
    Policy,
    Pushes,
    doomed,
)
from wharfinger.images.ports import Clock, ImageStore, Policies, Records
from wharfinger.images.service.doors import LISTS, Doors
from wharfinger.jobs.ports import Lease
from wharfinger.registry.model.repositories import Place


class Retention:
    """The use cases. Blocking; any thread may call.

    ``push_seconds`` is how long an untagged image may belong to a push that is under way;
    ``most`` bounds what a trial shows.
    """

    def __init__(
        self,
        store: ImageStore,
        policies: Policies,
        doors: Doors,
        clock: Clock,
        *,
        push_seconds: int,
        most: int,
    ) -> None:
        self._store: Final = store
        self._policies: Final = policies
        self._doors: Final = doors
        self._clock: Final = clock
        self._push_seconds: Final = push_seconds
        self._most: Final = most

    def list(self, caller: Caller) -> Mapping[str, Policy]:
        """Return the policy of every namespace that the caller may list, by namespace.

        Raises:
            RoleMissing: it may list nothing.
        """
        visible = self._doors.visible(caller, LISTS)
        found = self._policies.of_account(caller.region, caller.account)
        return {name: found.get(name) or Policy(name, caller.account) for name in visible}

    def get(self, caller: Caller, namespace: str) -> Policy:
        """Return the policy of a namespace.

        Raises:
            RoleMissing: the caller is no Reader there, or the namespace is not its account's.
        """
        self._doors.on_namespace(caller, Role.READER, namespace)
        found = self._policies.find(caller.region, namespace)
        return found or Policy(namespace, caller.account)

    def set(self, caller: Caller, policy: Policy) -> None:
        """Set the policy of a namespace; it runs at once, in the background, and then daily.

        Raises:
            RoleMissing: the caller is no Writer there, or the namespace is not its account's.
            NamespaceUnknown: the namespace was removed meanwhile.
        """
        self._doors.on_namespace(caller, Role.WRITER, policy.namespace)
        self._policies.set(caller, replace(policy, account=caller.account, set_by=caller.iam_id))

    def analyze(self, caller: Caller, policy: Policy) -> Mapping[tuple[str, str], Sequence[str]]:
        """Return what a policy would delete: tags by repository and digest. Deletes nothing.

        Raises:
            RoleMissing: the caller is no Reader there, or the namespace is not its account's.
        """
        self._doors.on_namespace(caller, Role.READER, policy.namespace)
        found: dict[tuple[str, str], Sequence[str]] = {}
        now = int(self._clock())
        with self._store.reading() as records:
            for repository in _repositories(records, caller.region, policy.namespace):
                place = Place(caller.region, repository)
                for image in _doomed(records, place, policy, now, self._push_seconds):
                    if len(found) == self._most:
                        return found
                    found[repository, image.digest] = image.tags
        return found


class Retaining:
    """Runs policies in the background, and ends them with their namespace. Blocking."""

    name = "retention"
    kind = RETAINING

    def __init__(
        self, store: ImageStore, policies: Policies, clock: Clock, push_seconds: int
    ) -> None:
        self._store: Final = store
        self._policies: Final = policies
        self._clock: Final = clock
        self._push_seconds: Final = push_seconds

    def __call__(self, lease: Lease) -> float | None:
        """Run the policy of a namespace; again a day later, as long as there is one.

        One transaction an image: after a crash it goes on with what is left.
        """
        region, namespace = lease.job.payload["region"], lease.job.payload["namespace"]
        after = ""
        while True:
            lease.keep()
            policy = self._policies.find(region, namespace)
            if policy is None or policy.images_per_repo == ALL:
                return None
            with self._store.reading() as records:
                repository = records.repository_behind(region, namespace, after)
                if repository is None:
                    return float(DAY)
                place, now = Place(region, repository), int(self._clock())
                images = _doomed(records, place, policy, now, self._push_seconds)
            for image in images:
                lease.keep()
                self._delete(place, policy, image)
            after = repository

    def run(self, region: str, namespace: str) -> bool:
        """Remove the policy of a deleted namespace; see ``namespaces.ports.DeletionStep``."""
        self._policies.end(region, namespace)
        return True

    def remaining(self, region: str, namespace: str) -> int:  # noqa: ARG002 - the port's shape
        """Return 0: nobody waits for a policy."""
        return 0

    def _delete(self, place: Place, policy: Policy, image: Candidate) -> None:
        with self._store.writing() as changes:
            repository = changes.lock(place)
            # An index that lists it may have come since.
            if repository is None or changes.parent(repository, image.digest) is not None:
                return
            if changes.remove(repository, image.digest):
                by = Caller(policy.set_by, policy.account, "", region=place.region)
                detail = {"digest": image.digest, "tags": image.tags}
                changes.audit(by, "image.retire", f"{place.repository}@{image.digest}", detail)


def _repositories(records: Records, region: str, namespace: str) -> Iterator[str]:
    after = ""
    while True:
        repository = records.repository_behind(region, namespace, after)
        if repository is None:
            return
        yield repository
        after = repository


def _doomed(
    records: Records, place: Place, policy: Policy, now: int, push_seconds: int
) -> Sequence[Candidate]:
    if policy.images_per_repo == ALL:
        return []
    since = now - push_seconds
    pushes = Pushes(since, records.push_begun(place, since))
    return doomed(records.candidates(place), policy, now, pushes)
