"""Agreeing on the master key: every node of a deployment seals with the same one."""

import hmac
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from wharfinger.identity.ports import SigningKey, Store
from wharfinger.identity.secrets import (
    MasterKeyInvalid,
    Seal,
    fingerprint,
    load_master_key,
    load_or_create_master_key,
)
from wharfinger.identity.service.keyring import PURPOSE

FACT: Final = "master-key"
"""Under which the database keeps the fingerprint of the key in use."""


class MasterKeyForeign(MasterKeyInvalid):
    """The database is sealed with another master key than this node has."""


def agree(store: Store, path: Path) -> None:
    """See to it that the master key at ``path`` is the one that the database is sealed with.

    The first node makes the key, and leaves its fingerprint in the database; only one node at a
    time may call.

    Raises:
        MasterKeyForeign: the database knows another key; the text says what to do.
        MasterKeyInvalid: the file does not hold a master key, or cannot be read or made.
    """
    try:
        _agree(store, path)
    except OSError as error:
        raise MasterKeyInvalid(
            f"master_key_file: '{path}' cannot be read or made: {error.strerror}; let the "
            "service's user do so, or name another file (WHARFINGER_MASTER_KEY_FILE)"
        ) from error


def _agree(store: Store, path: Path) -> None:
    with store.reading() as records:
        known = records.fact(FACT)
        sealed: Sequence[SigningKey] = records.signing_keys() if known is None else ()
    if known is None:
        # What was there before the fingerprint was kept needs its key as well.
        key = load_master_key(path) if sealed else load_or_create_master_key(path)
        _require_opens(Seal(key), sealed, path)
        with store.writing() as changes:
            changes.add_fact(FACT, fingerprint(key))
    elif not path.exists() or not hmac.compare_digest(known, fingerprint(load_master_key(path))):
        raise _foreign(path)


def _require_opens(seal: Seal, sealed: Sequence[SigningKey], path: Path) -> None:
    for key in sealed:
        try:
            seal.open(key.private_key, PURPOSE)
        except MasterKeyInvalid as error:
            raise _foreign(path) from error


def _foreign(path: Path) -> MasterKeyForeign:
    return MasterKeyForeign(
        f"the database is sealed with another master key than the one at '{path}'; copy the file "
        "master.key of a node that runs on this database (or of its backup) there, with mode 0600"
    )
