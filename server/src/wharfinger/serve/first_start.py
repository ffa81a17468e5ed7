"""What a start finds or makes before it serves: folder, schema, keys, authority, operator."""

import json
import os
import shlex
import shutil
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from wharfinger.audit.store import record
from wharfinger.blobstore.errors import StoreUnavailable
from wharfinger.blobstore.opening import open_store
from wharfinger.database import migrate
from wharfinger.database.opening import open_database
from wharfinger.database.urls import embedded_path
from wharfinger.identity import keys
from wharfinger.identity.service import master_key
from wharfinger.identity.store import SqlStore
from wharfinger.rooms import build_rooms
from wharfinger.serve.certificates import ensure_authority
from wharfinger.serve.files import make_private_folder, write_private
from wharfinger.settings import Settings

OPERATOR_FILE: Final = "operator.json"
_DRAFT: Final = ".operator-key"
"""Holds the API key until the operator's file does: from before it is made in the database."""


class AuthorityFailed(RuntimeError):
    """The process that makes the certificate authority did not."""


class OperatorUnusable(RuntimeError):
    """The operator's file is damaged or cannot be read."""


class BlobsUnusable(RuntimeError):
    """The place of the blobs cannot be used."""


def prepare(settings: Settings, made: Callable[[], str] | None = None) -> None:
    """Bring the data folder to where workers can start; safe to repeat after it died half way.

    Nodes that share a database do it one after the other. The operator's file is written last:
    where it exists, everything else does. ``made`` waits for another process that makes the
    certificate authority meanwhile, and returns why it failed.

    Raises:
        AuthorityFailed: it did.
        OSError: the data folder cannot be written.
        DatabaseLost: the database is empty, and was not before.
        SchemaUnknown: a newer version wrote the database.
        DatabaseAway, PreparationBusy: the database, or another node, kept this one waiting.
        DatabaseUnusable: the database is none, or cannot be written.
        BlobsUnusable: blobs cannot be stored where the settings say.
        MasterKeyInvalid: this node has another master key than the database is sealed with.
    """
    make_private_folder(settings.data_path)
    with migrate.exclusively(settings.database, settings.database_wait_seconds):
        operator = settings.data_path / OPERATOR_FILE
        # Serving an empty one would look as if everything were gone, and nobody could sign in.
        migrate.upgrade(settings.database, known=operator.exists())
        _agree_on_master_key(settings)
        _require_blobs(settings)
        content = None if operator.exists() else _operator(settings)
        if made is not None and (failure := made()):
            raise AuthorityFailed(f"the certificate authority could not be made: {failure}")
        authority = ensure_authority(settings.tls_path)
        if content is not None:
            content |= {"ca": str(authority)}
            write_private(operator, json.dumps(content, indent=2).encode() + b"\n")
        with suppress(FileNotFoundError):
            (settings.data_path / _DRAFT).unlink()


def _agree_on_master_key(settings: Settings) -> None:
    database = open_database(settings)
    try:
        master_key.agree(SqlStore(database, record, time.time), settings.master_key_path)
    finally:
        database.close()


def _operator(settings: Settings) -> dict[str, str]:
    """Return the operator's file, but for the authority.

    The API key is '' where another node has made the operator.
    """
    shared = embedded_path(settings.database) is None
    secret = _drafted_key(settings.data_path / _DRAFT)
    rooms = build_rooms(settings)
    try:
        account, iam_id, key = rooms.identity.administration.bootstrap(
            settings.operator_email, secret, once=shared
        )
        with rooms.identity.store.reading() as records:
            user = records.user(iam_id)
    finally:
        rooms.close()
    return {
        **_addresses(settings),
        "ca": "",
        "account": account,
        "user": user.email if user else settings.operator_email,
        "api_key": key,
    }


def _require_blobs(settings: Settings) -> None:
    """Refuse a folder that blobs cannot be written to; a bucket may come back later."""
    if settings.blobs_url.startswith("s3://"):
        return
    reason = ""
    try:
        open_store(settings)
    except StoreUnavailable as refusal:
        reason = str(refusal.__cause__)
    # What is in it was made by another user, or the disk cannot be written any more.
    shut = [
        path for path in (settings.blobs_path, *settings.blobs_path.glob("*/")) if not _open(path)
    ]
    if reason or shut:
        raise BlobsUnusable(
            f"blobs_url: blobs cannot be stored there: {reason or f'{shut[0]} cannot be written'}; "
            "name a folder that the service may write, or s3://BUCKET (WHARFINGER_BLOBS_URL)"
        )


def _open(folder: Path) -> bool:
    return os.access(folder, os.W_OK | os.X_OK)


def _drafted_key(path: Path) -> str:
    """Return the API key to make: the one that a start which died half way has made, maybe."""
    with suppress(FileNotFoundError):
        return path.read_text(encoding="ascii")
    secret = keys.generate()
    write_private(path, secret.encode())
    return secret


def _addresses(settings: Settings) -> dict[str, str]:
    return {
        "registry": f"localhost:{settings.port}",
        "api": f"http://localhost:{settings.port}",
        "trust": f"https://localhost:{settings.trust_port}",
    }


def refresh_addresses(settings: Settings) -> None:
    """Let the operator's file name the ports of this start; key and account stay.

    Raises:
        OperatorUnusable: it holds something else.
    """
    path = settings.data_path / OPERATOR_FILE
    content = _read_operator(path)
    addresses = _addresses(settings)
    if any(content.get(name) != value for name, value in addresses.items()):
        write_private(path, json.dumps(content | addresses, indent=2).encode() + b"\n")


def _read_operator(path: Path) -> dict[str, str]:
    try:
        content = msgspec.json.decode(path.read_bytes(), type=dict[str, str])
        missing = {"registry", "account", "user", "api_key"} - content.keys()
        reason = f"it lacks {', '.join(sorted(missing))}" if missing else ""
    except OSError as error:
        reason = error.strerror or str(error)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        reason = str(error)
    if reason:
        raise OperatorUnusable(
            f"{path} is not as this service wrote it: {reason}; put it back from a backup, or "
            "remove it: the next start writes it anew, with another API key"
        )
    return content


def _program() -> str:
    """Return how the shell of whoever started this finds ``wharfd``."""
    return "wharfd" if shutil.which("wharfd") else shlex.quote(sys.argv[0])


def welcome(settings: Settings) -> str:
    """Return the few lines that tell a person what to type next."""
    path = settings.data_path / OPERATOR_FILE
    operator = _read_operator(path)
    registry = operator["registry"]
    wharfd = f"{_program()} --data {shlex.quote(settings.data)}"
    key = [f"  the operator's API key is in {path} (api_key); to sign in:"]
    if not operator["api_key"]:
        whose = f"--account {operator['account']} --user {operator['user']}"
        key = [
            "  the operator's API key is with the node that started first; for another one:",
            f"    {wharfd} apikey add NAME {whose}",
            "  to sign in:",
        ]
    return os.linesep.join(
        [
            f"Wharfinger serves {registry}; its data is in {settings.data_path}",
            *key,
            f"    docker login -u iamapikey {registry}",
            "  a namespace for your images, then a push:",
            f"    {wharfd} namespace add team",
            f"    docker tag IMAGE {registry}/team/IMAGE && docker push {registry}/team/IMAGE",
        ]
    )
