"""Where the command line keeps what it must remember, and how it writes files safely."""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from wharf.environment import home, variable

FILE_MODE: Final = 0o600
FOLDER_MODE: Final = 0o700
MAX_BYTES: Final = 16 * 1024 * 1024


def config_folder(environ: Mapping[str, str]) -> Path:
    """Return the configuration folder, which may not exist yet.

    ``*_CONFIG_HOME`` is the folder itself; otherwise it is below ``*_HOME`` or the home folder:
    ``.ibmcloud`` where that is present, else ``.bluemix``.
    """
    if told := variable(environ, "CONFIG_HOME"):
        return Path(told)
    above = Path(variable(environ, "HOME") or home(environ))
    modern = above / ".ibmcloud"
    return modern if modern.is_dir() else above / ".bluemix"


def make_folder(path: Path) -> Path:
    """Make a private folder, with all above it, where it is missing."""
    if not path.is_dir():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir(mode=FOLDER_MODE, exist_ok=True)
    return path


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file; an empty one where there is no file.

    Raises:
        FileUnreadable: it cannot be read, is too large, or holds something else.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error
    try:
        value = json.loads(content) if content.strip() else {}
    except (ValueError, RecursionError) as error:
        raise _unreadable(path, str(error)) from error
    if not isinstance(value, dict) or len(content) > MAX_BYTES:
        raise _unreadable(path, "not a JSON object of ours")
    return value


def _unreadable(path: Path, reason: str) -> Exception:
    # Imported late, as all that only failures need.
    from wharf.refusals import FileUnreadable

    return FileUnreadable(reason=f"{path}: {reason}")


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write a JSON file, private and at once: a reader sees the old one or the new one, whole."""
    write_file(path, json.dumps(value, indent=2, ensure_ascii=False).encode() + b"\n")


def write_file(path: Path, content: bytes, mode: int = FILE_MODE) -> None:
    """Write a file at once: what is there before stays until all of the new one is on disk.

    Raises:
        FileUnwritable: nothing was changed.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        make_folder(path.parent)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, mode)
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, mode)
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        temporary.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        from wharf.refusals import FileUnwritable

        raise FileUnwritable(reason=f"{path}: {error.strerror or error}") from error
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file at ``path`` while others who want it wait; made where it is missing.

    The lock ends with the process, however that ends.
    """
    make_folder(path.parent)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
