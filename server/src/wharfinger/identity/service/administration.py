"""Accounts, the first start, and what the operator's commands do without a caller."""

import uuid
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from wharfinger.identity import emails, keys
from wharfinger.identity.model import (
    OPERATOR_ACCOUNT,
    Account,
    AccountUnknown,
    ApiKey,
    Caller,
    Credential,
    CredentialKind,
    Member,
    OperatorOnly,
    Role,
    User,
    ValueInvalid,
)
from wharfinger.identity.ports import Changes, Page
from wharfinger.identity.service.authentication import ANONYMOUS_CREDENTIAL
from wharfinger.identity.service.desk import (
    Desk,
    audit,
    require_role,
    require_text,
    unknown,
)
from wharfinger.plans import STANDARD, Plans
from wharfinger_common.languages import Text

OPERATOR: Final = "operator"
"""The actor that audit rows name for the operator's commands."""

BOOTSTRAP_KEY: Final = "operator"
_SHOWN: Final = 100
OPERATOR_FACT: Final = "operator"
"""Under which the database keeps the iam_id of the operator that the first start made."""


class NewUser(Struct, frozen=True):
    """A user to be added; the password is hashed already, so that no unit of work waits for it."""

    email: str
    password_hash: str | None
    role: Role | None


class Administration:
    """Use cases around accounts. Blocking; every write leaves an audit row in its transaction."""

    def __init__(self, desk: Desk, plans: Plans) -> None:
        self._desk = desk
        self._plans = plans

    def bootstrap(
        self, email: str, secret: str | None = None, *, once: bool = False
    ) -> tuple[str, str, str]:
        """Return (account id, iam_id, API key) of the operator, all made in one transaction.

        ``secret`` is the API key to make; called again with the same, nothing changes. With
        another one, the key of the earlier call is replaced, since what was shown once cannot be
        shown again; or, with ``once``, it stays as whoever came first made it, and the API key
        returned is ''. Only one process may call at a time.

        Raises:
            ValueInvalid: the e-mail belongs to a user who is no operator.
        """
        email = emails.require(email)
        secret = secret or keys.generate()
        with self._desk.changing(OPERATOR_ACCOUNT) as changes:
            made = changes.credential_by_secret(keys.sha256(secret))
            if made is not None:
                return OPERATOR_ACCOUNT, made.iam_id, secret
            if once and (first := changes.fact(OPERATOR_FACT)) is not None:
                return OPERATOR_ACCOUNT, first, ""
            iam_id = self._operator(changes, email)
            for key in changes.api_keys(OPERATOR_ACCOUNT, iam_id, Page(self._desk.limit)):
                if key.name == BOOTSTRAP_KEY:
                    changes.remove_api_key(OPERATOR_ACCOUNT, key.id)
            add_api_key(self._desk, changes, OPERATOR_ACCOUNT, iam_id, secret, BOOTSTRAP_KEY, "")
            changes.add_fact(OPERATOR_FACT, iam_id)
            audit(changes, _operator(OPERATOR_ACCOUNT), "account.bootstrap", OPERATOR_ACCOUNT)
        return OPERATOR_ACCOUNT, iam_id, secret

    def create_account(
        self,
        caller: Caller,
        name: str,
        *,
        plan: str | None = None,
        owner_email: str | None = None,
        owner_password: str | None = None,
    ) -> Account:
        """Return a new account; ``owner_email`` names its first Manager, a user made if unknown.

        It begins on ``plan`` in each region, by default on that of the settings.

        Raises:
            OperatorOnly: the caller is no operator.
            ValueInvalid: a value is not allowed.
        """
        if not caller.operator:
            raise OperatorOnly
        owner = self._new_user(owner_email, owner_password, Role.MANAGER) if owner_email else None
        return self._create_account(caller, name, plan, owner)

    def accounts(self, caller: Caller, page: Page) -> Sequence[Account]:
        """Return a page of all accounts for an operator, else the caller's own."""
        with self._desk.store.reading() as records:
            if caller.operator:
                return records.accounts(page)
            own = records.account(caller.account)
        return [own] if own and own.id > page.start else []

    def account(self, caller: Caller, account: str) -> Account:
        """Return one account, for an operator or one who acts in it.

        Raises:
            NotFound: it does not exist, or is not the caller's.
        """
        with self._desk.store.reading() as records:
            found = records.account(account)
        if found is None or not (caller.operator or account == caller.account):
            raise unknown(Text("account"), account)
        return found

    def operator_create_account(self, name: str, plan: str | None = None) -> Account:
        """Return a new account, for the operator's command."""
        return self._create_account(_operator(""), name, plan, None)

    def operator_accounts(self, page: Page) -> Sequence[Account]:
        """Return a page of all accounts, for the operator's command."""
        with self._desk.store.reading() as records:
            return records.accounts(page)

    def operator_account(self, account: str) -> Account:
        """Return any account, for the operator's command.

        Raises:
            AccountUnknown: there is none of this id.
        """
        with self._desk.store.reading() as records:
            found = records.account(account)
        if found is None:
            raise AccountUnknown(account=account[:_SHOWN])
        return found

    def operator_add_user(
        self, account: str, email: str, password: str | None, role: str | None
    ) -> Member:
        """Return the user, now in ``account``, for the operator's command.

        Raises:
            AccountUnknown: there is no such account.
            ValueInvalid: a value is not allowed.
        """
        user = self._new_user(email, password, require_role(role) if role else None)
        with self._desk.changing(account) as changes:
            if changes.account(account) is None:
                raise AccountUnknown(account=account[:_SHOWN])
            return add_user(self._desk, changes, _operator(account), user)

    def operator_create_api_key(self, account: str, subject: str, name: str) -> tuple[ApiKey, str]:
        """Return an API key and its secret for a subject (iam_id or e-mail) of ``account``.

        Raises:
            NotFound: the account or its subject does not exist.
        """
        name = require_text("name", name)
        secret = keys.generate()
        with self._desk.changing(account) as changes:
            user = changes.user_by_email(emails.normalise(subject))
            iam_id = user.iam_id if user else subject
            if changes.standing(account, iam_id) is None:
                raise unknown(Text("user"), subject)
            key = add_api_key(self._desk, changes, account, iam_id, secret, name, "")
            audit(changes, _operator(account), "apikey.create", key.id, iam_id=iam_id)
        return key, secret

    def _new_user(self, email: str, password: str | None, role: Role | None) -> NewUser:
        return new_user(self._desk, email, password, role)

    def _create_account(
        self, caller: Caller, name: str, plan_name: str | None, owner: NewUser | None
    ) -> Account:
        name = require_text("name", name)
        plan = self._plan(plan_name)
        account = Account(self._desk.new_id(), name, plan, self._desk.now)
        actor = Caller(caller.iam_id, account.id, caller.credential, True, caller.request_id)
        with self._desk.changing(account.id) as changes:
            changes.add_account(account)
            audit(changes, actor, "account.create", account.id, name=name, plan=plan)
            if owner:
                add_user(self._desk, changes, actor, owner)
        return account

    def _plan(self, name: str | None) -> str:
        found = self._plans.default if name is None else self._plans.named(name)
        if found is None:
            names = ", ".join(plan.name for plan in self._plans)
            raise ValueInvalid(
                property="plan", reason=Text("it must be one of {names}", names=names)
            )
        return found.name

    def _operator(self, changes: Changes, email: str) -> str:
        """Make what is missing of the operator's account and user; return the iam_id."""
        now = self._desk.now
        if changes.account(OPERATOR_ACCOUNT) is None:
            changes.add_account(Account(OPERATOR_ACCOUNT, "operator", STANDARD.name, now))
        wanted = User(_user_id(), email, None, True, now)
        user = changes.add_user(wanted)
        if not user.operator:
            reason = Text("{email} belongs to a user who is no operator", email=email)
            raise ValueInvalid(property="operator_email", reason=reason)
        changes.add_member(OPERATOR_ACCOUNT, user.iam_id, now)
        changes.add_credential(ANONYMOUS_CREDENTIAL)
        self._desk.give_role(changes, OPERATOR_ACCOUNT, user.iam_id, Role.MANAGER)
        return user.iam_id


def new_user(desk: Desk, email: str, password: str | None, role: Role | None) -> NewUser:
    """Return a user to be added, checked and its password hashed.

    Raises:
        ValueInvalid: e-mail or password are not allowed.
        SignInBusy: too many passwords are being hashed.
    """
    return NewUser(emails.require(email), desk.passwords.hash(password) if password else None, role)


def add_user(desk: Desk, changes: Changes, actor: Caller, new: NewUser) -> Member:
    """Add a user to the actor's account and return it as that account sees it.

    One that exists keeps its password: no account may set that of another's user, and the
    answer does not tell that the e-mail was known.

    Raises:
        LimitReached: the account has too many users or policies.
    """
    account, now = actor.account, desk.now
    desk.require_room(changes, account, Text("users"))
    wanted = User(_user_id(), new.email, new.password_hash, False, now)
    user = changes.add_user(wanted)
    if user.iam_id == wanted.iam_id and new.password_hash:
        credential = "password-" + desk.new_id()
        changes.add_credential(Credential(credential, user.iam_id, CredentialKind.PASSWORD, 0))
    changes.add_member(account, user.iam_id, now)
    role = new.role and desk.give_role(changes, account, user.iam_id, new.role)
    audit(
        changes, actor, "user.add", user.iam_id, email=user.email, role=new.role and new.role.value
    )
    if role:
        audit(changes, actor, "policy.create", role.id, iam_id=user.iam_id, role=role.role.value)
    member = changes.member(account, user.iam_id)
    if member is None:
        raise RuntimeError("a member that was just added is not there")
    return member


def add_api_key(
    desk: Desk,
    changes: Changes,
    account: str,
    iam_id: str,
    secret: str,
    name: str,
    description: str,
) -> ApiKey:
    """Add an API key with this secret for a subject of the account.

    Raises:
        LimitReached: the account has too many API keys.
    """
    desk.require_room(changes, account, Text("API keys"))
    key = ApiKey("ApiKey-" + desk.new_id(), account, iam_id, name, description, desk.now)
    changes.add_api_key(key, keys.sha256(secret))
    return key


def _operator(account: str) -> Caller:
    return Caller(OPERATOR, account, "", operator=True)


def _user_id() -> str:
    return "user-" + uuid.uuid4().hex
