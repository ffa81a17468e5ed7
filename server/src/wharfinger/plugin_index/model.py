"""Wheels as an index shows them (PEP 427 names, PEP 503 projects, PEP 658 metadata)."""

import re
from typing import Final

from msgspec import Struct

from wharfinger_common.catalogue import web as entries
from wharfinger_common.refusals import Refusal

_NAME: Final = re.compile(
    r"(?P<project>[A-Za-z0-9](?:[A-Za-z0-9._]*[A-Za-z0-9])?)-(?P<version>[A-Za-z0-9_.!+]+)"
    r"(?:-\d[A-Za-z0-9_.]*)?-[A-Za-z0-9_.]+-[A-Za-z0-9_.]+-[A-Za-z0-9_.]+\.whl"
)
_LINE: Final = re.compile(r"^(?P<name>[A-Za-z-]+): *(?P<value>.*)$")


class PluginNotOffered(Refusal):
    """The index has no such project or file."""

    entry = entries.PLUGIN_NOT_OFFERED


class Wheel(Struct, frozen=True):
    """A file of the index; hashes are hexadecimal SHA-256, ``size`` is in bytes."""

    filename: str
    project: str
    version: str
    size: int
    sha256: str
    metadata: bytes
    metadata_sha256: str

    @property
    def requires_python(self) -> str:
        """What the metadata says of Python versions, '' for nothing."""
        return header(self.metadata, "Requires-Python")


def project_name(text: str) -> str:
    """Return a project's name in the form that URLs use (PEP 503, Normalized names)."""
    return re.sub(r"[-_.]+", "-", text).lower()


def parse_filename(filename: str) -> tuple[str, str] | None:
    """Return (project, version) of a wheel's file name, None for any other name."""
    found = _NAME.fullmatch(filename)
    return (project_name(found["project"]), found["version"]) if found else None


def header(metadata: bytes, name: str) -> str:
    """Return a field of core metadata, '' where it is not there."""
    for line in metadata.decode("utf-8", "replace").splitlines():
        if not line:
            break
        found = _LINE.match(line)
        if found and found["name"].lower() == name.lower():
            return found["value"].strip()
    return ""
