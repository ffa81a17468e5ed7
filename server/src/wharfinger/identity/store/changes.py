"""Writing: what one unit may do to identity's records.

Where units run side by side (PostgreSQL), rows are locked in this order: the account, the user,
credentials by id, API keys by id. Rows of one table that a unit changes together it locks sorted
first: two units never wait for each other.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

from msgspec.structs import asdict
from sqlalchemy import Table, case, delete, or_, select, update

from wharfinger.database.dialect import insert
from wharfinger.identity.model import (
    Account,
    ApiKey,
    Credential,
    CredentialKind,
    Policy,
    ServiceId,
    User,
)
from wharfinger.identity.ports import SigningKey
from wharfinger.identity.store import rows
from wharfinger.identity.store.passcodes import PasscodeChanges
from wharfinger.identity.store.registry_tokens import TokenChanges
from wharfinger.identity.tables import (
    accounts,
    api_keys,
    credentials,
    facts,
    memberships,
    policies,
    service_ids,
    signin_failures,
    signing_keys,
    users,
)

_FAILURES_FORGOTTEN: Final = 100
"""Old counts that one more failure removes: more than it adds."""


class SqlChanges(PasscodeChanges, TokenChanges):
    """Implements ``identity.ports.Changes`` over one connection, save for the audit row."""

    def lock_account(self, account: str) -> None:
        """Let no other unit that locked the account run until this one ends."""
        # SQLite has one writer and leaves it out. What refers to the account need not wait.
        self._connection.execute(
            select(accounts.c.id).where(accounts.c.id == account).with_for_update(key_share=True)
        )

    def add_account(self, account: Account) -> None:
        """Add an account."""
        self._connection.execute(insert(self._connection, accounts).values(asdict(account)))

    def add_user(self, user: User) -> User:
        """Add the user, or return the one that has this e-mail already.

        It stays until the unit ends: whoever removes it from its last account waits.
        """
        query = select(users).where(users.c.email == user.email)
        held = query.with_for_update(read=True, key_share=True)
        while True:
            self._add_unless_there(users, asdict(user))
            # The one that was in the way may have been removed while this unit waited for it.
            if (found := self._connection.execute(held).one_or_none()) is not None:
                return rows.user(found)

    def remove_user(self, iam_id: str) -> None:
        """Remove a user who belongs to no account any more, with what tokens were issued on."""
        self._connection.execute(delete(credentials).where(credentials.c.iam_id == iam_id))
        self._connection.execute(delete(users).where(users.c.iam_id == iam_id))

    def add_member(self, account: str, iam_id: str, at: int) -> bool:
        """Add the user to the account; False if it belongs to it already."""
        values = {"account_id": account, "iam_id": iam_id, "created_at": at}
        return self._add_unless_there(memberships, values)

    def remove_member(self, account: str, iam_id: str) -> None:
        """End the membership, with the subject's policies and API keys in this account.

        The user is held: what the unit then reads of its other memberships stays true.
        """
        self._connection.execute(
            select(users.c.iam_id).where(users.c.iam_id == iam_id).with_for_update()
        )
        self._remove_belongings(account, iam_id)
        self._remove(memberships, account, iam_id)

    def add_service_id(self, service_id: ServiceId) -> None:
        """Add a service id."""
        values = asdict(service_id)
        values["account_id"] = values.pop("account")
        self._connection.execute(insert(self._connection, service_ids).values(values))

    def remove_service_id(self, account: str, iam_id: str) -> None:
        """Remove a service id with its policies and API keys."""
        self._remove_belongings(account, iam_id)
        self._remove(service_ids, account, iam_id)

    def add_credential(self, credential: Credential) -> None:
        """Add a credential; nothing happens if its id is taken."""
        self._add_unless_there(credentials, _credential(credential))

    def replace_password(self, old: str | None, credential: Credential, password_hash: str) -> bool:
        """Let ``credential`` take the place of the one called ``old``; False if that is gone.

        Tokens that were issued on the old one end. None for ``old`` means that there is none.
        """
        held = select(users.c.iam_id).where(users.c.iam_id == credential.iam_id).with_for_update()
        self._connection.execute(held)
        passwords = (
            credentials.c.iam_id == credential.iam_id,
            credentials.c.kind == CredentialKind.PASSWORD.value,
        )
        found = self._connection.execute(select(credentials.c.id).where(*passwords)).scalars()
        if list(found) != ([] if old is None else [old]):
            return False
        self._connection.execute(delete(credentials).where(*passwords))
        self._connection.execute(
            update(users)
            .where(users.c.iam_id == credential.iam_id)
            .values(password_hash=password_hash)
        )
        self.add_credential(credential)
        return True

    def raise_epochs(self, iam_id: str) -> None:
        """End the registry tokens that were issued to this subject."""
        own = select(credentials.c.id).where(credentials.c.iam_id == iam_id)
        self._connection.execute(own.order_by(credentials.c.id).with_for_update())
        self._connection.execute(
            update(credentials)
            .where(credentials.c.iam_id == iam_id)
            .values(epoch=credentials.c.epoch + 1)
        )

    def add_api_key(self, key: ApiKey, sha256: bytes) -> None:
        """Add an API key and its credential."""
        credential = Credential(key.id, key.iam_id, CredentialKind.API_KEY, 0)
        self._connection.execute(
            insert(self._connection, credentials).values(_credential(credential))
        )
        values = asdict(key)
        values["account_id"] = values.pop("account")
        self._connection.execute(
            insert(self._connection, api_keys).values(secret_sha256=sha256, locked=False, **values)
        )

    def remove_api_key(self, account: str, key: str) -> None:
        """Remove an API key and its credential: tokens issued on it end."""
        # Its credential first, as everywhere.
        held = select(credentials.c.id).where(credentials.c.id == key).with_for_update()
        self._connection.execute(held)
        removed = self._connection.execute(
            delete(api_keys).where(api_keys.c.account_id == account, api_keys.c.id == key)
        )
        if removed.rowcount:
            self._connection.execute(delete(credentials).where(credentials.c.id == key))

    def add_policy(self, policy: Policy) -> bool:
        """Add a policy; False if the account has this very one already."""
        values = asdict(policy) | {"role": policy.role.value}
        values["account_id"] = values.pop("account")
        return self._add_unless_there(policies, values)

    def remove_policy(self, account: str, policy: str) -> None:
        """Remove a policy."""
        self._connection.execute(
            delete(policies).where(policies.c.account_id == account, policies.c.id == policy)
        )

    def remove_namespace_policies(self, account: str, region: str, namespace: str) -> Sequence[str]:
        """Remove the policies that name the namespace; return the subjects that had one."""
        of_it = (
            policies.c.account_id == account,
            policies.c.region == region,
            policies.c.namespace == namespace,
        )
        subjects = self._connection.execute(select(policies.c.iam_id).where(*of_it).distinct())
        found = sorted(subjects.scalars())
        self._connection.execute(delete(policies).where(*of_it))
        return found

    def add_signing_key(self, key: SigningKey) -> bool:
        """Add a signing key; False if another process has added this generation already."""
        return self._add_unless_there(signing_keys, asdict(key))

    def raise_longest_life(self, seconds: int) -> None:
        """Note that keys may sign tokens that live this long."""
        self._hold_signing_keys()
        self._connection.execute(
            update(signing_keys)
            .where(signing_keys.c.longest_life < seconds)
            .values(longest_life=seconds)
        )

    def remove_signing_keys(self, kids: Collection[str]) -> None:
        """Remove signing keys."""
        self._hold_signing_keys()
        self._connection.execute(delete(signing_keys).where(signing_keys.c.kid.in_(kids)))

    def add_fact(self, name: str, value: str) -> bool:
        """Write something down of the whole deployment, for good; False if it was already."""
        return self._add_unless_there(facts, {"name": name, "value": value})

    def add_failure(self, keys: Collection[str], now: int, window: int) -> None:
        """Count a failed sign-in under each key; counts older than ``window`` s start anew."""
        table = signin_failures.c
        over = table.window_start <= now - window
        # In one order, so that two units never wait for each other's rows.
        values = [{"key": key, "window_start": now, "count": 1} for key in sorted(keys)]
        statement = insert(self._connection, signin_failures).values(values)
        again = {
            "window_start": case((over, now), else_=table.window_start),
            "count": case((over, 1), else_=table.count + 1),
        }
        self._connection.execute(
            statement.on_conflict_do_update(index_elements=["key"], set_=again)
        )
        # After that, and only what nobody holds: this waits for no other unit.
        old = select(table.key).where(over).limit(_FAILURES_FORGOTTEN)
        locked = self._connection.scalars(old.with_for_update(skip_locked=True)).all()
        self._connection.execute(delete(signin_failures).where(table.key.in_(locked)))

    def clear_failures(self, keys: Collection[str]) -> None:
        """Forget the failed sign-ins counted under ``keys``."""
        self._connection.execute(delete(signin_failures).where(signin_failures.c.key.in_(keys)))

    def touch_api_keys(self, used: Iterable[tuple[str, int]]) -> None:
        """Raise the last use of each API key to the given time."""
        for key, at in sorted(used):
            older = or_(api_keys.c.last_used_at.is_(None), api_keys.c.last_used_at < at)
            self._connection.execute(
                update(api_keys).where(api_keys.c.id == key, older).values(last_used_at=at)
            )

    def _hold_signing_keys(self) -> None:
        every = select(signing_keys.c.kid).order_by(signing_keys.c.kid)
        self._connection.execute(every.with_for_update())

    def _remove_belongings(self, account: str, iam_id: str) -> None:
        """Remove a subject's keys and policies in one account; end its tokens."""
        self.raise_epochs(iam_id)
        own = (api_keys.c.account_id == account, api_keys.c.iam_id == iam_id)
        held = select(api_keys.c.id).where(*own).order_by(api_keys.c.id).with_for_update()
        ids = list(self._connection.execute(held).scalars())
        self._connection.execute(delete(api_keys).where(api_keys.c.id.in_(ids)))
        self._connection.execute(delete(credentials).where(credentials.c.id.in_(ids)))
        self._remove(policies, account, iam_id)

    def _remove(self, table: Table, account: str, iam_id: str) -> None:
        self._connection.execute(
            delete(table).where(table.c.account_id == account, table.c.iam_id == iam_id)
        )

    def _add_unless_there(self, table: Table, values: dict[str, Any]) -> bool:
        statement = insert(self._connection, table).values(values).on_conflict_do_nothing()
        return self._connection.execute(statement).rowcount > 0


def _credential(credential: Credential) -> dict[str, Any]:
    return {
        "id": credential.id,
        "iam_id": credential.iam_id,
        "kind": credential.kind.value,
        "epoch": credential.epoch,
    }
