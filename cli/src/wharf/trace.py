"""The trace of calls, for people who look for a fault: everything but secrets."""

import json
import os
import re
import time
from collections.abc import Mapping
from typing import Any, Final, TextIO

HIDDEN: Final = "[PRIVATE DATA HIDDEN]"
MAX_BODY: Final = 64 * 1024
_HEADERS: Final = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie"})
_SECRET: Final = re.compile(
    r"(?i)pass(word|code|wd)?|secret|token|api_?key|credential|private|authorization"
)
# Values that tell nothing, however they are named.
_PLAIN: Final = frozenset({"token_type", "grant_type", "response_type", "expires_in"})
_JWT: Final = re.compile(r"eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


class Trace:
    """Writes requests and answers to the screen, or appends them to a private file."""

    def __init__(self, target: str, screen: TextIO) -> None:
        self._target: Final = target
        self._screen: Final = screen

    def sent(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> None:
        """Write a request."""
        self._write("REQUEST", f"{method} {masked_url(url)}", headers, body)

    def received(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Write an answer."""
        self._write("RESPONSE", f"HTTP {status}", headers, body)

    def _write(self, kind: str, first: str, headers: Mapping[str, str], body: bytes) -> None:
        at = time.strftime("%Y-%m-%dT%H:%M:%S%z")
        lines = [f"{kind}: [{at}]", first]
        lines += [f"{name}: {_header(name, value)}" for name, value in headers.items()]
        text = "\n".join([*lines, "", masked_body(body), "", ""])
        if self._target == "true":
            self._screen.write(text)
            return
        descriptor = os.open(self._target, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)


def masked(value: Any) -> Any:
    """Return a JSON value with every secret in it hidden, whatever its depth."""
    if isinstance(value, dict):
        return {
            name: HIDDEN if _is_secret(name) and each else masked(each)
            for name, each in value.items()
        }
    if isinstance(value, list):
        return [masked(each) for each in value]
    return _JWT.sub(HIDDEN, value) if isinstance(value, str) else value


def masked_body(body: bytes) -> str:
    """Return a body as text without secrets: JSON and forms; of anything else only its size."""
    if not body:
        return ""
    if len(body) > MAX_BODY:
        return f"({len(body)} bytes)"
    try:
        return json.dumps(masked(json.loads(body)), indent=2, ensure_ascii=False)
    except ValueError:
        pass
    text = body.decode("utf-8", "replace")
    if re.fullmatch(r"[\w%.~+-]+=[^\s<]*", text):
        return masked_form(text)
    return f"({len(body)} bytes)"


def masked_form(text: str) -> str:
    """Return a form or a query without the values of secret fields."""
    fields = (field.partition("=") for field in text.split("&"))
    return "&".join(
        f"{name}={HIDDEN if _is_secret(name) else value}" if equals else name
        for name, equals, value in fields
    )


def masked_url(url: str) -> str:
    """Return a URL without secrets in its query or user part."""
    place, mark, query = re.sub(r"//[^/@]*@", "//", url).partition("?")
    return place + mark + masked_form(query)


def _is_secret(name: str) -> bool:
    return name.lower() not in _PLAIN and bool(_SECRET.search(name))


def _header(name: str, value: str) -> str:
    return HIDDEN if name.lower() in _HEADERS else _JWT.sub(HIDDEN, value)
