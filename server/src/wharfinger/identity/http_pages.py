"""``/identity/passcode``: sign in with a browser, get a passcode for the command line."""

import base64
import binascii
import hmac
import secrets
from collections.abc import Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from wharfinger.identity import pages
from wharfinger.identity.http import read_form
from wharfinger.identity.model import FormStale, ProviderRefused, SignInStale
from wharfinger.identity.service.passcodes import Passcodes
from wharfinger.identity.service.single_sign_on import SECONDS, SingleSignOn
from wharfinger.web.context import Web
from wharfinger.web.errors import Telling, language_of
from wharfinger.web.witness import Presented
from wharfinger_common.refusals import Refusal

PAGE: Final = "/identity/passcode"
LOGIN: Final = "/identity/oidc/login"
CALLBACK: Final = "/identity/oidc/callback"
FORM_COOKIE: Final = "wharfinger-form"
OIDC_COOKIE: Final = "wharfinger-oidc"
FORM_SECONDS: Final = 3600
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": pages.POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Vary": "Accept-Language, Cookie",
}
_NONE: Final[Mapping[str, str]] = {}


def routes(passcodes: Passcodes, sso: SingleSignOn | None, web: Web) -> list[Route]:
    """Return the routes of the pages; those of the provider only where there is one."""
    form = _PasscodePage(passcodes, sso is not None, web)
    found = [Route(PAGE, form.get, methods=["GET"]), Route(PAGE, form.post, methods=["POST"])]
    if sso is not None:
        provider = _ProviderPages(passcodes, sso, web)
        found.append(Route(LOGIN, provider.login, methods=["GET"]))
        found.append(Route(CALLBACK, provider.callback, methods=["GET"]))
    return found


class _PasscodePage:
    """The form. What is posted must come from it: cookie and field agree, and so does the origin.

    A stranger's page can send a form here, but neither read the cookie nor set the field.
    """

    def __init__(self, passcodes: Passcodes, offers_sso: bool, web: Web) -> None:  # noqa: FBT001
        self._passcodes: Final = passcodes
        self._provider: Final = web.settings.oidc_name if offers_sso else ""
        self._web: Final = web

    async def get(self, request: Request) -> Response:
        return self._form(request)

    async def post(self, request: Request) -> Response:
        fields = dict(await read_form(request, self._web))
        email = fields.get("email", "")
        try:
            self._require_own(request, fields.get("form", ""))
            code = await self._web.threads.run(
                self._passcodes.by_password,
                email,
                fields.get("password", ""),
                self._web.urls.client_address(request),
            )
        except Refusal as refusal:
            return self._form(request, email=email[:254], refusal=refusal)
        minutes = self._passcodes.seconds // 60
        return _html(request, pages.passcode(language_of(request), code, minutes))

    def _form(
        self, request: Request, *, email: str = "", refusal: Refusal | None = None
    ) -> Response:
        token = request.cookies.get(self._cookie(request), "") or secrets.token_urlsafe(24)
        page = pages.form(
            _telling(request, self._web),
            token,
            provider=self._provider,
            email=email,
            refusal=refusal,
        )
        if refusal is None:
            response = _html(request, page)
        else:
            response = _refused(request, page, refusal, self._web)
        response.set_cookie(
            self._cookie(request),
            token,
            max_age=FORM_SECONDS,
            httponly=True,
            samesite="strict",
            secure=self._secure(request),
        )
        return response

    def _require_own(self, request: Request, token: str) -> None:
        kept = request.cookies.get(self._cookie(request), "")
        site = request.headers.get("sec-fetch-site", "same-origin")
        origin = request.headers.get("origin", "")
        elsewhere = origin not in {"", self._web.urls.base(request)}
        if site != "same-origin" or elsewhere or not kept:
            raise FormStale
        if not hmac.compare_digest(kept.encode(), token.encode()):
            raise FormStale

    def _cookie(self, request: Request) -> str:
        # The prefix keeps other hosts of the domain from setting it, and needs TLS.
        return f"__Host-{FORM_COOKIE}" if self._secure(request) else FORM_COOKIE

    def _secure(self, request: Request) -> bool:
        return self._web.urls.base(request).startswith("https:")


class _ProviderPages:
    """Leaving for the provider and coming back."""

    def __init__(self, passcodes: Passcodes, sso: SingleSignOn, web: Web) -> None:
        self._passcodes: Final = passcodes
        self._sso: Final = sso
        self._web: Final = web

    async def login(self, request: Request) -> Response:
        try:
            departure = await self._web.threads.run(self._sso.start, self._callback(request))
        except Refusal as refusal:
            return self._failure(request, refusal)
        response = RedirectResponse(departure.url, 303, {"Cache-Control": "no-store"})
        response.set_cookie(
            OIDC_COOKIE,
            base64.urlsafe_b64encode(departure.cookie).decode(),
            max_age=SECONDS,
            path="/identity/oidc",
            httponly=True,
            # The way back begins at the provider's site.
            samesite="lax",
            secure=self._web.urls.base(request).startswith("https:"),
        )
        return response

    async def callback(self, request: Request) -> Response:
        try:
            code = await self._finished(request)
        except Refusal as refusal:
            response = self._failure(request, refusal)
        else:
            minutes = self._passcodes.seconds // 60
            response = _html(request, pages.passcode(language_of(request), code, minutes))
        response.delete_cookie(OIDC_COOKIE, path="/identity/oidc")
        return response

    async def _finished(self, request: Request) -> str:
        query = request.query_params
        if error := query.get("error"):
            raise ProviderRefused(reason=error[:100])
        return await self._web.threads.run(
            self._sso.finish,
            _decoded(request.cookies.get(OIDC_COOKIE, "")),
            query.get("state", ""),
            query.get("code", ""),
            self._callback(request),
        )

    def _failure(self, request: Request, refusal: Refusal) -> Response:
        page = pages.failure(_telling(request, self._web), refusal)
        return _refused(request, page, refusal, self._web)

    def _callback(self, request: Request) -> str:
        return self._web.urls.location(request, CALLBACK)


def _decoded(cookie: str) -> bytes:
    try:
        return base64.b64decode(cookie, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise SignInStale from error


def _telling(request: Request, web: Web) -> Telling:
    return Telling.to(request, web.urls.base(request), web.settings.help_url)


def _refused(request: Request, page: str, refusal: Refusal, web: Web) -> Response:
    """Return the page, and have the refusal remembered as those of all other surfaces are."""
    web.witness.saw(request.scope, refusal, Presented.of(request.scope))
    return _html(request, page, refusal.entry.status, refusal.headers)


def _html(
    request: Request, page: str, status: int = 200, headers: Mapping[str, str] = _NONE
) -> Response:
    told = {**_HEADERS, "Content-Language": language_of(request).value, **headers}
    return Response(page, status, told, media_type="text/html")
