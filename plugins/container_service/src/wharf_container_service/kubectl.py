"""Reads a cluster with the user's own kubectl, which knows how its user signs in to it."""

import json
import shutil
import subprocess
from collections.abc import Mapping
from typing import Any, Final

from wharf.plugin_api import Text
from wharf_container_service import facts
from wharf_container_service.refusals import KubectlFailed, KubectlMissing

SECONDS: Final = 60
_REASON: Final = 500


class Kubectl:
    """The kubectl that a user's PATH finds, with that user's kubeconfig."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ: Final = dict(environ)
        self._program: Final = shutil.which("kubectl", path=environ.get("PATH"))

    @property
    def found(self) -> bool:
        """Whether there is one."""
        return self._program is not None

    def knows(self, cluster: str) -> bool:
        """Whether the kubeconfig has a context of this name."""
        return cluster in self._run("config", "get-contexts", "--output=name").splitlines()

    def read(self, cluster: str, *, deleted: bool) -> "Reading":
        """Return what the cluster tells; of ``deleted`` workers too, as long as it has events.

        Raises:
            KubectlMissing, KubectlFailed: why it cannot be read.
        """
        context = f"--context={cluster}"
        nodes = self._json(context, "get", "nodes", "--output=json")
        target = self._json(context, "get", "--raw=/version").get("gitVersion", "")
        events = self._events(context) if deleted else []
        version = facts.plain_version(str(target))
        items = nodes.get("items", [])
        return Reading([facts.worker(node, version) for node in items], facts.gone(events, items))

    def ident(self, cluster: str) -> str:
        """Return the id that the cluster has of itself: that of its oldest namespace.

        '' where the user may not see it.
        """
        try:
            found = self._json(
                f"--context={cluster}", "get", "namespace", "kube-system", "--output=json"
            )
        except KubectlFailed:
            return ""
        return str(found.get("metadata", {}).get("uid", ""))

    def _events(self, context: str) -> list[dict[str, Any]]:
        selected = "--field-selector=involvedObject.kind=Node"
        try:
            found = self._json(context, "get", "events", "-n=default", selected, "--output=json")
        except KubectlFailed:
            # Who may see nodes need not see events; then nobody tells of what went.
            return []
        return list(found.get("items", []))

    def _json(self, *words: str) -> dict[str, Any]:
        try:
            return dict(json.loads(self._run(*words)))
        except (ValueError, TypeError) as error:
            raise KubectlFailed(reason=Text("its answer cannot be read")) from error

    def _run(self, *words: str) -> str:
        if self._program is None:
            raise KubectlMissing
        try:
            done = subprocess.run(  # noqa: S603 - the user's own kubectl: that is the point
                [self._program, *words],
                capture_output=True,
                check=False,
                timeout=SECONDS,
                env=self._environ,
            )
        except subprocess.TimeoutExpired as error:
            raise KubectlFailed(
                reason=Text("no answer within {seconds} seconds", seconds=SECONDS)
            ) from error
        if done.returncode:
            raise KubectlFailed(reason=done.stderr.decode(errors="replace").strip()[-_REASON:])
        return done.stdout.decode(errors="replace")


class Reading:
    """What a cluster told of its workers, and of those that are not there any more."""

    def __init__(self, workers: list[facts.Worker], deleted: list[facts.Worker]) -> None:
        self.workers: Final = workers
        self.deleted: Final = deleted
