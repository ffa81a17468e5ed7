"""What a subject may do: registry actions, control roles, and what it may see."""

from collections.abc import Collection, Sequence
from typing import Final

from wharfinger.database.again import again
from wharfinger.identity.model import (
    ANONYMOUS,
    OPERATOR_ACCOUNT,
    TOKEN_SUBJECT,
    AccountForbidden,
    Caller,
    Claims,
    Role,
    RoleMissing,
    Visibility,
)
from wharfinger.identity.ports import NamespaceOwners, Records, Store
from wharfinger.regions import GLOBAL
from wharfinger_common.languages import Text
from wharfinger_common.names import namespace_of
from wharfinger_common.refusals import Rule

PULLING: Final = frozenset({Role.READER, Role.WRITER, Role.MANAGER})
LISTING: Final = frozenset({Role.READER, Role.MANAGER})
"""Roles that may list through the control API; a Writer alone may not (control API, section 1)."""

_SHOWN: Final = 64


class Access:
    """Answers from the policies of the account that owns a namespace, one statement a question.

    Blocking; any thread may call. Nothing is remembered: a role taken away is gone at once.
    """

    def __init__(self, store: Store, owners: NamespaceOwners) -> None:
        self._store = store
        self._owners = owners

    def actions(self, subject: str, account: str, region: str, namespace: str) -> frozenset[str]:
        """Return the registry actions that ``subject`` has in ``namespace``.

        What the policies of the namespace's owner give it, and what they give everybody. A
        credential bound to ``account`` ('' = unbound) has only the latter elsewhere. A namespace
        that does not exist gives nothing; one of the region of public images lets everybody pull.
        """
        owner = self._owners.owner(region, namespace)
        if owner is None:
            return frozenset()
        subjects = {ANONYMOUS, subject} if account in {"", owner} else {ANONYMOUS}
        with self._store.reading() as records:
            found = records.roles(owner, subjects, region, namespace)
        roles = {role for given in found.values() for role in given}
        if region == GLOBAL:
            roles.add(Role.READER)
        return frozenset(action for role in roles for action in role.actions)

    @again
    def may(self, claims: Claims, region: str, repository: str, action: str) -> bool:
        """Whether a new token could grant the bearer ``action`` on ``repository``.

        Decides, when the present token does not grant it, between 401 insufficient_scope and 403.
        """
        allowed = self.actions(claims.subject, claims.account, region, namespace_of(repository))
        return action in allowed

    def rule(self, claims: Claims, region: str, repository: str, actions: Sequence[str]) -> Rule:
        """Return why policy does not let the bearer do all ``actions`` on ``repository``.

        For those who own the namespace; ``values`` name it, the subject, and what roles it has.
        """
        namespace = namespace_of(repository)
        owner = self._owners.owner(region, namespace)
        values = {"namespace": namespace, "subject": claims.subject, "actions": ",".join(actions)}
        if owner is None:
            needed = Text(
                "a namespace {namespace} in the region {region}", namespace=namespace, region=region
            )
            return Rule("policy", values, needed)
        if claims.account not in {"", owner}:
            values["bound_to"] = claims.account
            return Rule("policy", values, Text("a credential of the account that owns it"))
        with self._store.reading() as records:
            found = records.roles(owner, {claims.subject}, region, namespace)
        values["roles"] = _named(found.get(claims.subject, ())) or "none"
        return Rule("policy", values, _needed(claims.subject, _least(actions), namespace))

    @again
    def caller(self, claims: Claims, account: str, request_id: str) -> Caller:
        """Return the caller of a control call with these verified IAM claims in ``account``.

        Raises:
            AccountForbidden: the token is bound to another account, or its subject is not in it.
        """
        standing = None
        if claims.account in {"", account}:
            with self._store.reading() as records:
                standing = records.standing(account, claims.subject)
        if standing is None:
            raise AccountForbidden(account=account[:_SHOWN])
        # A Manager elsewhere may add an operator to its account and make API keys for it there:
        # whoever holds such a key is no operator.
        operator = standing and account == OPERATOR_ACCOUNT
        return Caller(claims.subject, account, claims.credential, operator, request_id)

    def require(
        self, caller: Caller, role: Role | Collection[Role], namespace: str | None = None
    ) -> None:
        """Let the call pass if the caller has one of the roles, or Manager.

        Without a namespace on the whole account; with one on it, and only if the caller's
        account owns it: foreign and unknown namespaces are refused alike. Reader reads and lists,
        Writer does not, Manager may all; where several roles suffice, name them.

        Raises:
            RoleMissing: no policy gives the role.
        """
        wanted = _wanted(role)
        owned = namespace is None or self._owners.owner(caller.region, namespace) == caller.account
        with self._store.reading() as records:
            roles = _roles(records, caller, namespace or "")
        if not owned or wanted.isdisjoint(roles):
            raise _role_missing(caller, role, roles, namespace or "")

    def is_manager(self, caller: Caller) -> bool:
        """Whether the caller is a Manager of the whole account that it acts in."""
        with self._store.reading() as records:
            return is_manager(records, caller)

    def require_anywhere(self, caller: Caller, role: Role | Collection[Role]) -> None:
        """Let the call pass if the caller has one of the roles, or Manager, on anything.

        Raises:
            RoleMissing: no policy gives the role.
        """
        with self._store.reading() as records:
            roles = records.roles_anywhere(caller.account, caller.iam_id)
        if _wanted(role).isdisjoint(roles):
            raise _role_missing(caller, role, roles)

    def visible_namespaces(self, caller: Caller, roles: Collection[Role] = LISTING) -> Visibility:
        """Return what the caller may list through the control API in its account.

        Where other roles suffice than those that list, name them; Manager always does.

        Raises:
            RoleMissing: nothing; Writers, and those without a role, may not list.
        """
        with self._store.reading() as records:
            grants = records.grants({caller.iam_id}, _wanted(roles), caller.account, caller.region)
        if not grants:
            raise _role_missing(caller, frozenset(roles) - {Role.MANAGER}, ())
        return _visibility(grants)

    def visible_to(self, claims: Claims) -> Visibility:
        """Return what the bearer of a registry token may pull: its own, and what is public."""
        with self._store.reading() as records:
            grants = list(records.grants({claims.subject}, PULLING, claims.account, claims.region))
            if not claims.anonymous:
                grants += records.grants({ANONYMOUS}, PULLING, "", claims.region)
        if claims.region == GLOBAL:
            grants.append((OPERATOR_ACCOUNT, ""))
        return _visibility(grants)


def require_manager(records: Records, caller: Caller) -> None:
    """Let a unit go on if the caller is a Manager of the whole account, as ``records`` sees it.

    Raises:
        RoleMissing: it is not.
    """
    roles = _roles(records, caller, "")
    if Role.MANAGER not in roles:
        raise _role_missing(caller, Role.MANAGER, roles)


def _role_missing(
    caller: Caller, role: Role | Collection[Role], has: Collection[Role], namespace: str = ""
) -> RoleMissing:
    values = {"subject": caller.iam_id, "account": caller.account, "roles": _named(has) or "none"}
    if namespace:
        values["namespace"] = namespace
    needed = Text("the role {role} in the account that owns it", role=_named(role))
    refusal = RoleMissing(role=_named(role))
    refusal.because("policy", values, needed)
    return refusal


def is_manager(records: Records, caller: Caller) -> bool:
    """Whether the caller is a Manager of the whole account."""
    return Role.MANAGER in _roles(records, caller, "")


def _roles(records: Records, caller: Caller, namespace: str) -> frozenset[Role]:
    found = records.roles(caller.account, {caller.iam_id}, caller.region, namespace)
    return found.get(caller.iam_id, frozenset())


def _wanted(role: Role | Collection[Role]) -> frozenset[Role]:
    return frozenset({role, Role.MANAGER} if isinstance(role, Role) else {*role, Role.MANAGER})


def _needed(subject: str, role: str, namespace: str) -> Text:
    """Return what would have allowed it: nobody can give a registry token another role."""
    if subject.startswith(TOKEN_SUBJECT) and role == Role.WRITER.value:
        return Text("a registry token that may write")
    return Text("the role {role} on the namespace {namespace}", role=role, namespace=namespace)


def _least(actions: Sequence[str]) -> str:
    """Return the least of the roles that allow all ``actions``."""
    return next((role.value for role in Role if role.actions.issuperset(actions)), "")


def _named(role: Role | Collection[Role]) -> str:
    if isinstance(role, Role):
        return role.value
    return " or ".join(sorted(one.value for one in role))


def _visibility(grants: Collection[tuple[str, str]]) -> Visibility:
    return Visibility(
        accounts=frozenset(account for account, namespace in grants if not namespace),
        namespaces=frozenset((account, namespace) for account, namespace in grants if namespace),
    )
