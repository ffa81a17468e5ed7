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

from wharfinger.audit.store import record
from wharfinger.blobstore.errors import StoreUnavailable
from wharfinger.database import migrate
from wharfinger.database.opening import open_database
from wharfinger.database.urls import embedded_path
from wharfinger.identity import keys
from wharfinger.identity.service import master_key
from wharfinger.identity.store import SqlStore
from wharfinger.rooms import Rooms, build_rooms
from wharfinger.serve.certificates import ensure_authority
from wharfinger.serve.files import make_private_folder, write_private
from wharfinger.settings import Settings

OPERATOR_FILE: Final = "operator.json"
_DRAFT: Final = ".operator-key"
"""Holds the API key until the operator's file does: from before it is made in the database."""


class AuthorityFailed(RuntimeError):
    """The process that makes the certificate authority did not."""


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
        SchemaUnknown: a newer version wrote the database.
        DatabaseAway, PreparationBusy: the database, or another node, kept this one waiting.
        DatabaseUnusable: the database is none, or cannot be written.
        BlobsUnusable: blobs cannot be stored where the settings say.
        MasterKeyInvalid: this node has another master key than the database is sealed with.
    """
    make_private_folder(settings.data_path)
    with migrate.exclusively(settings.database, settings.database_wait_seconds):
        migrate.upgrade(settings.database)
        _agree_on_master_key(settings)
        operator = settings.data_path / OPERATOR_FILE
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
    rooms = _rooms(settings)
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


def _rooms(settings: Settings) -> Rooms:
    try:
        return build_rooms(settings)
    except StoreUnavailable as refusal:
        raise BlobsUnusable(
            f"blobs_url: blobs cannot be stored there: {refusal.__cause__}; name a folder that the "
            "service may write, or s3://BUCKET (WHARFINGER_BLOBS_URL)"
        ) from refusal


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
    """Let the operator's file name the ports of this start; key and account stay."""
    path = settings.data_path / OPERATOR_FILE
    content = json.loads(path.read_text(encoding="utf-8"))
    addresses = _addresses(settings)
    if any(content.get(name) != value for name, value in addresses.items()):
        write_private(path, json.dumps(content | addresses, indent=2).encode() + b"\n")


def _program() -> str:
    """Return how the shell of whoever started this finds ``wharfd``."""
    return "wharfd" if shutil.which("wharfd") else shlex.quote(sys.argv[0])


def welcome(settings: Settings) -> str:
    """Return the few lines that tell a person what to type next."""
    path = settings.data_path / OPERATOR_FILE
    operator = json.loads(path.read_text(encoding="utf-8"))
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
