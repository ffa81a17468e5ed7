"""A real Kubernetes API server for tests: kube-apiserver over etcd, on the loopback, no kubelet.

Nodes are what tests say they are: kubelets are programs that write to this API, and so are tests.
"""

from __future__ import annotations

import csv
import json
import secrets
import ssl
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import httpx
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.support.server import ServerFailedError, free_ports
from tests.support.tools import ensure

READY_SECONDS = 120.0
STOP_SECONDS = 20.0
POLL_SECONDS = 0.1
ATTEMPTS = 3
LOG_CHARACTERS = 4000


class Kubernetes:
    """One API server with its store; a context manager.

    Two users: an administrator, and ``viewer``, who may see nodes and nothing else.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.log = folder / "kube-apiserver.log"
        self.tokens = {name: secrets.token_urlsafe(24) for name in ("admin", "viewer")}
        self._processes: list[subprocess.Popen[bytes]] = []
        self.port = 0

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._write_secrets()
        for attempt in range(1, ATTEMPTS + 1):
            try:
                self._start()
            except ServerFailedError:
                self.stop()
                if attempt == ATTEMPTS:
                    raise
            else:
                self._furnish()
                return self
        raise AssertionError("not reached")

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def authority(self) -> Path:
        """The certificate to trust: the server signs its own at the first start."""
        return self._folder / "certificates" / "apiserver.crt"

    def stop(self) -> None:
        for process in reversed(self._processes):
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._processes.clear()

    def kubeconfig(self, path: Path, context: str, user: str = "admin") -> Path:
        """Writes a kubeconfig with one context, as whoever runs a cluster hands it out."""
        cluster = {"server": self.url, "certificate-authority": str(self.authority)}
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "cluster", "cluster": cluster}],
            "users": [{"name": user, "user": {"token": self.tokens[user]}}],
            "contexts": [{"name": context, "context": {"cluster": "cluster", "user": user}}],
            "current-context": context,
        }
        # JSON is YAML.
        path.write_text(json.dumps(document))
        path.chmod(0o600)
        return path

    def call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """Calls the API as the administrator."""
        headers = {"Authorization": f"Bearer {self.tokens['admin']}"}
        with httpx.Client(base_url=self.url, verify=self._trust(), timeout=30) as client:
            answer = client.request(method, path, json=body, headers=headers)
        assert answer.is_success, answer.text
        return dict(answer.json())

    @property
    def version(self) -> str:
        """The server's version, without the v before it."""
        return str(self.call("GET", "/version")["gitVersion"]).removeprefix("v")

    def add_node(
        self,
        name: str,
        *,
        labels: Mapping[str, str] | None = None,
        addresses: Mapping[str, str] | None = None,
        ready: str = "True",
        version: str = "",
        unschedulable: bool = False,
    ) -> None:
        """Registers a node with its status, as its kubelet does."""
        status = {
            "addresses": [{"type": kind, "address": at} for kind, at in (addresses or {}).items()],
            "conditions": [{"type": "Ready", "status": ready}],
            "nodeInfo": {"kubeletVersion": version} | dict.fromkeys(_INFO, ""),
        }
        node = {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": name, "labels": dict(labels or {})},
            "spec": {"unschedulable": unschedulable},
            "status": status,
        }
        self.call("POST", "/api/v1/nodes", node)

    def remove_node(self, name: str, reason: str) -> None:
        """Deletes a node and tells why in an event, as the controllers of clouds do."""
        self.call("DELETE", f"/api/v1/nodes/{name}")
        event = {
            "metadata": {"generateName": f"{name}.", "namespace": "default"},
            "involvedObject": {"kind": "Node", "name": name},
            "reason": "DeletingNode",
            "message": reason,
            "type": "Normal",
        }
        self.call("POST", "/api/v1/namespaces/default/events", event)

    def forget_nodes(self) -> None:
        """Deletes all nodes and all events."""
        self.call("DELETE", "/api/v1/nodes")
        self.call("DELETE", "/api/v1/namespaces/default/events")

    def _start(self) -> None:
        store, peers, self.port = free_ports(3)
        etcd = [
            str(ensure("etcd")),
            f"--data-dir={self._folder / f'etcd-{store}'}",
            f"--listen-client-urls=http://127.0.0.1:{store}",
            f"--advertise-client-urls=http://127.0.0.1:{store}",
            f"--listen-peer-urls=http://127.0.0.1:{peers}",
        ]
        server = [
            str(ensure("kube-apiserver")),
            f"--etcd-servers=http://127.0.0.1:{store}",
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            f"--secure-port={self.port}",
            f"--cert-dir={self._folder / 'certificates'}",
            "--endpoint-reconciler-type=none",
            "--service-cluster-ip-range=10.0.0.0/24",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={self._folder / 'accounts.key'}",
            f"--service-account-signing-key-file={self._folder / 'accounts.key'}",
            "--authorization-mode=RBAC",
            f"--token-auth-file={self._folder / 'tokens.csv'}",
            "--disable-admission-plugins=ServiceAccount,TaintNodesByCondition",
        ]
        for command, log in ((etcd, self._folder / "etcd.log"), (server, self.log)):
            with log.open("ab") as output:
                self._processes.append(
                    subprocess.Popen(
                        command,
                        stdin=subprocess.DEVNULL,
                        stdout=output,
                        stderr=output,
                        start_new_session=True,
                    )
                )
        self._wait(lambda: self.call("GET", "/api/v1/namespaces/kube-system"))

    def _furnish(self) -> None:
        """Lets the viewer see nodes; the names that everybody may see come from the server."""
        role = {"apiGroups": [""], "resources": ["nodes"], "verbs": ["get", "list"]}
        group, kind = "rbac.authorization.k8s.io", "ClusterRole"
        path = f"/apis/{group}/v1/{kind.lower()}"
        self.call("POST", f"{path}s", {"metadata": {"name": "viewer"}, "rules": [role]})
        binding = {
            "metadata": {"name": "viewer"},
            "roleRef": {"apiGroup": group, "kind": kind, "name": "viewer"},
            "subjects": [{"apiGroup": group, "kind": "User", "name": "viewer"}],
        }
        self.call("POST", f"{path}bindings", binding)
        # Everybody who signed in may ask for the version once the server has made its own roles.
        self._wait(lambda: self.call("GET", f"{path}bindings/system:public-info-viewer"))

    def _wait(self, there: Any) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while True:
            if any(process.poll() is not None for process in self._processes):
                break
            try:
                there()
            except (AssertionError, httpx.HTTPError, OSError):
                if time.monotonic() > deadline:
                    break
                time.sleep(POLL_SECONDS)
            else:
                return
        raise ServerFailedError(f"no API server:\n{self.log.read_text()[-LOG_CHARACTERS:]}")

    def _write_secrets(self) -> None:
        key = rsa.generate_private_key(65537, 2048)
        (self._folder / "accounts.key").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.TraditionalOpenSSL,
                serialization.NoEncryption(),
            )
        )
        with (self._folder / "tokens.csv").open("w") as file:
            rows = csv.writer(file)
            rows.writerow([self.tokens["admin"], "admin", "admin", "system:masters"])
            rows.writerow([self.tokens["viewer"], "viewer", "viewer"])

    def _trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.authority))


_INFO = (
    "machineID",
    "systemUUID",
    "bootID",
    "kernelVersion",
    "osImage",
    "containerRuntimeVersion",
    "kubeProxyVersion",
    "operatingSystem",
    "architecture",
)
"""What a status must name of a node besides (Kubernetes API, NodeSystemInfo)."""
