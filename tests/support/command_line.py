"""Runs the installed command line as a process, under any of its names, in a home of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

SECONDS = 120
CHINESE = "zh_CN.UTF-8"


@dataclass(frozen=True)
class Done:
    """What a command ended with."""

    code: int
    out: str
    err: str


@dataclass
class CommandLine:
    """One user on one machine: a home folder, a language, and the name that is typed."""

    home: Path
    name: str = "ibmcloud"
    locale: str = "en_US.UTF-8"
    variables: dict[str, str] = field(default_factory=dict)
    prefix: tuple[str, ...] = ()
    """What runs the program, such as ``ip netns exec NAME``."""

    @property
    def folder(self) -> Path:
        """The configuration folder."""
        return self.home / ".bluemix"

    @property
    def environment(self) -> dict[str, str]:
        ours = ("WHARF_", "IBMCLOUD_", "BLUEMIX_", "WHARFINGER_", "LC_")
        kept = {k: v for k, v in os.environ.items() if not k.startswith(ours) and k != "NO_COLOR"}
        return {**kept, "HOME": str(self.home), "LANG": self.locale, **self.variables}

    def __call__(
        self, *words: str, stdin: str = "", variables: Mapping[str, str] | None = None
    ) -> Done:
        """Run a command, without a terminal."""
        done = subprocess.run(
            [*self.prefix, program(self.name), *words],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            env={**self.environment, **(variables or {})},
            cwd=self.home,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def ok(self, *words: str, stdin: str = "") -> str:
        """Run a command that must succeed and return what it wrote."""
        done = self(*words, stdin=stdin)
        assert done.code == 0, f"{words}: {done.code}\n{done.out}\n{done.err}"
        return done.out

    def failed(self, *words: str, stdin: str = "") -> str:
        """Run a command that must end with FAILED and return what it said below that."""
        done = self(*words, stdin=stdin)
        first, _, rest = done.out.partition("\n")
        assert (done.code, first) == (1, "失败" if self.locale == CHINESE else "FAILED"), done
        assert rest.endswith("\n\n")
        return rest.removesuffix("\n\n")

    def refused(self, *words: str, stdin: str = "") -> str:
        """As `failed`, of a command that tells what it does before it fails."""
        done = self(*words, stdin=stdin)
        word = "失败" if self.locale == CHINESE else "FAILED"
        _, found, rest = done.out.partition(f"\n{word}\n")
        assert done.code == 1, done
        assert found, done
        return rest.removesuffix("\n\n")

    def in_chinese(self) -> CommandLine:
        """The same user with a Chinese system."""
        return replace(self, locale=CHINESE)

    def named(self, name: str) -> CommandLine:
        """The same user, who types another name."""
        return replace(self, name=name)


def program(name: str) -> str:
    """The program of this environment."""
    return str(Path(sys.executable).parent / name)
