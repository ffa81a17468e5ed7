"""What operators type: ``wharfd`` and its answers, and how the processes behave when they end."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import re
import signal
import socket
import sqlite3
import stat
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.server import Identity, Operator, Server, free_ports, wharfd

COMMAND_SECONDS = 60.0
EVENT_SECONDS = 30.0
CHUNK = 1024 * 1024
ROOT = Path(__file__).resolve().parents[2]


def command(
    *arguments: str, given: str | None = None, settings: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs ``wharfd`` with no settings but those given."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("WHARFINGER_")}
    return subprocess.run(
        [wharfd(), *arguments],
        env={**inherited, **(settings or {})},
        input=given,
        capture_output=True,
        timeout=COMMAND_SECONDS,
        text=True,
        check=False,
    )


def answer(*arguments: str, given: str | None = None) -> dict[str, Any]:
    """The JSON that a command prints."""
    done = command(*arguments, "--output", "json", given=given)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Server]:
    """A server that a test may end as it likes."""
    settings = {"WHARFINGER_DRAIN_SECONDS": "0", "WHARFINGER_SHUTDOWN_SECONDS": "20"}
    with Server(tmp_path / "data", settings=settings) as running:
        yield running


def wait_for(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + EVENT_SECONDS
    while not true():
        assert time.monotonic() < deadline, f"not within {EVENT_SECONDS:.0f} s: {what}"
        time.sleep(0.02)


# --- settings ----------------------------------------------------------------------------------


def test_version_names_the_program_and_python() -> None:
    assert command("version").stdout.startswith("wharfd 0.")


def test_config_show_tells_value_default_and_range() -> None:
    shown = command("config", "show", settings={"WHARFINGER_PORT": "5055"}).stdout

    assert "port = 5055   (default: 5000)" in shown
    assert "an integer, at least 1, at most 65535" in shown


def test_config_show_as_json_lists_every_setting() -> None:
    rows = json.loads(command("config", "show", "--output", "json").stdout)

    assert {"name", "value", "default", "allowed", "help"} == set(rows[0])
    assert {"data", "port", "workers", "manifest_bytes"} <= {row["name"] for row in rows}


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("port", "70000", "at most 65535"),
        ("workers", "none", "an integer, at least 0, at most 64"),
        ("log_level", "loud", "one of debug, info, warning, error"),
        ("drain_seconds", "-1", "at least 0"),
        ("region", "Über", "matching ^[a-z0-9]"),
    ],
)
def test_bad_value_stops_with_name_value_and_range(name: str, value: str, allowed: str) -> None:
    done = command("serve", settings={f"WHARFINGER_{name.upper()}": value})

    assert done.returncode == 1
    assert f"{name}: '{value}' is not allowed" in done.stderr
    assert allowed in done.stderr


@pytest.mark.parametrize(
    ("name", "value", "cure"),
    [
        ("public_urls", "registry.example.com", "http:// or https://, a host"),
        ("public_urls", "https://registry.example.com/below", "http:// or https://, a host"),
        ("public_urls", "ftp://registry.example.com", "http:// or https://, a host"),
        ("tls_names", "bücher.example", "a host name in ASCII, or an address"),
        ("tls_names", "two names", "a host name in ASCII, or an address"),
        ("trusted_proxies", "300.1.1.1/8", "such as 10.0.0.0/8"),
        ("metrics_networks", "10.0.0.1/8", "such as 10.0.0.0/8"),
        ("default_plan", "gold", "name one of free, standard"),
        ("blob_bytes", str(10**20), "at most "),
    ],
)
def test_a_value_that_would_fail_later_stops_with_its_cure(
    name: str, value: str, cure: str
) -> None:
    done = command("config", "show", settings={f"WHARFINGER_{name.upper()}": value})

    assert done.returncode == 1
    assert f"{name}: " in done.stderr
    assert value in done.stderr
    assert cure in done.stderr


def test_every_number_has_a_lowest_and_a_highest_value() -> None:
    rows = json.loads(command("config", "show", "--output", "json").stdout)

    kinds = ("a number, ", "an integer, ")
    numbers = {row["name"]: row["allowed"] for row in rows if row["allowed"].startswith(kinds)}
    assert len(numbers) > 50
    assert not {name for name, text in numbers.items() if "at most " not in text}
    assert not {name for name, text in numbers.items() if not re.search("at least|more than", text)}


def test_unknown_variable_stops() -> None:
    done = command("serve", settings={"WHARFINGER_PROT": "5000"})

    assert done.returncode == 1
    assert "prot: no such setting" in done.stderr


def test_unknown_key_of_the_file_stops(tmp_path: Path) -> None:
    file = tmp_path / "wharfinger.toml"
    file.write_text("prot = 5000\n")

    done = command("--config", str(file), "serve")

    assert done.returncode == 1
    assert "prot: no such setting" in done.stderr


def test_variable_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "wharfinger.toml"
    file.write_text("port = 5001\nworkers = 2\n")

    done = command("--config", str(file), "config", "show", settings={"WHARFINGER_PORT": "5002"})

    assert "port = 5002" in done.stdout
    assert "workers = 2" in done.stdout


def test_ports_must_differ() -> None:
    done = command("serve", settings={"WHARFINGER_PORT": "4443"})

    assert done.returncode == 1
    assert "port, tls_port, metrics_port and trust_port must differ" in done.stderr


# --- the data folder ---------------------------------------------------------------------------


def test_in_a_folder_that_was_open_to_all_every_file_is_the_owners(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)

    assert command("--data", str(tmp_path), "init").returncode == 0

    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.name for path in files} >= {"wharfinger.db", "operator.json", "ca.key"}
    assert [path for path in files if stat.S_IMODE(path.stat().st_mode) != 0o600] == []


def test_a_start_that_cannot_make_its_authority_says_so(tmp_path: Path) -> None:
    (tmp_path / "tls").touch()
    ports = free_ports(2)
    settings = {"WHARFINGER_PORT": str(ports[0]), "WHARFINGER_TRUST_PORT": str(ports[1])}

    done = command("--data", str(tmp_path), "serve", settings=settings)

    assert done.returncode == 1
    assert "the certificate authority could not be made" in done.stderr
    assert not (tmp_path / "operator.json").exists(), "it would say that all is there"


def test_init_makes_the_folder_and_the_operator(tmp_path: Path) -> None:
    data = tmp_path / "data"

    done = command("--data", str(data), "init")

    assert done.returncode == 0, done.stderr
    file = data / "operator.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    record = json.loads(file.read_text())
    assert list(record) == ["registry", "api", "trust", "ca", "account", "user", "api_key"]
    assert record["registry"] == "localhost:5000"
    assert record["api"] == "http://localhost:5000"
    assert record["trust"] == "https://localhost:4443"
    assert Path(record["ca"]).read_text().startswith("-----BEGIN CERTIFICATE-----")


def test_init_again_changes_nothing(tmp_path: Path) -> None:
    data = tmp_path / "data"
    command("--data", str(data), "init")
    before = (data / "operator.json").read_bytes()

    assert command("--data", str(data), "init").returncode == 0
    assert (data / "operator.json").read_bytes() == before


def test_commands_need_a_folder_that_was_made(tmp_path: Path) -> None:
    done = command("--data", str(tmp_path / "nothing"), "account", "list")

    assert done.returncode == 1
    assert "run 'wharfd init' or 'wharfd serve' first" in done.stderr
    assert not (tmp_path / "nothing").exists()


# --- tenants -----------------------------------------------------------------------------------


def test_tenant_made_by_commands_can_sign_in_and_use_its_namespace(server: Server) -> None:
    data = ("--data", str(server.data))
    account = answer(*data, "account", "add", "by-command")
    member = ("--account", account["id"])
    user = answer(
        *data, "user", "add", "kim@example.com", *member, "--role", "Manager", "--password-stdin",
        given="a long enough password\n",
    )  # fmt: skip
    key = answer(*data, "apikey", "add", "laptop", *member, "--user", user["iam_id"])
    added = answer(*data, "namespace", "add", "bycommand", *member)

    assert account["plan"] == "standard"
    assert added == {"namespace": "bycommand", "account": account["id"]}
    listed = json.loads(
        command(*data, "account", "list", "--limit", "1000", "--output", "json").stdout
    )
    assert account in listed
    identity = Identity(server.api, account["id"], key["apikey"])
    headers = {"Authorization": f"Bearer {identity.iam_token()}", "Account": account["id"]}
    assert identity.http.get("/api/v1/namespaces", headers=headers).json() == ["bycommand"]
    identity.close()


def test_namespace_of_the_operator_needs_no_account(server: Server) -> None:
    added = answer("--data", str(server.data), "namespace", "add", "operators")

    assert added["account"] == server.operator.account


def test_refused_command_tells_code_and_cure(server: Server) -> None:
    done = command("--data", str(server.data), "namespace", "add", "abc")

    assert done.returncode == 1
    assert "is too short" in done.stderr
    assert "(WHF0301)" in done.stderr
    assert "Choose a name of 4 to 30 characters." in done.stderr


def test_user_of_an_unknown_account_is_refused(server: Server) -> None:
    done = command("--data", str(server.data), "user", "add", "a@example.com", "--account", "none")

    assert done.returncode == 1
    assert "does not exist" in done.stderr
    assert "Traceback" not in done.stderr


def test_backup_as_the_guide_types_it_can_be_served(own: Server, tmp_path: Path) -> None:
    guide = (ROOT / "docs/guide/operate.md").read_text().split("## Back up")[1]
    typed = guide.split("```sh\n")[1].split("```")[0]
    (tmp_path / "backup").mkdir(mode=0o700)
    assert own.data == tmp_path / "data"
    transfer = Transfer(own, Operator.of(own))
    assert transfer.finish() == 201
    subprocess.run(["bash", "-ec", typed], cwd=tmp_path, timeout=COMMAND_SECONDS, check=True)
    key = own.operator.api_key
    own.stop()

    with Server(tmp_path / "backup") as restored:
        who = Operator.of(restored)
        assert who.api_key == key
        token = who.registry_token(["repository:drain/app:pull"])
        headers = {"Authorization": f"Bearer {token}"}
        kept = httpx.get(f"{restored.api}/v2/drain/app/blobs/{transfer.digest}", headers=headers)
        assert kept.content == transfer.content
        who.close()


# --- one service a folder and a port -----------------------------------------------------------


def test_second_service_on_a_folder_is_refused(server: Server) -> None:
    port, trust = free_ports(2)
    settings = {"WHARFINGER_PORT": str(port), "WHARFINGER_TRUST_PORT": str(trust)}

    done = command("--data", str(server.data), "serve", settings=settings)

    assert done.returncode == 1
    assert f"another service runs on {server.data}" in done.stderr
    assert httpx.get(f"{server.api}/health/ready").status_code == 200


def test_taken_port_is_refused_and_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        settings = {"WHARFINGER_PORT": port, "WHARFINGER_TRUST_PORT": str(free_ports(1)[0])}

        done = command("--data", str(tmp_path / "data"), "serve", settings=settings)

    assert done.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in done.stderr
    assert "choose another" in done.stderr


@pytest.mark.parametrize(
    ("name", "value", "cause", "cure"),
    [
        ("host", "192.0.2.1", "Cannot assign requested address", "WHARFINGER_HOST"),
        ("host", "no-such-host.invalid", "cannot listen on", "an address of this machine"),
        ("data", "{file}", "cannot be made: File exists", "WHARFINGER_DATA"),
        ("blobs_url", "{file}", "File exists", "WHARFINGER_BLOBS_URL"),
        ("blobs_url", "/proc/blobs", "No such file", "WHARFINGER_BLOBS_URL"),
        ("database_url", "sqlite:///{file}/db", "unable to open database file", "database_url"),
        ("database_url", "sqlite:///{file}", "file is not a database", "database_url"),
        ("tls_certificate", "{file}", "PEM", "another with its key"),
        ("tls_certificate", "/no/such/file", "No such file", "another with its key"),
    ],
)
def test_a_start_that_cannot_be_tells_cause_and_cure(
    tmp_path: Path, name: str, value: str, cause: str, cure: str
) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"neither a folder nor a database nor a certificate" * 99)
    port, trust, tls = map(str, free_ports(3))
    settings = {
        "WHARFINGER_DATA": str(tmp_path / "data"),
        "WHARFINGER_PORT": port,
        "WHARFINGER_TRUST_PORT": trust,
        "WHARFINGER_WORKERS": "1",
    }
    if name == "tls_certificate":
        settings |= {"WHARFINGER_TLS_PORT": tls, "WHARFINGER_TLS_KEY": str(file)}
    settings[f"WHARFINGER_{name.upper()}"] = value.format(file=file)

    done = command("serve", settings=settings)

    assert done.returncode == 1
    assert cause in done.stderr
    assert cure in done.stderr
    assert "Traceback" not in done.stderr
    assert "[SQL" not in done.stderr


# --- how processes end -------------------------------------------------------------------------


class Transfer:
    """A blob on its way: half of its bytes sent, the rest when told."""

    def __init__(self, server: Server, who: Operator) -> None:
        self.content = os.urandom(4 * CHUNK)
        self.digest = f"sha256:{hashlib.sha256(self.content).hexdigest()}"
        self.status = 0
        self._server = server
        self._go_on = threading.Event()
        self._under_way = threading.Event()
        who.add_namespace("drain")
        self._token = who.registry_token(["repository:drain/app:pull,push"])
        self._thread = threading.Thread(target=self._send)
        self._thread.start()
        assert self._under_way.wait(EVENT_SECONDS)

    def is_received(self) -> bool:
        """Whether a request of the server's holds the upload by now."""
        with sqlite3.connect(self._server.data / "wharfinger.db", timeout=30) as connection:
            held = connection.execute("SELECT 1 FROM uploads WHERE leased_until > 0").fetchone()
        connection.close()
        return held is not None

    def finish(self) -> int:
        """Sends the rest and returns the status that the server answers."""
        self._go_on.set()
        self._thread.join(EVENT_SECONDS)
        return self.status

    def _body(self) -> Iterator[bytes]:
        yield self.content[: 2 * CHUNK]
        self._under_way.set()
        assert self._go_on.wait(EVENT_SECONDS)
        yield self.content[2 * CHUNK :]

    def _send(self) -> None:
        headers = {"Authorization": f"Bearer {self._token}"}
        with httpx.Client(base_url=self._server.api, headers=headers, timeout=60) as http:
            opened = http.post("/v2/drain/app/blobs/uploads/")
            sized = {"Content-Length": str(len(self.content))}
            with contextlib.suppress(httpx.TransportError):  # cut off: there is no status
                put = http.put(
                    opened.headers["Location"],
                    params={"digest": self.digest},
                    content=self._body(),
                    headers=sized,
                )
                self.status = put.status_code


def test_stop_drains(own: Server) -> None:
    own.settings["WHARFINGER_DRAIN_SECONDS"] = "300"
    own.restart()
    who = Operator.of(own)
    transfer = Transfer(own, who)
    # Sent is not received: what the server has not looked at yet it may refuse.
    wait_for(transfer.is_received, "the transfer is under way")

    os.kill(own.pid, signal.SIGTERM)
    wait_for(lambda: httpx.get(f"{own.api}/health/ready").status_code == 503, "readiness fails")

    live = httpx.get(f"{own.api}/health/live")
    draining = httpx.get(f"{own.api}/health/ready")
    assert draining.json()["code"] == "WHF0002"
    assert int(draining.headers["Retry-After"]) >= 1
    refused = httpx.get(f"{own.api}/v2/")
    assert live.status_code == 200
    assert refused.status_code == 503
    assert int(refused.headers["Retry-After"]) >= 1
    assert refused.json()["errors"][0]["detail"]["code"] == "WHF0002"

    # A second signal ends the waiting, not the transfer.
    os.kill(own.pid, signal.SIGTERM)
    wait_for(lambda: not listens(own), "listeners closed")
    assert transfer.finish() == 201
    own.stop()
    assert "stopped" in own.log_tail()

    own.settings["WHARFINGER_DRAIN_SECONDS"] = "0"
    own.start()
    token = who.registry_token(["repository:drain/app:pull"])
    headers = {"Authorization": f"Bearer {token}"}
    kept = httpx.get(f"{own.api}/v2/drain/app/blobs/{transfer.digest}", headers=headers)
    assert kept.content == transfer.content
    who.close()


def test_a_transfer_that_does_not_end_holds_up_a_stop_no_longer_than_its_setting(
    own: Server,
) -> None:
    own.settings |= {"WHARFINGER_DRAIN_SECONDS": "0", "WHARFINGER_SHUTDOWN_SECONDS": "1"}
    own.restart()
    who = Operator.of(own)
    transfer = Transfer(own, who)
    wait_for(transfer.is_received, "the transfer is under way")

    os.kill(own.pid, signal.SIGTERM)
    wait_for(lambda: '"stopped"' in own.log_tail(1), "the end, though somebody still sends")

    assert transfer.finish() != 201
    own.stop()
    own.start()
    token = who.registry_token(["repository:drain/app:pull"])
    headers = {"Authorization": f"Bearer {token}"}
    path = f"{own.api}/v2/drain/app/blobs/{transfer.digest}"
    assert httpx.get(path, headers=headers).status_code == 404
    who.close()


def test_killed_worker_is_replaced(own: Server) -> None:
    for worker in children(own.pid):
        os.kill(worker, signal.SIGKILL)
        wait_for(functools.partial(gone, own.pid, worker), "the worker is gone")
        wait_for(lambda: len(children(own.pid)) == 2, "its successor")

    wait_for(lambda: ready(own), "readiness")


def test_workers_are_as_many_as_the_command_says(tmp_path: Path) -> None:
    settings = {"WHARFINGER_WORKERS": "1"}
    with Server(tmp_path / "data", settings=settings, arguments=["--workers", "3"]) as server:
        assert len(children(server.pid)) == 4


def test_workers_end_with_a_killed_supervisor_and_a_start_succeeds(own: Server) -> None:
    before = own.operator
    workers = children(own.pid)
    assert len(workers) == 2

    os.kill(own.pid, signal.SIGKILL)
    wait_for(lambda: not any(alive(worker) for worker in workers), "the workers end")
    own.kill9()
    own.start()

    assert own.operator == before
    assert Operator.of(own).iam_token()


def test_restart_keeps_the_key(own: Server) -> None:
    before = own.operator
    token = Operator.of(own).registry_token()

    own.restart()

    assert own.operator == before
    assert Operator.of(own).iam_token()
    headers = {"Authorization": f"Bearer {token}"}
    assert httpx.get(f"{own.api}/v2/", headers=headers).status_code == 200


def children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in listed if alive(int(child))]


def gone(parent: int, child: int) -> bool:
    return child not in children(parent)


def alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def listens(server: Server) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", server.port)) == 0


def ready(server: Server) -> bool:
    try:
        return httpx.get(f"{server.api}/health/ready").status_code == 200
    except httpx.HTTPError:
        return False
