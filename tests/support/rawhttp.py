"""HTTP as bytes: requests that no client library would send, and what comes back."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MAX_ANSWER = 4 * 1024 * 1024


@dataclass(frozen=True)
class Answer:
    """The first answer on a connection; status 0 where the server closed without one."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def error(self) -> dict[str, Any] | None:
        """What the body says in the form of any of our surfaces; None if it is no such error.

        OCI distribution 1.1, Error Codes; control API and IAM errors.
        """
        try:
            content = json.loads(self.body)
        except ValueError:
            return None
        if not isinstance(content, dict):
            return None
        if "errors" in content:
            first = dict(content["errors"][0])
            return first | {"entry": first.get("detail", {}).get("code", "")}
        if "errorCode" in content:
            return content | {"entry": content["context"]["entry"]}
        return content if "entry" in content else None


def exchange(port: int, *pieces: bytes, seconds: float = 20.0, half_close: bool = False) -> Answer:
    """Send bytes as they are, and return the first answer.

    ``half_close`` ends our side after the last piece. A connection that the server resets while
    we still send may have answered all the same: the answer is read if it is there.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
        try:
            for piece in pieces:
                connection.sendall(piece)
            if half_close:
                connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        return read_answer(connection)


def read_answer(connection: socket.socket) -> Answer:
    """Read one answer; a silence longer than the connection's timeout raises TimeoutError."""
    received = bytearray()
    while (end := received.find(b"\r\n\r\n")) < 0:
        piece = _receive(connection)
        if not piece:
            return Answer()
        received += piece
    head, body = received[:end].decode("latin-1"), received[end + 4 :]
    status_line, *lines = head.split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)}
    status = int(status_line.split()[1])
    length = int(headers.get("content-length", "0"))
    while len(body) < min(length, MAX_ANSWER):
        piece = _receive(connection)
        if not piece:
            break
        body += piece
    return Answer(status, headers, bytes(body))


def converse(
    port: int, raw: bytes, *, heads: Sequence[bool] = (), ca: Path | None = None
) -> list[Answer]:
    """Send bytes, over TLS where ``ca`` is given, and return all answers up to the last.

    The last is the one that says ``Connection: close``, or the end of the connection. ``heads``
    tells which answers, in order, are those to a HEAD, which announce a body and have none.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=20.0) as plain:
        connection = plain
        if ca is not None:
            context = ssl.create_default_context(cafile=str(ca))
            connection = context.wrap_socket(plain, server_hostname="localhost")
        connection.sendall(raw)
        return _all_answers(connection, heads)


def _all_answers(connection: socket.socket, heads: Sequence[bool]) -> list[Answer]:
    received, answers = bytearray(), list[Answer]()
    while not answers or answers[-1].headers.get("connection") != "close":
        head = len(answers) < len(heads) and heads[len(answers)]
        answer, length = _first_of(received, head=head)
        if answer is not None:
            answers.append(answer)
            del received[:length]
        elif piece := _receive(connection):
            received += piece
        else:
            break
    return answers


def _first_of(received: bytearray, *, head: bool) -> tuple[Answer | None, int]:
    """The first answer in what was received and its length, None while it is not all there."""
    end = received.find(b"\r\n\r\n")
    if end < 0:
        return None, 0
    status_line, *lines = received[:end].decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)}
    whole = end + 4 + (0 if head else int(headers.get("content-length", "0")))
    if len(received) < whole:
        return None, 0
    return Answer(int(status_line.split()[1]), headers, bytes(received[end + 4 : whole])), whole


def _receive(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65536)
    except ConnectionResetError:
        return b""


def request(method: str, target: str | bytes, *headers: str, body: bytes = b"") -> bytes:
    """A request whose target and headers are put on the wire exactly as they are given."""
    raw = target if isinstance(target, bytes) else target.encode()
    lines = [method.encode() + b" " + raw + b" HTTP/1.1", b"Host: localhost"]
    lines += [header.encode("latin-1") for header in headers]
    if body and not any(header.lower().startswith("content-length") for header in headers):
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + body
