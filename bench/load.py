"""Request rates: wrk for GET, and a small epoll loop for HEAD.

wrk waits for the body that a HEAD's Content-Length announces, so HEAD needs a client of its own.
"""

from __future__ import annotations

import re
import select
import socket
import subprocess
import time
from typing import NamedTuple

from tests.support.tools import provision

ANSWER_BYTES = 1 << 16


class LoadError(Exception):
    """The load generator did not get the answers it should."""


class Latency(NamedTuple):
    """Of requests, in milliseconds."""

    median: float
    p99: float


def wrk(url: str, authorization: str, connections: int, seconds: float, accept: str) -> float:
    """Requests a second of GETs over kept-alive connections; any error answer fails."""
    return parse_wrk(_wrk(url, authorization, connections, seconds, accept))


def wrk_latency(
    url: str, authorization: str, connections: int, seconds: float, accept: str
) -> Latency:
    """Latency of GETs over kept-alive connections; any error answer fails."""
    report = _wrk(url, authorization, connections, seconds, accept)
    parse_wrk(report)
    return parse_latency(report)


def _wrk(url: str, authorization: str, connections: int, seconds: float, accept: str) -> str:
    command = [str(provision("wrk")), "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s"]
    command += ["--latency", "-H", f"Authorization: {authorization}"]
    command += ["-H", f"Accept: {accept}", url]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def parse_latency(text: str) -> Latency:
    """The latencies in wrk's report; raises `LoadError` where there are none."""
    found = dict(re.findall(r"^\s+(50|99)%\s+([0-9.]+(?:us|ms|s))$", text, re.MULTILINE))
    if len(found) != 2:
        raise LoadError(f"no latencies were reported:\n{text}")
    return Latency(_milliseconds(found["50"]), _milliseconds(found["99"]))


def _milliseconds(text: str) -> float:
    for unit, factor in (("us", 0.001), ("ms", 1.0), ("s", 1000.0)):
        if text.endswith(unit):
            return float(text.removesuffix(unit)) * factor
    raise LoadError(f"no duration: {text}")


def parse_wrk(text: str) -> float:
    """The rate in wrk's report; raises `LoadError` where any answer was no success."""
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    if failed:
        raise LoadError(f"{failed.group(1)} answers were no success:\n{text}")
    found = re.search(r"Requests/sec:\s+([0-9.]+)", text)
    if found is None or not float(found.group(1)):
        raise LoadError(f"no requests were answered:\n{text}")
    return float(found.group(1))


def head(port: int, path: str, token: str, connections: int, seconds: float) -> float:
    """HEADs a second over kept-alive connections, one outstanding on each."""
    request = (
        f"HEAD {path} HTTP/1.1\r\nHost: localhost:{port}\r\nAuthorization: Bearer {token}\r\n\r\n"
    ).encode()
    sockets = [socket.create_connection(("127.0.0.1", port), 10) for _ in range(connections)]
    try:
        return _drive(sockets, request, seconds)
    finally:
        for each in sockets:
            each.close()


def _drive(sockets: list[socket.socket], request: bytes, seconds: float) -> float:
    poll = select.epoll()
    by_number = {each.fileno(): each for each in sockets}
    for each in sockets:
        each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        poll.register(each, select.EPOLLIN)
        each.send(request)
    answered, buffer = 0, bytearray(ANSWER_BYTES)
    start = time.perf_counter()
    end = start + seconds
    while time.perf_counter() < end:
        for number, _ in poll.poll(1.0):
            size = by_number[number].recv_into(buffer)
            # A HEAD's answer ends with its header; it always came in one piece on the loopback.
            if buffer[9:12] != b"200" or buffer[size - 4 : size] != b"\r\n\r\n":
                raise LoadError(f"not a success: {bytes(buffer[:size])!r}")
            answered += 1
            by_number[number].send(request)
    poll.close()
    return answered / (time.perf_counter() - start)
