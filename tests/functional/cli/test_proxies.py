"""Behind a proxy: encrypted connections go through its CONNECT, with its sign-in."""

from __future__ import annotations

import base64
import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.support.command_line import CommandLine
from tests.support.server import Server


@dataclass
class Proxy:
    """A proxy that only knows CONNECT; remembers what it was asked."""

    port: int
    heads: list[str] = field(default_factory=list)


@contextlib.contextmanager
def connecting(answer: str) -> Iterator[Proxy]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy = Proxy(int(listener.getsockname()[1]))
        threading.Thread(target=_accept, args=(listener, proxy, answer), daemon=True).start()
        yield proxy


def _accept(listener: socket.socket, proxy: Proxy, answer: str) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_serve, args=(client, proxy, answer), daemon=True).start()


def _serve(client: socket.socket, proxy: Proxy, answer: str) -> None:
    head = b""
    while b"\r\n\r\n" not in head:
        head += client.recv(4096)
    proxy.heads.append(head.decode())
    client.sendall(f"HTTP/1.1 {answer}\r\n\r\n".encode())
    if not answer.startswith("200"):
        client.close()
        return
    host, _, port = head.split()[1].decode().rpartition(":")
    with socket.create_connection((host, int(port))) as server:
        back = threading.Thread(target=_pump, args=(server, client), daemon=True)
        back.start()
        _pump(client, server)
        back.join(10)


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(65536):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)


def test_a_service_behind_a_proxy_is_used(ibmcloud: CommandLine, server: Server) -> None:
    with connecting("200 OK") as proxy:
        there = CommandLine(
            ibmcloud.home, variables={"https_proxy": f"http://me:p%40ss@127.0.0.1:{proxy.port}"}
        )
        there.ok("config", "--ca", str(server.ca))
        there.ok(
            "login", "-a", f"https://{server.tls_registry}", "--apikey", server.operator.api_key
        )
        assert there.ok("doctor").count("warning") == 1

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
