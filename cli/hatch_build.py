"""Records at build time which commit the command line is made of, for `version`."""

import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

RECORD = "src/wharf/build.txt"


class CommitHook(BuildHookInterface):  # type: ignore[type-arg,misc] - hatchling is not installed here
    """Writes ``COMMIT-TIME`` where the build happens in a checkout, and nothing elsewhere."""

    PLUGIN_NAME = "custom"

    def initialize(self, _version: str, build_data: dict[str, Any]) -> None:
        """Write the record before the files of the build are collected."""
        root = Path(self.root)
        stamp = commit(root) if (root.parent / ".git").exists() else ""
        record = root / RECORD
        if not stamp:
            record.unlink(missing_ok=True)
            return
        record.write_text(f"{stamp}\n", encoding="ascii")
        # It is ignored by git, and would be left out of the wheel for that.
        build_data["artifacts"].append(RECORD)


def commit(folder: Path) -> str:
    """Return the commit of a checkout and its time, '' where git does not say."""
    command = ["git", "-C", str(folder), "log", "-1", "--format=%h-%cI"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()
