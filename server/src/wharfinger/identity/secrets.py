"""Sealing what must not lie in the database in plain: AES-256-GCM under the master key."""

import hmac
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MASTER_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12


class MasterKeyInvalid(RuntimeError):
    """The master key file does not hold 32 bytes, or the key does not open what was sealed."""


class Seal:
    """Encrypts and decrypts small secrets; one sealed for a ``purpose`` opens for no other."""

    def __init__(self, master_key: bytes) -> None:
        if len(master_key) != MASTER_KEY_BYTES:
            raise MasterKeyInvalid(
                f"the master key has {len(master_key)} bytes, not {MASTER_KEY_BYTES}"
            )
        self._key = master_key

    def close(self, plain: bytes, purpose: str) -> bytes:
        """Return ``plain`` encrypted: a nonce of 12 bytes, then ciphertext and tag."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher().encrypt(nonce, plain, purpose.encode())

    def open(self, sealed: bytes, purpose: str) -> bytes:
        """Return what ``close`` sealed for the same purpose.

        Raises:
            MasterKeyInvalid: another master key or purpose, or the value was changed.
        """
        from cryptography.exceptions import InvalidTag

        try:
            return self._cipher().decrypt(
                sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], purpose.encode()
            )
        except InvalidTag as error:
            raise MasterKeyInvalid(f"the master key does not open the {purpose}") from error

    def _cipher(self) -> "AESGCM":
        # Imported here: used when signing keys are read, after the service is ready.
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        return AESGCM(self._key)


def load_or_create_master_key(path: Path) -> bytes:
    """Return the 32 bytes in the file at ``path``; make it, mode 0600, if there is none.

    The file appears whole or not at all, and of several processes that make it at once all
    return the bytes of the one that won. Its folder must exist.

    Raises:
        MasterKeyInvalid: the file holds something else.
        OSError: the file cannot be read or made.
    """
    if not path.exists():
        _create(path)
    return load_master_key(path)


def fingerprint(master_key: bytes) -> str:
    """Return 64 hexadecimal digits that tell two keys apart and nothing about either."""
    return derived(master_key, "master key fingerprint").hex()


def derived(master_key: bytes, purpose: str) -> bytes:
    """Return 32 bytes for one purpose, which tell nothing about the master key or another's."""
    return hmac.digest(master_key, f"wharfinger {purpose}".encode(), "sha256")


def load_master_key(path: Path) -> bytes:
    """Return the 32 bytes in the file at ``path``.

    Raises:
        MasterKeyInvalid: there is no such file, or it holds something else.
        OSError: the file cannot be read.
    """
    try:
        key = path.read_bytes()
    except FileNotFoundError as error:
        raise MasterKeyInvalid(f"there is no master key at '{path}'") from error
    if len(key) != MASTER_KEY_BYTES:
        raise MasterKeyInvalid(
            f"'{path}' holds {len(key)} bytes, not the {MASTER_KEY_BYTES} of a master key"
        )
    return key


def _create(path: Path) -> None:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(MASTER_KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        try:
            # A hard link fails where the name is taken; a rename would replace the winner's key.
            path.hardlink_to(draft)
        except FileExistsError:
            return
        _sync_folder(path.parent)
    finally:
        draft.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
