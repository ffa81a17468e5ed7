"""The token endpoints: IAM's exchange, the registry's token flow, and the public keys."""

import base64
import binascii
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from wharfinger.identity.model import ClientUnknown, CredentialsWrong
from wharfinger.identity.service.registry_sign_in import (
    RegistrySignIn,
    RegistryToken,
    TokenRequest,
    request_from_form,
)
from wharfinger.identity.service.sign_in import IamToken, SignIn
from wharfinger.identity.service.tokens import IAM_SCOPE, REGISTRY_AUDIENCE, TokenService
from wharfinger.identity.services import IdentityServices
from wharfinger.web.bodies import BodyInvalid, read_body
from wharfinger.web.context import Web
from wharfinger_common.languages import Text

FORM_FIELDS: Final = 200
KEYS_SECONDS: Final = 300
_CLIENT: Final = ("bx", "bx")
_NO_STORE: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}

Pairs = Sequence[tuple[str, str]]


def routes(services: IdentityServices, web: Web) -> list[Route]:
    """Return the routes of the token endpoints; each calls one service method in a thread."""
    iam = _IamEndpoint(services.sign_in, web)
    registry = _RegistryEndpoint(services.registry_sign_in, web)
    keys = _KeysEndpoint(services.tokens, web)
    return [
        Route("/identity/token", iam.post, methods=["POST"]),
        Route("/oidc/token", iam.post, methods=["POST"]),
        Route("/identity/keys", keys.get, methods=["GET"]),
        Route("/oauth/token", registry.get, methods=["GET"]),
        Route("/oauth/token", registry.post, methods=["POST"]),
    ]


class _IamEndpoint:
    """``POST /identity/token`` (control API, section 1)."""

    def __init__(self, service: SignIn, web: Web) -> None:
        self._service: Final = service
        self._web: Final = web

    async def post(self, request: Request) -> Response:
        client = _basic(request)
        if client is not None and client != _CLIENT:
            raise ClientUnknown
        form = dict(await read_form(request, self._web))
        token = await self._web.threads.run(
            self._service.exchange,
            form,
            self._web.urls.client_address(request),
            with_refresh=client is not None,
        )
        return JSONResponse(_iam_answer(token), headers=_NO_STORE)


class _RegistryEndpoint:
    """``GET`` and ``POST /oauth/token`` (Docker token and OAuth2 token documentation)."""

    def __init__(self, service: RegistrySignIn, web: Web) -> None:
        self._service: Final = service
        self._web: Final = web

    async def get(self, request: Request) -> Response:
        query = request.query_params
        credentials = _basic(request)
        asked = TokenRequest(
            service=query.get("service", REGISTRY_AUDIENCE),
            region=self._web.urls.region(request),
            scopes=query.getlist("scope"),
            username=credentials[0] if credentials else None,
            password=credentials[1] if credentials else "",
            offline=query.get("offline_token", "").lower() == "true",
            address=self._web.urls.client_address(request),
        )
        return await self._answer(asked)

    async def post(self, request: Request) -> Response:
        pairs = await read_form(request, self._web)
        scopes = [value for name, value in pairs if name == "scope"]
        urls = self._web.urls
        asked = request_from_form(
            dict(pairs), scopes, urls.client_address(request), urls.region(request)
        )
        return await self._answer(asked)

    async def _answer(self, asked: TokenRequest) -> Response:
        token = await self._web.threads.run(self._service.issue, asked)
        return JSONResponse(_registry_answer(token), headers=_NO_STORE)


class _KeysEndpoint:
    """``GET /identity/keys``: the JWK set that others verify our tokens with (RFC 7517)."""

    def __init__(self, service: TokenService, web: Web) -> None:
        self._service: Final = service
        self._web: Final = web

    async def get(self, _request: Request) -> Response:
        keys = await self._web.threads.run(self._service.jwks)
        return JSONResponse(keys, headers={"Cache-Control": f"public, max-age={KEYS_SECONDS}"})


def _basic(request: Request) -> tuple[str, str] | None:
    """Return user name and password of Basic authentication (RFC 7617); None without any.

    Raises:
        CredentialsWrong: there is an Authorization header, but not of that form.
    """
    header = request.headers.get("authorization")
    if header is None:
        return None
    scheme, _, encoded = header.partition(" ")
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise CredentialsWrong from error
    name, colon, password = text.partition(":")
    if scheme.lower() != "basic" or not colon or "\x00" in text:
        raise CredentialsWrong
    return name, password


async def read_form(request: Request, web: Web) -> Pairs:
    """Return the fields of a form-encoded body.

    Raises:
        BodyInvalid, BodyTooLarge: it is none, or too large.
    """
    settings = web.settings
    body = await read_body(request, settings.body_bytes, "body_bytes", settings.body_stall_seconds)
    try:
        pairs = parse_qsl(
            body.decode(), keep_blank_values=True, max_num_fields=FORM_FIELDS, errors="strict"
        )
    except ValueError as error:
        reason = Text(
            "the body must be a form of at most {limit} fields in UTF-8", limit=FORM_FIELDS
        )
        raise BodyInvalid(reason=reason) from error
    if any("\x00" in value for _, value in pairs):
        raise BodyInvalid(reason=Text("a field holds a NUL character"))
    return pairs


def _iam_answer(token: IamToken) -> dict[str, object]:
    return {
        "access_token": token.access_token,
        "refresh_token": token.refresh_token,
        "token_type": "Bearer",
        "expires_in": token.lifetime,
        "expiration": token.expires,
        "scope": IAM_SCOPE,
    }


def _registry_answer(token: RegistryToken) -> dict[str, object]:
    answer: dict[str, object] = {
        "token": token.token,
        "access_token": token.token,
        "token_type": "Bearer",
        "scope": token.scope,
        "expires_in": token.lifetime,
        "issued_at": datetime.fromtimestamp(token.issued, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    if token.refresh_token is not None:
        answer["refresh_token"] = token.refresh_token
    return answer
