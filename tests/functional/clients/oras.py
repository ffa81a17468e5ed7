"""The oras command line: artifacts, what is attached to them, and the warnings it shows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.functional.clients.commands import Result, run
from tests.functional.clients.drivers import Endpoint
from tests.support.tools import ensure


class Oras:
    """Works in a folder of its own, where its files and its sign-in are."""

    def __init__(self, endpoint: Endpoint, home: Path) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.endpoint = endpoint
        self.home = home
        self._auth = home / "auth.json"

    def login(self, user: str, password: str) -> Result:
        options = [f"--username={user}", "--password-stdin"]
        return self._run("login", *options, self.endpoint.registry, given=password)

    def push(self, reference: str, *files: str) -> Result:
        """Push files of `home` as an artifact; each is ``NAME:MEDIA_TYPE``."""
        return self._run("push", "--artifact-type=application/vnd.example.data", reference, *files)

    def attach(self, reference: str, kind: str, *files: str) -> Result:
        """Push files of `home` as an artifact about what ``reference`` names."""
        return self._run("attach", f"--artifact-type={kind}", reference, *files)

    def referrers(self, reference: str, kind: str = "") -> list[dict[str, Any]]:
        """Return what is attached to ``reference`` itself."""
        only = [f"--artifact-type={kind}"] if kind else []
        told = self._run("discover", "--format=json", *only, reference).succeeded().output
        found = json.loads(told).get("referrers")
        return list(found or [])

    def pull(self, reference: str, folder: str) -> Result:
        """Pull the files of an artifact into a folder within `home`."""
        return self._run("pull", f"--output={folder}", reference)

    def copy(self, source: str, target: str) -> Result:
        """Copy an artifact between repositories with all that is attached to it."""
        sides = [
            option.replace("--", f"--{side}-")
            for side in ("from", "to")
            for option in self._options()
        ]
        return self._finish(["cp", "--recursive", *sides, source, target])

    def __call__(self, *words: str) -> Result:
        """Run any other command, of one or two words, with its arguments."""
        return self._run(*words)

    def _run(self, *words: str, given: str | None = None) -> Result:
        command, *rest = words
        if command in {"repo", "manifest", "blob"}:
            command, rest = f"{command} {rest[0]}", rest[1:]
        return self._finish([*command.split(), *self._options(), *rest], given)

    def _options(self) -> list[str]:
        certificates = self.endpoint.certificates
        if not certificates:
            return [f"--registry-config={self._auth}", "--plain-http"]
        # Said expressly, as localhost would be taken for a registry without TLS.
        way = ["--plain-http=false", f"--ca-file={certificates / 'ca.crt'}"]
        return [f"--registry-config={self._auth}", *way]

    def _finish(self, words: list[str], given: str | None = None) -> Result:
        return run([ensure("oras"), *words], home=self.home, given=given)
