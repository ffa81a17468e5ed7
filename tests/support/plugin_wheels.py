"""Wheels of plug-ins: the house's own, built; and others written byte by byte, sound or not."""

from __future__ import annotations

import base64
import hashlib
import subprocess
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def built() -> dict[str, Path]:
    """The wheels that the server offers, by plug-in name; built where they are out of date."""
    subprocess.run(["make", "-s", "plugins"], cwd=ROOT, check=True, capture_output=True)
    names = ("container-registry", "container-service")
    folder = ROOT / "build" / "plugins"
    return {name: next(folder.glob(f"*{name.replace('-', '_')}-*.whl")) for name in names}


@dataclass
class WheelMaker:
    """A wheel of a plug-in with the command ``NAMESPACE hello``; fields may be made wrong."""

    name: str = "greeter"
    version: str = "1.0.0"
    namespace: str = "greet"
    package: str = "greeter"
    sessions: str = "(2,)"
    says: str = "hello"
    requires: tuple[str, ...] = ("wharfinger-cli>=0.9.0",)
    tag: str = "py3-none-any"
    files: dict[str, bytes] = field(default_factory=dict)

    def write(self, folder: Path) -> Path:
        """Write the wheel into ``folder``."""
        info = f"{self.name.replace('-', '_')}-{self.version}.dist-info"
        files = {**self._package(), **self._info(info), **self.files}
        record = "".join(
            f"{name},{_hash(content)},{len(content)}\n" for name, content in files.items()
        )
        files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.name.replace('-', '_')}-{self.version}-{self.tag}.whl"
        write_zip(path, files)
        return path

    def _package(self) -> dict[str, bytes]:
        declaration = f"""
from wharf.plugin_api import Command, Namespace, Plugin

PLUGIN = Plugin(
    namespaces=(Namespace("{self.namespace}", "Greet"),),
    commands=(
        Command("hello", "Say hello", "{self.package}.hello:hello", namespace="{self.namespace}"),
    ),
    sessions={self.sessions},
)
"""
        hello = f"def hello(context):\n    context.say({self.says!r})\n"
        return {
            f"{self.package}/__init__.py": b"",
            f"{self.package}/plugin.py": declaration.encode(),
            f"{self.package}/hello.py": hello.encode(),
        }

    def _info(self, info: str) -> dict[str, bytes]:
        needs = "".join(f"Requires-Dist: {one}\n" for one in self.requires)
        metadata = (
            f"Metadata-Version: 2.1\nName: {self.name}\nVersion: {self.version}\n"
            f"Summary: Greets people\nAuthor: Somebody\n{needs}"
        )
        pure = str(self.tag == "py3-none-any").lower()
        wheel = f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: {pure}\nTag: {self.tag}\n"
        points = f"[wharf.plugins]\n{self.name} = {self.package}.plugin:PLUGIN\n"
        return {
            f"{info}/METADATA": metadata.encode(),
            f"{info}/WHEEL": wheel.encode(),
            f"{info}/entry_points.txt": points.encode(),
        }


def write_zip(path: Path, files: Mapping[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)


def _hash(content: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    return f"sha256={digest}"


def rebuilt(wheel: Path, folder: Path, version: str, change: Callable[[str, str], str]) -> Path:
    """Another version of a wheel, each text file of its package passed through ``change``."""
    with zipfile.ZipFile(wheel) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    name, old, *_ = wheel.name.split("-")
    info, new = f"{name}-{old}.dist-info", f"{name}-{version}.dist-info"
    version_line = f"Version: {old}".encode()
    made: dict[str, bytes] = {}
    for path, content in files.items():
        new_content = content
        if path.endswith(".py"):
            new_content = change(path, content.decode()).encode()
        elif path == f"{info}/METADATA":
            new_content = content.replace(version_line, f"Version: {version}".encode(), 1)
        made[path.replace(info, new, 1)] = new_content
    del made[f"{new}/RECORD"]
    record = "".join(f"{path},{_hash(content)},{len(content)}\n" for path, content in made.items())
    made[f"{new}/RECORD"] = f"{record}{new}/RECORD,,\n".encode()
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / wheel.name.replace(f"-{old}-", f"-{version}-", 1)
    write_zip(target, made)
    return target
