"""Behind a proxy: encrypted connections go through its CONNECT, with its sign-in."""

from __future__ import annotations

import base64

from tests.support.command_line import CommandLine
from tests.support.proxies import connecting
from tests.support.server import Server


def test_a_service_behind_a_proxy_is_used(ibmcloud: CommandLine, server: Server) -> None:
    with connecting("200 OK") as proxy:
        there = CommandLine(
            ibmcloud.home, variables={"https_proxy": f"http://me:p%40ss@127.0.0.1:{proxy.port}"}
        )
        there.ok("config", "--ca", str(server.ca))
        there.ok(
            "login", "-a", f"https://{server.tls_registry}", "--apikey", server.operator.api_key
        )
        assert "go through the proxy 127.0.0.1" in there.ok("doctor")

    login = base64.b64encode(b"me:p@ss").decode()
    assert proxy.heads[0].startswith(f"CONNECT localhost:{server.tls_port} HTTP/1.")
    assert all(f"Proxy-Authorization: Basic {login}" in head for head in proxy.heads)
    # What is the service's own never reaches the proxy in the open.
    assert not any("apikey" in head or "Bearer" in head for head in proxy.heads)


def test_a_proxy_that_wants_a_sign_in_is_named(ibmcloud: CommandLine, server: Server) -> None:
    with connecting("407 Proxy Authentication Required") as proxy:
        there = CommandLine(
            ibmcloud.home, variables={"https_proxy": f"http://127.0.0.1:{proxy.port}"}
        )
        said = there.refused("api", f"https://{server.tls_registry}")

    assert said.startswith(
        f"The proxy 127.0.0.1:{proxy.port} did not let the connection to {server.tls_registry} "
        "through: Tunnel connection failed: 407"
    )
