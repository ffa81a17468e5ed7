"""Access policies: who has which role on what of an account."""

from collections.abc import Sequence

from wharfinger.identity.model import (
    ANONYMOUS,
    AlreadyExists,
    Caller,
    Policy,
    Role,
    ValueInvalid,
)
from wharfinger.identity.ports import NamespaceOwners, Page
from wharfinger.identity.service.desk import (
    Desk,
    audit,
    keeping_a_manager,
    require_role,
    unknown,
)
from wharfinger_common.languages import Text


class Policies:
    """Use cases around policies, for Managers of the caller's account. Blocking."""

    def __init__(self, desk: Desk, owners: NamespaceOwners) -> None:
        self._desk = desk
        self._owners = owners

    def create(
        self, caller: Caller, iam_id: str, role: str, namespace: str | None = None
    ) -> Policy:
        """Return a new policy on ``namespace`` in the caller's region, or on the whole account.

        The latter counts in every region. The subject ``anonymous`` with Reader makes a namespace
        public.

        Raises:
            RoleMissing: the caller is no Manager.
            NotFound: the account has no such subject or namespace.
            ValueInvalid: no such role, or anonymous would get more than Reader of a namespace.
            AlreadyExists, LimitReached.
        """
        given = require_role(role)
        if iam_id == ANONYMOUS and (given is not Role.READER or not namespace):
            reason = Text("anonymous can only have the role Reader, on a namespace that is named")
            raise ValueInvalid(property="role" if namespace else "namespace", reason=reason)
        region = caller.region if namespace else ""
        owned = not namespace or self._owners.owner(region, namespace) == caller.account
        with self._desk.managing(caller) as changes:
            if not owned:
                raise unknown(Text("namespace"), namespace or "")
            if iam_id != ANONYMOUS and changes.standing(caller.account, iam_id) is None:
                raise unknown(Text("user or service id"), iam_id)
            policy = self._desk.give_role(
                changes, caller.account, iam_id, given, namespace or "", region
            )
            if policy is None:
                raise AlreadyExists(kind=Text("policy"))
            audit(changes, caller, "policy.create", policy.id, **_facts(policy))
        return policy

    def list(self, caller: Caller, page: Page, iam_id: str | None = None) -> Sequence[Policy]:
        """Return a page of the account's policies, of one subject if it is named."""
        with self._desk.viewing(caller) as records:
            return records.policies(caller.account, iam_id or "", page)

    def get(self, caller: Caller, policy: str) -> Policy:
        """Return one policy of the account.

        Raises:
            NotFound: the account has no such policy.
        """
        with self._desk.viewing(caller) as records:
            found = records.policy(caller.account, policy)
        if found is None:
            raise unknown(Text("policy"), policy)
        return found

    def delete(self, caller: Caller, policy: str) -> None:
        """Take the role away; registry tokens that its subject holds end.

        Raises:
            NotFound: the account has no such policy.
            LastManager: the account would be left without a Manager.
        """
        with self._desk.managing(caller) as changes:
            found = changes.policy(caller.account, policy)
            if found is None:
                raise unknown(Text("policy"), policy)
            with keeping_a_manager(changes, caller.account):
                changes.remove_policy(caller.account, policy)
            changes.raise_epochs(found.iam_id)
            audit(changes, caller, "policy.delete", policy, **_facts(found))

    def namespace_deleted(self, account: str, region: str, namespace: str) -> None:
        """Remove the policies that name a deleted namespace; may be called any number of times.

        Otherwise whoever had a role on it would have it again on the next of that name.
        """
        with self._desk.changing(account) as changes:
            for subject in changes.remove_namespace_policies(account, region, namespace):
                changes.raise_epochs(subject)


def _facts(policy: Policy) -> dict[str, object]:
    return {
        "iam_id": policy.iam_id,
        "role": policy.role.value,
        "namespace": policy.namespace or None,
        "region": policy.region or None,
    }
