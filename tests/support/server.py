"""Runs ``wharfd serve`` as a process for tests, and talks to its APIs as a tenant would."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
from sqlalchemy import Connection

from wharfinger.database.migrate import engine_of

READY_SECONDS = 60.0
STOP_SECONDS = 45.0
POLL_SECONDS = 0.05
COMMAND_SECONDS = 120.0
LOG_TAIL_LINES = 60
START_ATTEMPTS = 3
APIKEY_GRANT = "urn:ibm:params:oauth:grant-type:apikey"
MANIFEST_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)


class ServerFailedError(Exception):
    """The server did not start or stop as it should; carries the end of its log."""


def free_ports(count: int) -> list[int]:
    """Ports of the loopback that nobody listened on, all different.

    They are bound at the same time, so one call never names a port twice. Somebody else may still
    take one before the server does, which is why `Server.start` tries again with others.
    """
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]


def wharfd() -> Path:
    """The server's command, of the environment that runs the tests."""
    beside = Path(sys.executable).parent / "wharfd"
    found = str(beside) if beside.exists() else shutil.which("wharfd")
    if found is None:
        raise ServerFailedError("no wharfd command in this environment")
    return Path(found)


@dataclass(frozen=True)
class OperatorRecord:
    """What the server's first start writes to ``operator.json``."""

    registry: str
    api: str
    trust: str
    ca: str
    account: str
    user: str
    api_key: str

    @classmethod
    def read(cls, path: Path) -> OperatorRecord:
        facts = json.loads(path.read_text())
        return cls(**{name: str(facts[name]) for name in cls.__dataclass_fields__})


class Server:
    """One server process group over one data folder; a context manager.

    ``settings`` are further ``WHARFINGER_*`` variables, ``arguments`` those of ``serve``. Ports
    stay the same over `restart`.
    """

    def __init__(
        self,
        data: Path,
        *,
        tls: bool = False,
        settings: Mapping[str, str] | None = None,
        arguments: Sequence[str] = (),
    ) -> None:
        self.data = data
        self.settings = dict(settings or {})
        self._arguments = list(arguments)
        self.log = data.with_name(f"{data.name}.log")
        self._tls = tls
        self._process: subprocess.Popen[bytes] | None = None
        self._choose_ports()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def operator(self) -> OperatorRecord:
        """The operator that the first start created."""
        return OperatorRecord.read(self.data / "operator.json")

    @property
    def registry(self) -> str:
        """HOST:PORT of the registry over plain HTTP."""
        return f"localhost:{self.port}"

    @property
    def tls_registry(self) -> str:
        """HOST:PORT of the registry over TLS."""
        return f"localhost:{self.tls_port}"

    @property
    def api(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def ca(self) -> Path:
        """PEM file of the service's own certificate authority."""
        return Path(self.operator.ca)

    @property
    def database_url(self) -> str:
        """The URL of the service's database."""
        return self.settings.get(
            "WHARFINGER_DATABASE_URL", f"sqlite:///{self.data / 'wharfinger.db'}"
        )

    @contextlib.contextmanager
    def database(self) -> Iterator[Connection]:
        """The running service's database, as something from outside would open it."""
        engine = engine_of(self.database_url)
        try:
            with engine.begin() as connection:
                yield connection
        finally:
            engine.dispose()

    @property
    def pid(self) -> int:
        """Process id of the supervisor."""
        if self._process is None:
            raise ServerFailedError("the server is not running")
        return self._process.pid

    def start(self) -> None:
        """Starts and waits until ``/health/ready`` answers 200.

        A first start whose ports were taken in the meantime tries again with others.
        """
        fresh = not self.data.exists()
        for attempt in range(1, START_ATTEMPTS + 1):
            self._spawn()
            try:
                self._wait_ready()
            except ServerFailedError as error:
                self.kill9()
                retry = fresh and "address already in use" in str(error).lower()
                if not retry or attempt == START_ATTEMPTS:
                    raise
                self._choose_ports()
            else:
                return

    def stop(self) -> None:
        """Asks the supervisor to end (SIGTERM); kills the whole group where it does not."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_SECONDS)
        self.kill9()

    def kill9(self) -> None:
        """Ends every process of the server at once, as a power cut would."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process = None

    def restart(self) -> None:
        """Stops where it still runs, and starts on the same data and ports."""
        self.stop()
        self.start()

    def log_tail(self, lines: int = LOG_TAIL_LINES) -> str:
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    def _choose_ports(self) -> None:
        self.port, self.trust_port, self.tls_port = free_ports(3)

    def environment(self) -> dict[str, str]:
        """The variables that the server, and its operator's commands, are started with."""
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("WHARFINGER_")}
        return {
            **inherited,
            "WHARFINGER_DATA": str(self.data),
            "WHARFINGER_PORT": str(self.port),
            "WHARFINGER_TRUST_PORT": str(self.trust_port),
            "WHARFINGER_TLS_PORT": str(self.tls_port if self._tls else 0),
            "WHARFINGER_WORKERS": "1",
            "WHARFINGER_LOG_LEVEL": "info",
            **self.settings,
        }

    def told(self, *arguments: str, code: int = 0) -> Any:
        """The JSON that ``wharfd`` prints, run beside the service; it has to end with ``code``."""
        done = subprocess.run(
            [wharfd(), *arguments, "--output", "json"],
            env=self.environment(),
            capture_output=True,
            timeout=COMMAND_SECONDS,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stderr
        return json.loads(done.stdout)

    def wait_for_jobs(self) -> None:
        """Waits until the jobs process of a first start is at work: that is after readiness.

        What makes the blob store's folders when it opens the store has done so by then.
        """
        deadline = time.monotonic() + READY_SECONDS
        while not self.told("jobs"):
            assert time.monotonic() < deadline, self.log_tail()
            time.sleep(POLL_SECONDS)

    def _spawn(self) -> None:
        if self._process is not None:
            raise ServerFailedError("the server runs already")
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [wharfd(), "serve", *self._arguments],
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _wait_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if self._process is not None and self._process.poll() is not None:
                raise ServerFailedError(
                    f"wharfd ended with {self._process.returncode}:\n{self.log_tail()}"
                )
            if self._is_ready():
                return
            time.sleep(POLL_SECONDS)
        raise ServerFailedError(f"not ready after {READY_SECONDS:.0f} s:\n{self.log_tail()}")

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.api}/health/ready", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False


class Identity:
    """Whoever holds an API key in an account: calls the identity and control APIs as that one."""

    def __init__(self, api: str, account: str, api_key: str) -> None:
        self.account = account
        self.api_key = api_key
        self.http = httpx.Client(base_url=api, timeout=60)

    def close(self) -> None:
        self.http.close()

    def iam_token(self) -> str:
        form = {"grant_type": APIKEY_GRANT, "apikey": self.api_key}
        answer = self.http.post("/identity/token", data=form)
        return str(_ok(answer)["access_token"])

    def registry_token(self, scopes: Sequence[str] = ()) -> str:
        """A bearer token for the registry, narrowed to ``scopes`` (``repository:NAME:pull,push``).

        Distribution token specification, Requesting a token.
        """
        query: list[tuple[str, str | int | float | bool | None]] = [("service", "registry")]
        query += [("scope", scope) for scope in scopes]
        answer = self.http.get(
            "/oauth/token", params=query, auth=httpx.BasicAuth("iamapikey", self.api_key)
        )
        return str(_ok(answer)["token"])

    def add_namespace(self, name: str) -> None:
        """Makes the account the owner of a namespace; one that it owns already is fine."""
        _ok(self.http.put(f"/api/v1/namespaces/{name}", headers=self._headers(self.account)))

    def create_service_id(self, name: str) -> dict[str, Any]:
        return self._create("serviceids", {"name": name})

    def create_api_key(self, name: str, iam_id: str) -> str:
        """A new API key of a user or service id; the key itself."""
        return str(self._create("apikeys", {"name": name, "iam_id": iam_id})["apikey"])

    def create_user(self, email: str, role: str, password: str | None = None) -> dict[str, Any]:
        body = {"email": email, "role": role}
        return self._create("users", {**body, "password": password} if password else body)

    def grant(self, iam_id: str, role: str, namespace: str | None = None) -> dict[str, Any]:
        """Gives Reader, Writer or Manager on a namespace, or on all of the account's."""
        return self._create("policies", {"iam_id": iam_id, "role": role, "namespace": namespace})

    def service_key(self, name: str, role: str, namespace: str | None = None) -> str:
        """An API key of a new service id with one role."""
        iam_id = str(self.create_service_id(name)["iam_id"])
        self.grant(iam_id, role, namespace)
        return self.create_api_key(name, iam_id)

    def set_quotas(self, *, storage: int | None = None, traffic: int | None = None) -> None:
        """Sets the account's own limits, in megabytes."""
        body = {"storage_megabytes": storage, "traffic_megabytes": traffic}
        self._call("PATCH", "/api/v1/quotas", {k: v for k, v in body.items() if v is not None})

    def quotas(self) -> dict[str, Any]:
        """Limits and usage of the account, in bytes."""
        return self._call("GET", "/api/v1/quotas")

    def upgrade_plan(self, plan: str) -> None:
        """Changes to a larger plan."""
        self._call("PATCH", "/api/v1/plans", {"plan": plan})

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        headers = self._headers(self.account)
        return _ok(self.http.request(method, path, json=body, headers=headers))

    def usage(self, first: str, last: str) -> list[dict[str, Any]]:
        """What was stored and downloaded in each month between two (``YYYY-MM``), both included."""
        months = self._call("GET", f"/api/v1/usage?from={first}&to={last}")["months"]
        return list(months)

    def explained(self, request_id: str) -> dict[str, Any]:
        """Why a request was refused."""
        return self._call("GET", f"/api/v1/explain/{request_id}")

    def registry_secret(self, *, write: bool = False, permanent: bool = False) -> str:
        """A new registry token: the password to the user name ``token``."""
        query = f"write={str(write).lower()}&permanent={str(permanent).lower()}"
        return str(self._call("POST", f"/api/v1/tokens?{query}")["token"])

    def remove_registry_secret(self, secret: str) -> None:
        """Revokes a registry token, by the id that its middle part tells."""
        middle = secret.split(".")[1]
        told = json.loads(base64.b64decode(middle + "=" * (-len(middle) % 4)))
        self._call("DELETE", f"/api/v1/tokens/{told['jti']}")

    def manifest(self, repository: str, reference: str) -> Manifest:
        """A manifest as the registry serves it, its digest computed here from the bytes."""
        token = self.registry_token([f"repository:{repository}:pull"])
        headers = {"Authorization": f"Bearer {token}", "Accept": ", ".join(MANIFEST_TYPES)}
        answer = self.http.get(f"/v2/{repository}/manifests/{reference}", headers=headers)
        answer.raise_for_status()
        return Manifest(answer.headers["Content-Type"], answer.content)

    def _headers(self, account: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.iam_token()}", "Account": account}

    def _create(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        path = f"/identity/v1/{kind}"
        return _ok(self.http.post(path, json=body, headers=self._headers(self.account)))


class Tenant(Identity):
    """An account of its own, apart from every other tenant, with one namespace."""

    namespace: str


class Operator(Identity):
    """The operator that the first start created: the only one who may create accounts."""

    @classmethod
    def of(cls, server: Server) -> Operator:
        record = server.operator
        return cls(server.api, record.account, record.api_key)

    def create_tenant(self, name: str, plan: str = "standard") -> Tenant:
        """A new account with an owner (Manager) of its own and one namespace called ``name``.

        The operator's key acts in the operator's account only, so the owner signs in with a
        password once and makes the API key that the tenant uses from then on.
        """
        email, password = f"{name}@example.com", secrets.token_urlsafe(24)
        owner = {"owner_email": email, "owner_password": password}
        account = str(self._create("accounts", {"name": name, "plan": plan, **owner})["id"])
        token = self._password_token(email, password)
        headers = {"Authorization": f"Bearer {token}", "Account": account}
        answer = self.http.post("/identity/v1/apikeys", json={"name": name}, headers=headers)
        tenant = Tenant(str(self.http.base_url), account, str(_ok(answer)["apikey"]))
        tenant.namespace = name
        tenant.add_namespace(name)
        return tenant

    def _password_token(self, email: str, password: str) -> str:
        form = {"grant_type": "password", "username": email, "password": password}
        return str(_ok(self.http.post("/identity/token", data=form))["access_token"])


@dataclass(frozen=True)
class Manifest:
    """The exact bytes of a manifest and the media type they were served with."""

    media_type: str
    content: bytes

    @property
    def digest(self) -> str:
        return f"sha256:{hashlib.sha256(self.content).hexdigest()}"

    @property
    def document(self) -> dict[str, Any]:
        parsed: dict[str, Any] = json.loads(self.content)
        return parsed


def _ok(answer: httpx.Response) -> dict[str, Any]:
    """The JSON of an answer that must be a success; otherwise fails with all that was said."""
    if not answer.is_success:
        asked = answer.request
        raise AssertionError(f"{asked.method} {asked.url}: {answer.status_code} {answer.text}")
    return dict(answer.json()) if answer.content else {}
