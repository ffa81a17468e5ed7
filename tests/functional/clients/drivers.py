"""One vocabulary over the image clients, so that one scenario serves all of them.

A driver signs in, pushes an image, pulls into an empty place and tells the digest of the manifest
that arrived. What a client does otherwise has a test module of its own.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tests.functional.clients.commands import Result, run
from tests.functional.clients.engine import DockerEngine
from tests.functional.clients.images import Image, storage_options
from tests.support.tools import ensure


@dataclass(frozen=True)
class Endpoint:
    """Where a registry listens; over TLS with the folder that holds its authority's certificate."""

    registry: str
    certificates: Path | None = None

    def options(self, prefix: str = "") -> list[str]:
        """TLS options of the containers tools; ``prefix`` is ``src-`` or ``dest-`` for a copy."""
        if self.certificates is None:
            return [f"--{prefix}tls-verify=false"]
        return [f"--{prefix}cert-dir={self.certificates}"]


class Client(Protocol):
    """What a scenario needs of a client."""

    name: str

    def login(self, user: str, password: str) -> Result: ...

    def push(self, image: Image, reference: str) -> Result: ...

    def pull(self, reference: str) -> Result:
        """Pulls into a place where nothing of the image is yet."""

    def pulled_digest(self, reference: str) -> str:
        """Digest of the manifest that `pull` brought."""


class _ContainersTool:
    """What skopeo, buildah and podman share: the sign-in file and its command."""

    name: str

    def __init__(self, endpoint: Endpoint, home: Path) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.endpoint = endpoint
        self.home = home
        self.auth = home / "auth.json"
        self.auth.write_text('{"auths": {}}')  # buildah and podman refuse a missing file

    def login(self, user: str, password: str) -> Result:
        command = [*self._command(), "login", f"--authfile={self.auth}"]
        options = [*self.endpoint.options(), f"--username={user}", "--password-stdin"]
        return self._run([*command, *options, self.endpoint.registry], given=password)

    def _command(self) -> list[str]:
        return [str(ensure(self.name))]

    def _run(self, command: list[str], given: str | None = None) -> Result:
        return run(command, home=self.home, given=given, variables={"BUILDAH_ISOLATION": "chroot"})


class Skopeo(_ContainersTool):
    name = "skopeo"

    def push(self, image: Image, reference: str) -> Result:
        options = ["--insecure-policy", f"--authfile={self.auth}", *self.endpoint.options("dest-")]
        return self._run([*self._command(), "copy", *options, image.oci, f"docker://{reference}"])

    def push_all(self, layout: str, reference: str) -> Result:
        """Pushes an index with every manifest it lists."""
        options = ["--all", "--insecure-policy", f"--authfile={self.auth}"]
        options += self.endpoint.options("dest-")
        return self._run([*self._command(), "copy", *options, layout, f"docker://{reference}"])

    def pull(self, reference: str) -> Result:
        options = ["--insecure-policy", f"--authfile={self.auth}", *self.endpoint.options("src-")]
        target = f"dir:{self._folder(reference)}"
        return self._run([*self._command(), "copy", *options, f"docker://{reference}", target])

    def pulled_digest(self, reference: str) -> str:
        content = (self._folder(reference) / "manifest.json").read_bytes()
        return f"sha256:{hashlib.sha256(content).hexdigest()}"

    def inspect_raw(self, reference: str) -> Result:
        return self._remote("inspect", "--raw", f"docker://{reference}")

    def inspect(self, reference: str, *options: str) -> Result:
        return self._remote("inspect", *options, f"docker://{reference}")

    def tags(self, repository: str) -> Result:
        return self._remote("list-tags", f"docker://{repository}")

    def delete(self, reference: str) -> Result:
        return self._remote("delete", f"docker://{reference}")

    def _remote(self, verb: str, *arguments: str) -> Result:
        options = [f"--authfile={self.auth}", *self.endpoint.options()]
        return self._run([*self._command(), verb, *options, *arguments])

    def _folder(self, reference: str) -> Path:
        return self.home / f"pulled-{hashlib.sha256(reference.encode()).hexdigest()[:12]}"


class _StorageTool(_ContainersTool):
    """What buildah and podman share: a local storage that images are pulled into."""

    def push(self, image: Image, reference: str) -> Result:
        self._run([*self._command(), "pull", image.oci]).succeeded()
        listed = self._run([*self._command(), "images", "--quiet", "--no-trunc"]).succeeded()
        local = listed.output.split()[0].removeprefix("sha256:")
        return self.push_local(local, reference)

    def push_local(self, local: str, reference: str) -> Result:
        options = [f"--authfile={self.auth}", *self.endpoint.options()]
        return self._run([*self._command(), "push", *options, local, f"docker://{reference}"])

    def pull(self, reference: str) -> Result:
        self._run([*self._command(), "rmi", "--all", "--force"])
        options = [f"--authfile={self.auth}", *self.endpoint.options()]
        return self._run([*self._command(), "pull", *options, f"docker://{reference}"])

    def manifest(self, *arguments: str) -> Result:
        return self._run([*self._command(), "manifest", *arguments])

    def push_manifest_list(self, name: str, reference: str) -> Result:
        options = ["--all", f"--authfile={self.auth}", *self.endpoint.options()]
        return self.manifest("push", *options, name, f"docker://{reference}")

    def _command(self) -> list[str]:
        return storage_options(ensure(self.name), self.home)


class BuildahClient(_StorageTool):
    name = "buildah"

    def pulled_digest(self, reference: str) -> str:
        command = [*self._command(), "inspect", "--type=image", reference]
        answer = json.loads(self._run(command).succeeded().output)
        return str(answer["FromImageDigest"])


class Podman(_StorageTool):
    """Podman; it takes no state folder whose path is longer than 50 characters."""

    name = "podman"

    def __init__(self, endpoint: Endpoint, home: Path) -> None:
        super().__init__(endpoint, home)
        self._state = Path(tempfile.mkdtemp(prefix="whf-"))
        weakref.finalize(self, shutil.rmtree, self._state, ignore_errors=True)

    def pulled_digest(self, reference: str) -> str:
        command = [*self._command(), "image", "inspect", "--format={{.Digest}}", reference]
        return self._run(command).succeeded().output.strip()

    def _command(self) -> list[str]:
        command = storage_options(ensure(self.name), self.home, self._state)
        return [*command, "--cgroup-manager=cgroupfs", "--events-backend=file"]


class Docker:
    """The Docker command line with a configuration of its own, and an engine that tests share."""

    name = "docker"

    def __init__(self, endpoint: Endpoint, home: Path, engine: DockerEngine) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.endpoint = endpoint
        self.home = home
        self.engine = engine

    def __call__(self, *arguments: str, given: str | None = None) -> Result:
        fixed = [str(ensure("docker")), "--config", str(self.home), "--host", self.engine.host]
        return run([*fixed, *arguments], home=self.home, given=given)

    def login(self, user: str, password: str) -> Result:
        options = ["--username", user, "--password-stdin"]
        return self("login", *options, self.endpoint.registry, given=password)

    def push(self, image: Image, reference: str) -> Result:
        self("load", "--input", str(image.archive)).succeeded()
        self("tag", image.loaded_name, reference).succeeded()
        return self("push", reference)

    def pull(self, reference: str) -> Result:
        self.forget_images()
        return self("pull", reference)

    def pulled_digest(self, reference: str) -> str:
        answer = self("image", "inspect", "--format={{json .RepoDigests}}", reference).succeeded()
        return str(json.loads(answer.output)[0]).partition("@")[2]

    def forget_images(self) -> None:
        """Removes every image from the engine, so that a pull has to transfer all layers."""
        images = self("images", "--quiet", "--all").succeeded().output.split()
        if images:
            self("rmi", "--force", *sorted(set(images))).succeeded()


CLIENTS = ("docker", "skopeo", "buildah", "podman")


def make_client(name: str, endpoint: Endpoint, home: Path, engine: DockerEngine | None) -> Client:
    """The client of that name; only docker needs the engine."""
    if name == "docker":
        assert engine is not None
        return Docker(endpoint, home, engine)
    kinds: dict[str, type[Skopeo | BuildahClient | Podman]] = {
        "skopeo": Skopeo,
        "buildah": BuildahClient,
        "podman": Podman,
    }
    return kinds[name](endpoint, home)
