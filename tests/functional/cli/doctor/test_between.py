"""What stands before the registry answers in its stead; plug-ins are missing or too old."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command_line import CommandLine
from tests.support.doctor import findings, last
from tests.support.images import Dock
from tests.support.plugin_wheels import rebuilt
from tests.support.server import Server, Tenant, free_ports
from tests.support.tools import ensure

READY_SECONDS = 30.0
PAGE = "<html><title>Blocked by policy</title></html>"
CONFIGURATION = """
daemon off; worker_processes 1; pid %(folder)s/pid; error_log %(folder)s/error.log;
events {}
http {
  access_log off;
  client_body_temp_path %(folder)s/1; proxy_temp_path %(folder)s/2;
  fastcgi_temp_path %(folder)s/3; uwsgi_temp_path %(folder)s/4; scgi_temp_path %(folder)s/5;
  server {
    listen 127.0.0.1:%(port)d;
    location / { proxy_pass http://127.0.0.1:%(behind)d; proxy_set_header Host $http_host; }
    location %(blocked)s { default_type text/html; return %(status)d '%(page)s'; }
  }
}
"""


@contextlib.contextmanager
def gateway(folder: Path, behind: int, blocked: str, status: int = 403) -> Iterator[int]:
    """A gateway (nginx) before a service, which keeps some paths to itself; its port."""
    (port,) = free_ports(1)
    folder.mkdir()
    values = {"folder": folder, "port": port, "behind": behind, "blocked": blocked}
    path = folder / "nginx.conf"
    path.write_text(CONFIGURATION % {**values, "status": status, "page": PAGE})
    running = subprocess.Popen([str(ensure("nginx")), "-c", str(path)], start_new_session=True)
    try:
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.05)
        yield port
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
        running.wait()


@pytest.fixture
def image(signed_in: tuple[CommandLine, Tenant], server: Server) -> str:
    """The name of an image that is there."""
    tenant = signed_in[1]
    dock = Dock(server.api, tenant)
    dock.push(f"{tenant.namespace}/app", "1")
    dock.close()
    return f"{tenant.namespace}/app:1"


@pytest.mark.parametrize(
    ("blocked", "status", "code", "step", "entry"),
    [
        ("= /api/v1/info", 403, 15, "http", "WHF1188"),
        ("= /v2/", 403, 15, "registry-http", "WHF1188"),
        ("/oauth/", 403, 20, "token", "WHF1188"),
        ("~ /manifests/", 403, 23, "manifest", "WHF1188"),
        ("~ /blobs/", 403, 24, "layer", "WHF1188"),
        # As a virus scanner does: what comes is no error, and not what was asked for.
        ("~ /blobs/", 200, 24, "layer", "WHF1193"),
    ],
)
def test_a_gateway_keeps_something_to_itself(
    signed_in: tuple[CommandLine, Tenant],
    server: Server,
    image: str,
    tmp_path: Path,
    blocked: str,
    status: int,
    code: int,
    step: str,
    entry: str,
) -> None:
    user, tenant = signed_in
    with gateway(tmp_path / "nothing", server.port, "= /nothing") as port:
        user.ok("login", "-a", f"http://localhost:{port}", "--apikey", tenant.api_key)
        assert last(user, image)[1] == "client"
    with gateway(tmp_path / "blocked", server.port, blocked, status) as port:
        path = user.folder / "config.json"
        path.write_text(path.read_text().replace(old_port(path), f"localhost:{port}"))
        exit_code, told = findings(user, image)

    assert (exit_code, told[-1]["check"], told[-1]["code"]) == (code, step, entry)
    if entry == "WHF1188":
        assert told[-1]["message"].endswith("something on the way: Blocked by policy")


def old_port(path: Path) -> str:
    return str(json.loads(path.read_text())["APIEndpoint"]).partition("//")[2]


def test_plugins_that_are_missing_and_too_old(
    signed_in: tuple[CommandLine, Tenant], house_wheels: dict[str, Path], tmp_path: Path
) -> None:
    user, tenant = signed_in
    assert plugins(user) == ("warning", "WHF1174")

    old = rebuilt(
        house_wheels["container-registry"],
        tmp_path / "old",
        "0.0.1",
        lambda name, text: (
            text + "\nfrom dataclasses import replace\nPLUGIN = replace(PLUGIN, sessions=(1,))\n"
            if name.endswith("/plugin.py")
            else text
        ),
    )
    user.ok("plugin", "install", str(old))
    code, told = findings(user, f"{tenant.namespace}/app:1")
    assert (code, told[-1]["check"]) == (18, "plugins")
    assert told[-1]["cure"].endswith("ibmcloud plugin update container-registry.")

    user.ok("plugin", "uninstall", "container-registry")
    user.ok("plugin", "install", str(house_wheels["container-registry"]))
    assert plugins(user) == ("ok", "WHF1180")


def plugins(user: CommandLine) -> tuple[str, str]:
    (found,) = [one for one in findings(user)[1] if one["check"] == "plugins"]
    return found["severity"], found["code"]
