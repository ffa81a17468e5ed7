"""A plug-in's wheel: what it says of itself, whether it may be installed, and unpacking it.

A wheel comes from outside, so nothing in it is believed: sizes are counted while inflating, names
are checked as text, every file must have the hash that RECORD names.

Source: Binary distribution format (wheel 1.0), core metadata, entry points specification.
"""

import base64
import configparser
import hashlib
import stat
import sys
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from packaging.metadata import Metadata
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import Version

from wharf import __version__
from wharf.refusals import WheelUnsafe
from wharf.text import Text

HOST: Final = "wharfinger-cli"
GROUP: Final = "wharf.plugins"
MAX_FILE: Final = 32 * 1024 * 1024
MAX_WHEEL: Final = 64 * 1024 * 1024
MAX_UNPACKED: Final = 128 * 1024 * 1024
MAX_FILES: Final = 5000
MAX_NAME: Final = 200
_NATIVE: Final = (".so", ".pyd", ".dll", ".dylib", ".pth")
_OURS: Final = frozenset({"wharf", "wharfinger_common", "packaging"})
_BLOCK: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Metadatum:
    """What the metadata of a plug-in's wheel says that the host needs."""

    distribution: str
    version: Version
    summary: str
    author: str
    hosts: SpecifierSet
    pythons: SpecifierSet

    @property
    def minimum(self) -> str:
        """The least host version, '' where any will do."""
        least = [Version(one.version) for one in self.hosts if one.operator in {">=", "==", "~="}]
        return str(max(least)) if least else ""

    @property
    def compatible(self) -> bool:
        """Whether this host, under this Python, can run it."""
        python = ".".join(map(str, sys.version_info[:3]))
        return self.hosts.contains(__version__, prereleases=True) and self.pythons.contains(
            python, prereleases=True
        )


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel that was looked through; ``place`` is the ``MODULE:NAME`` of the declaration."""

    path: Path
    sha256: str
    name: str
    package: str
    place: str
    metadata: Metadatum
    hashes: dict[str, str]


def parse_metadata(content: bytes) -> Metadatum:
    """Return what a METADATA file says.

    Raises:
        ValueError: it is malformed, or needs more than the host.
    """
    told = Metadata.from_email(content, validate=False)
    needed = [one for one in told.requires_dist or () if _applies(one)]
    others = [one.name for one in needed if canonicalize_name(one.name) != HOST]
    if others:
        raise ValueError(f"it needs {', '.join(others)}")
    hosts = SpecifierSet()
    for one in needed:
        hosts &= one.specifier
    return Metadatum(
        distribution=canonicalize_name(told.name),
        version=told.version,
        summary=told.summary or "",
        author=told.author or told.author_email or "",
        hosts=hosts,
        pythons=told.requires_python or SpecifierSet(),
    )


def inspect(path: Path) -> Wheel:
    """Return what the wheel at ``path`` is.

    Raises:
        WheelUnsafe: it must not be installed; the text says why.
    """
    with _opened(path) as archive:
        names = _names(path, archive)
        tops = {PurePosixPath(name).parts[0] for name in names}
        infos = {top for top in tops if top.endswith(".dist-info")}
        packages = tops - infos
        if len(infos) != 1 or len(packages) != 1:
            raise _unsafe(path, Text("it must hold one package and its metadata, and nothing else"))
        info, package = infos.pop(), packages.pop()
        if not package.isidentifier() or package in _OURS | sys.stdlib_module_names:
            raise _unsafe(path, Text("its package cannot be called {name}", name=package))
        _require_pure(path, archive, info)
        metadata = _metadata(path, archive, info)
        name, place = _entry_point(path, archive, info)
        if place.partition(":")[0].partition(".")[0] != package:
            raise _unsafe(path, Text("its declaration is not in its package"))
        hashes = _record(path, archive, info, names)
    return Wheel(path, sha256_of(path), name, package, place, metadata, hashes)


def unpack(wheel: Wheel, target: Path) -> None:
    """Unpack into the new folder ``target``; a failure leaves it half filled, for the caller.

    Raises:
        WheelUnsafe: a file is not what RECORD says, or more than may be.
    """
    left = MAX_UNPACKED
    with _opened(wheel.path) as archive:
        for entry in archive.infolist():
            if entry.is_dir():
                continue
            place = target.joinpath(*PurePosixPath(entry.filename).parts)
            place.parent.mkdir(parents=True, exist_ok=True)
            content = _content(wheel.path, archive, entry.filename, min(left, MAX_FILE))
            left -= len(content)
            expected = wheel.hashes.get(entry.filename)
            if expected is not None and expected != _urlsafe(content):
                raise _unsafe(
                    wheel.path, Text("{name} is not what RECORD says", name=entry.filename)
                )
            with place.open("xb") as file:
                file.write(content)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _applies(requirement: Requirement) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": ""})


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        if path.stat().st_size > MAX_WHEEL:
            raise _unsafe(path, Text("it is too large"))
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise _unsafe(path, Text("it is no wheel, or a damaged one")) from error


def _names(path: Path, archive: zipfile.ZipFile) -> list[str]:
    """Return the names of all files, each of which is safe to make below a new folder."""
    entries = archive.infolist()
    if len(entries) > MAX_FILES or sum(one.file_size for one in entries) > MAX_UNPACKED:
        raise _unsafe(path, Text("it holds too much"))
    for one in entries:
        mode = one.external_attr >> 16
        odd = stat.S_IFMT(mode) not in {0, stat.S_IFREG, stat.S_IFDIR}
        if odd or one.flag_bits & 1 or not _is_plain(one.filename):
            raise _unsafe(path, Text("it holds {name}, which may not be", name=repr(one.filename)))
    names = [one.filename for one in entries if not one.is_dir()]
    if len({name.lower() for name in names}) != len(names):
        raise _unsafe(path, Text("it holds a file twice"))
    return names


def _is_plain(name: str) -> bool:
    parts = name.removesuffix("/").split("/")
    return (
        0 < len(name) <= MAX_NAME
        and name.isascii()
        and name.isprintable()
        and not set(name) & set('\\:*?"<>|')
        and all(part not in {"", ".", ".."} for part in parts)
        and not name.lower().endswith(_NATIVE)
        and not parts[0].endswith(".data")
    )


def _require_pure(path: Path, archive: zipfile.ZipFile, info: str) -> None:
    lines = _text(path, archive, f"{info}/WHEEL").splitlines()
    told = [line.partition(":") for line in lines]
    fields = [(name.strip().lower(), value.strip()) for name, _, value in told]
    tags = {value for name, value in fields if name == "tag"}
    if ("root-is-purelib", "true") not in fields or "py3-none-any" not in tags:
        raise _unsafe(path, Text("it is not pure Python"))


def _metadata(path: Path, archive: zipfile.ZipFile, info: str) -> Metadatum:
    try:
        found = parse_metadata(_text(path, archive, f"{info}/METADATA").encode())
        name, version, _build, _tags = parse_wheel_filename(_file_name(path, found))
    except (ValueError, InvalidWheelFilename, TypeError) as error:
        raise _unsafe(path, Text("its metadata is not usable: {reason}", reason=error)) from error
    if name != found.distribution or version != found.version:
        raise _unsafe(path, Text("its name is not what its metadata says"))
    return found


def _file_name(path: Path, found: Metadatum) -> str:
    """Return the name of the file; a file of another kind of name is taken as what it says."""
    if path.suffix == ".whl":
        return path.name
    return f"{found.distribution.replace('-', '_')}-{found.version}-py3-none-any.whl"


def _entry_point(path: Path, archive: zipfile.ZipFile, info: str) -> tuple[str, str]:
    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        parser.read_string(_text(path, archive, f"{info}/entry_points.txt"))
        found = parser.items(GROUP)
    except configparser.Error:
        found = []
    if len(found) != 1:
        raise _unsafe(path, Text("it does not declare one plug-in"))
    name, place = found[0]
    module, colon, attribute = place.partition(":")
    dotted = all(part.isidentifier() for part in module.split("."))
    if not colon or not dotted or not attribute.isidentifier() or not is_name(name):
        raise _unsafe(path, Text("it does not declare one plug-in"))
    return name, place


def is_name(name: str) -> bool:
    """Tell whether ``name`` may be that of a plug-in, a namespace or a command."""
    plain = name.replace("-", "").replace("_", "")
    return 0 < len(name) <= 64 and name.isascii() and plain.isalnum() and name[0].isalnum()


def _record(path: Path, archive: zipfile.ZipFile, info: str, names: list[str]) -> dict[str, str]:
    """Return file to urlsafe SHA-256; every file but RECORD itself must be there."""
    hashes: dict[str, str] = {}
    for line in _text(path, archive, f"{info}/RECORD").splitlines():
        name, _, rest = line.rpartition(",")[0].rpartition(",")
        kind, _, value = rest.partition("=")
        if kind == "sha256":
            hashes[name.strip('"')] = value
    exempt = {f"{info}/RECORD", f"{info}/RECORD.jws", f"{info}/RECORD.p7s"}
    if missing := set(names) - exempt - set(hashes):
        raise _unsafe(path, Text("RECORD says nothing of {name}", name=min(missing)))
    return hashes


def _text(path: Path, archive: zipfile.ZipFile, name: str) -> str:
    try:
        return _content(path, archive, name, 1024 * 1024).decode()
    except KeyError as error:
        raise _unsafe(path, Text("it has no {name}", name=name)) from error
    except UnicodeDecodeError as error:
        raise _unsafe(path, Text("{name} is not UTF-8", name=name)) from error


def _content(path: Path, archive: zipfile.ZipFile, name: str, limit: int) -> bytes:
    """Return a file's bytes; what its header says of its size is not believed."""
    pieces: list[bytes] = []
    size = 0
    with archive.open(name) as file:
        while piece := file.read(_BLOCK):
            size += len(piece)
            if size > limit:
                raise _unsafe(path, Text("it holds too much"))
            pieces.append(piece)
    return b"".join(pieces)


def _urlsafe(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def _unsafe(path: Path, reason: Text) -> WheelUnsafe:
    return WheelUnsafe(file=path.name, reason=reason)
