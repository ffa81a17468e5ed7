"""Proxies: a real one with rules of its own, and a small one that shows what it was asked."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.server import free_ports
from tests.support.tools import ensure

READY_SECONDS = 30.0


@dataclass
class Proxy:
    """A proxy that only knows CONNECT; remembers what it was asked."""

    port: int
    heads: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextlib.contextmanager
def connecting(answer: str, instead: int = 0) -> Iterator[Proxy]:
    """A proxy with one answer; ``instead`` is a port of this machine that all is led to."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy = Proxy(int(listener.getsockname()[1]))
        work = (listener, proxy, answer, instead)
        threading.Thread(target=_accept, args=work, daemon=True).start()
        yield proxy


@contextlib.contextmanager
def tinyproxy(folder: Path, *rules: str) -> Iterator[Proxy]:
    """A real proxy on the loopback, with lines of its configuration besides the usual ones."""
    (port,) = free_ports(1)
    path = folder / "tinyproxy.conf"
    lines = ("Listen 127.0.0.1", f"Port {port}", "Timeout 60", "LogLevel Info", *rules)
    path.write_text("\n".join(lines) + "\n")
    command = [str(ensure("tinyproxy")), "-d", "-c", str(path)]
    with (folder / "tinyproxy.log").open("wb") as log:
        running = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    try:
        _await(port)
        yield Proxy(port)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
        running.wait()


def _await(port: int) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise AssertionError("the proxy did not start")


def _accept(listener: socket.socket, proxy: Proxy, answer: str, instead: int) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        work = (client, proxy, answer, instead)
        threading.Thread(target=_serve, args=work, daemon=True).start()


def _serve(client: socket.socket, proxy: Proxy, answer: str, instead: int) -> None:
    head = b""
    while b"\r\n\r\n" not in head:
        piece = client.recv(4096)
        if not piece:
            client.close()
            return
        head += piece
    proxy.heads.append(head.decode())
    client.sendall(f"HTTP/1.1 {answer}\r\n\r\n".encode())
    if not answer.startswith("200"):
        client.close()
        return
    host, _, port = head.split()[1].decode().rpartition(":")
    place = ("127.0.0.1", instead) if instead else (host, int(port))
    with socket.create_connection(place) as server:
        back = threading.Thread(target=_pump, args=(server, client), daemon=True)
        back.start()
        _pump(client, server)
        back.join(10)


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(65536):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)
