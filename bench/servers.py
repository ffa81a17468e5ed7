"""The two registries that are compared: ours, and distribution v3 trusting our tokens."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol, Self

from tests.support.server import Operator, Server, Tenant, free_ports, wharfd
from tests.support.tools import ToolUnavailableError, provision

NAMESPACE = "bench"
BYTECODE = "bytecode"
READY_SECONDS = 60.0
POLL_SECONDS = 0.002
PEER_CONFIG = """\
version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage:
  filesystem: {{rootdirectory: {root}}}
  cache: {{blobdescriptor: inmemory}}
  delete: {{enabled: true}}
http: {{addr: "127.0.0.1:{port}", secret: benchmark}}
"""
PEER_AUTH = """\
auth:
  token:
    realm: {realm}
    service: registry
    issuer: wharfinger
    jwks: {jwks}
    signingalgorithms: [ES256]
"""


class Contender(Protocol):
    """A running registry."""

    @property
    def port(self) -> int:
        """Port on the loopback, plain HTTP."""

    @property
    def pid(self) -> int:
        """The process that leads the registry's session."""


class Ours:
    """``wharfd serve`` with one tenant, who issues the tokens that both registries accept."""

    def __init__(self, data: Path, workers: int, settings: Mapping[str, str] | None = None) -> None:
        own = our_settings(workers, data.with_name(BYTECODE))
        self._server = Server(data, settings={**own, **(settings or {})})
        self._tenant: Tenant

    def __enter__(self) -> Self:
        self._server.start()
        try:
            self._tenant = Operator.of(self._server).create_tenant(NAMESPACE)
            # Without what the first start compiled, migrated and generated in memory.
            self._server.restart()
        except BaseException:
            self._server.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._tenant.close()
        self._server.stop()

    @property
    def port(self) -> int:
        """Port on the loopback, plain HTTP."""
        return self._server.port

    @property
    def pid(self) -> int:
        """The supervisor."""
        return self._server.pid

    @property
    def data(self) -> Path:
        """The data folder."""
        return self._server.data

    @property
    def account(self) -> str:
        """The tenant's account."""
        return self._tenant.account

    def stop(self) -> None:
        """Ends the service; its data stays."""
        self._server.stop()

    def start(self) -> None:
        """Starts it again, on the same ports."""
        self._server.start()

    def wharfd(self, *arguments: str) -> str:
        """What the operator's command prints, run beside the service."""
        command = [str(wharfd()), *arguments]
        environment = self._server.environment()
        return subprocess.run(
            command, env=environment, check=True, capture_output=True, text=True
        ).stdout

    @property
    def api_key(self) -> str:
        """The tenant's API key."""
        return self._tenant.api_key

    def token(self, repositories: Sequence[str]) -> str:
        """A registry token that pulls from and pushes to the repositories."""
        return self._tenant.registry_token(
            [f"repository:{name}:pull,push" for name in repositories]
        )

    def set_quotas(self, megabytes: int) -> None:
        """Gives the tenant limits of its own, for what it stores and what is pulled."""
        self._tenant.set_quotas(storage=megabytes, traffic=megabytes)

    def catalogue_token(self) -> str:
        """A registry token that lists what the tenant may see."""
        return self._tenant.registry_token(["registry:catalog:*"])

    def control_headers(self) -> dict[str, str]:
        """Headers of a control call of the tenant's Manager."""
        token = self._tenant.iam_token()
        return {"Authorization": f"Bearer {token}", "Account": self._tenant.account}

    def jwks(self) -> bytes:
        """The public keys that the tokens are signed with."""
        with urllib.request.urlopen(f"{self._server.api}/identity/keys", timeout=10) as answer:
            return bytes(answer.read())


class Peer:
    """distribution v3 (Debian's docker-registry where Go is absent) over its filesystem driver.

    Its in-memory cache of blob descriptors is on, its log of accesses and its traces are off.
    ``guarded=False`` lets everybody do everything, without a token.
    """

    def __init__(self, data: Path, ours: Ours, *, guarded: bool = True) -> None:
        self.data = data
        self.port = free_ports(1)[0]
        data.mkdir(parents=True, exist_ok=True)
        jwks = data.with_name("jwks.json")
        jwks.write_bytes(ours.jwks())
        self._config = data.with_name(f"{data.name}.yml")
        realm = f"http://localhost:{ours.port}/oauth/token"
        template = PEER_CONFIG + (PEER_AUTH if guarded else "")
        self._config.write_text(template.format(root=data, port=self.port, realm=realm, jwks=jwks))
        self._first_status = 401 if guarded else 200
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The registry's only process."""
        if self._process is None:
            raise RuntimeError("the peer is not running")
        return self._process.pid

    def start(self) -> None:
        """Starts and waits until it answers."""
        environment = {**os.environ, "OTEL_TRACES_EXPORTER": "none"}
        with self.data.with_name("peer.log").open("ab") as log:
            self._process = subprocess.Popen(
                [peer_binary(), "serve", str(self._config)],
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_answer(self.port, "/v2/", self._first_status, self._process)

    def stop(self) -> None:
        """Ends it."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(30)
            self._process = None


def our_settings(workers: int, bytecode: Path) -> dict[str, str]:
    """Settings of ours beyond the defaults: tokens that outlive the run, logs as the peer's.

    Modules are compiled once, into the folder ``bytecode``, as installing a package does; where
    the machine forbids Python to write bytecode, every start would compile everything again.
    """
    return {
        "WHARFINGER_REGISTRY_TOKEN_SECONDS": "3600",
        "WHARFINGER_LOG_LEVEL": "error",
        "WHARFINGER_WORKERS": str(workers),
        "PYTHONPYCACHEPREFIX": str(bytecode),
        "PYTHONDONTWRITEBYTECODE": "",
    }


def peer_binary() -> Path:
    """The peer's executable: built from its Go module, else Debian's."""
    try:
        return provision("registry")
    except ToolUnavailableError:
        for place in ("/usr/bin/docker-registry", "/usr/bin/registry"):
            if Path(place).exists():
                return Path(place)
        raise


def peer_version() -> str:
    """What the peer says it is; the pinned version where the build carries none."""
    told = subprocess.run([peer_binary(), "--version"], capture_output=True, text=True, check=False)
    words = told.stdout.split()
    return " ".join([*words[1:], f"({peer_binary().parent.name})"])


def wait_answer(port: int, path: str, status: int, process: subprocess.Popen[bytes]) -> None:
    """Polls until a GET answers with ``status``; raises where the process ends before."""
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args!r} ended with {process.returncode}")
        if _status(port, path) == status:
            return
        time.sleep(POLL_SECONDS)
    raise RuntimeError(f"port {port}: {path} did not answer {status} in {READY_SECONDS:.0f} s")


def _status(port: int, path: str) -> int:
    try:
        with socket.create_connection(("127.0.0.1", port), 5) as connection:
            connection.sendall(
                f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
            )
            words = connection.recv(64).split(b" ", 2)
    except OSError:
        return 0
    return int(words[1]) if len(words) > 1 else 0


def image(config_digest: str, config_size: int, mark: str = "") -> bytes:
    """A small OCI image manifest whose only blob is the config; ``mark`` makes it distinct."""
    descriptor = {
        "mediaType": "application/vnd.oci.image.config.v1+json",
        "digest": config_digest,
        "size": config_size,
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": descriptor,
        "layers": [{**descriptor, "mediaType": "application/vnd.oci.image.layer.v1.tar"}],
        "annotations": {"mark": mark},
    }
    return json.dumps(manifest).encode()


MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
