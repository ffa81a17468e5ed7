"""The route of a control call: the caller first, then a bounded, unambiguous body, then the call.

Loaded with FastAPI, after readiness.
"""

import json
import re
import zlib
from collections.abc import Callable, Coroutine
from typing import Any, Final, NoReturn

from fastapi import Request, Response
from fastapi.exceptions import HTTPException, RequestValidationError
from fastapi.routing import APIRoute
from starlette.datastructures import Headers
from starlette.types import Message, Scope

from wharfinger.identity.model import Caller
from wharfinger.web.authentication import Gate
from wharfinger.web.bodies import BodyInvalid, BodyTooLarge, read_body
from wharfinger.web.context import Web
from wharfinger.web.wrong_input import reason_of
from wharfinger_common.languages import Text

SMALL_BODY: Final = 16 * 1024
"""Bytes up to which a body is checked on the event loop."""

_ESCAPED: Final = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
_GZIP: Final = 16 + zlib.MAX_WBITS


def guarded_route(web: Web, gate: Gate) -> type[APIRoute]:
    """Return a route class for calls of the control and identity APIs.

    The caller is authenticated before a byte of the body is read, and found by `caller_of`. The
    body may be compressed with gzip; `settings.body_bytes` bounds it before and after inflation.
    JSON is refused where two parsers could read two things in it. What FastAPI finds wrong with
    parameters and body is raised as `BodyInvalid`.
    """

    class GuardedRoute(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            handle = super().get_route_handler()

            async def guarded(request: Request) -> Response:
                request.state.caller = await gate.control_caller(request)
                _require_plain_query(request)
                plain = await _with_plain_body(request, web)
                try:
                    return await handle(plain)
                except RequestValidationError as error:
                    raise BodyInvalid(reason=reason_of(error.errors()[0])) from error
                except HTTPException as error:
                    raise BodyInvalid(reason=Text("the body cannot be read")) from error

            return guarded

    return GuardedRoute


def caller_of(request: Request) -> Caller:
    """Return who makes the call; only behind a `guarded_route`."""
    caller: Caller = request.state.caller
    return caller


def _require_plain_query(request: Request) -> None:
    query: bytes = request.scope.get("query_string", b"")
    if b"%00" in query:
        raise BodyInvalid(reason=Text("the query holds a NUL character"))


async def _with_plain_body(request: Request, web: Web) -> Request:
    """Return the request with its body read, inflated and found to be unambiguous."""
    settings = web.settings
    limit, stall = settings.body_bytes, settings.body_stall_seconds
    body = await read_body(request, limit, "body_bytes", stall)
    headers = request.headers
    if body and len(body) <= SMALL_BODY and "content-encoding" not in headers:
        _require_plain(body, headers)
    elif body:
        body = await web.threads.run(_plain, body, headers, limit)

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return Request(_rewritten(request.scope, len(body)), receive)


def _rewritten(scope: Scope, length: int) -> Scope:
    """Return the scope with headers that are true of the inflated body."""
    told = (b"content-encoding", b"content-length", b"transfer-encoding")
    kept = [(name, value) for name, value in scope["headers"] if name.lower() not in told]
    return {**scope, "headers": [*kept, (b"content-length", str(length).encode())]}


def _plain(body: bytes, headers: Headers, limit: int) -> bytes:
    inflated = _inflated(body, headers.get("content-encoding", "identity"), limit)
    _require_plain(inflated, headers)
    return inflated


def _inflated(body: bytes, encoding: str, limit: int) -> bytes:
    if encoding.strip().lower() in {"identity", ""}:
        return body
    if encoding.strip().lower() not in {"gzip", "x-gzip"}:
        raise BodyInvalid(reason=Text("the Content-Encoding must be gzip, or none"))
    inflater = zlib.decompressobj(_GZIP)
    try:
        inflated = inflater.decompress(body, limit + 1)
    except zlib.error as error:
        raise BodyInvalid(reason=Text("the body is not valid gzip")) from error
    if len(inflated) > limit:
        raise BodyTooLarge(limit=limit, setting="body_bytes")
    if not inflater.eof or inflater.unused_data:
        raise BodyInvalid(reason=Text("the gzip body is cut off, or something follows it"))
    return inflated


def _require_plain(body: bytes, headers: Headers) -> None:
    """Refuse JSON that is malformed, repeats a field, nests too deep, or holds odd characters."""
    if "json" not in headers.get("content-type", ""):
        return
    try:
        value = json.loads(body, object_pairs_hook=_unique, parse_constant=_no_constant)
        if _ESCAPED.search(body):
            _require_storable(value)
    except RecursionError as error:
        raise BodyInvalid(reason=Text("the JSON is nested too deep")) from error
    except ValueError as error:
        raise BodyInvalid(reason=Text("the body is not valid JSON in UTF-8")) from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise BodyInvalid(reason=Text("a JSON object holds the same field twice"))
    return fields


def _no_constant(_name: str) -> NoReturn:
    raise BodyInvalid(reason=Text("NaN and Infinity are not JSON"))


def _require_storable(value: Any) -> None:
    """Refuse NUL and halves of surrogate pairs, which no database stores and no UTF-8 spells."""
    text = json.dumps(value, ensure_ascii=False)
    if "\\u0000" in text.replace("\\\\", ""):
        raise BodyInvalid(reason=Text("a text holds a NUL character"))
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise BodyInvalid(reason=Text("a text holds half of a surrogate pair")) from error
