"""How a refusal looks on each surface: OCI, control API, IAM token exchange."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from msgspec import Struct
from starlette.requests import HTTPConnection
from starlette.responses import Response

from wharfinger_common.languages import Language, accepted, rendered, translate
from wharfinger_common.refusals import Challenge, Refusal

JSON: Final = "application/json"
HELP_PATH: Final = "/help/errors"
"""Below it the service explains each code of the catalogue (`web.help_pages`)."""


class Telling(Struct, frozen=True):
    """How one answer is told: under which id, in which language, with which URLs.

    ``base`` is scheme and host for absolute URLs; ``help_url`` the operator's own help, '' for
    the service's pages, with ``{code}`` where the catalogue code belongs.
    """

    request_id: str
    base: str
    language: Language = Language.ENGLISH
    help_url: str = ""

    @classmethod
    def to(cls, request: HTTPConnection, base: str, help_url: str) -> "Telling":
        """Return how the answer to ``request`` is told."""
        return cls(request.scope["request_id"], base, language_of(request), help_url)

    def help(self, code: str) -> str:
        """Return the URL that explains ``code``."""
        own = f"{self.base}{HELP_PATH}/{code}"
        return self.help_url.replace("{code}", code) if self.help_url else own


def language_of(request: HTTPConnection) -> Language:
    """Return the language that the request asks for (RFC 9110, Accept-Language)."""
    return accepted(request.headers.get("accept-language", ""))


Body = Callable[[Refusal, Telling], dict[str, Any]]


def oci_body(refusal: Refusal, telling: Telling) -> dict[str, Any]:
    """Return the body of an OCI error answer (OCI distribution 1.1, Error Codes).

    ``detail`` has the refusal's facts, and ``code``, ``request_id``, ``help`` (a URL), ``cure``.
    """
    return {"errors": [_oci_error(refusal, facts, telling) for facts in refusal.items]}


def _oci_error(refusal: Refusal, facts: Mapping[str, object], telling: Telling) -> dict[str, Any]:
    entry, language = refusal.entry, telling.language
    wording = translate(entry, language, facts)
    told = {name: rendered(fact, language) for name, fact in facts.items()}
    detail = {
        "code": entry.code,
        "request_id": telling.request_id,
        "help": telling.help(entry.code),
        "cure": wording.remedy,
    }
    return {"code": entry.oci, "message": wording.message, "detail": told | detail}


def control_body(refusal: Refusal, telling: Telling) -> dict[str, Any]:
    """Return the body of a control API error (control API, section 5).

    Besides code, message and request-id: the catalogue's code, its URL and what to do now.
    """
    entry = refusal.entry
    wording = translate(entry, telling.language, refusal.items[0])
    return {
        "code": entry.control,
        "message": wording.message,
        "request-id": telling.request_id,
        "entry": entry.code,
        "help": telling.help(entry.code),
        "cure": wording.remedy,
    }


def told_in_part(refusal: Refusal, language: Language) -> dict[str, str]:
    """Return code and message of what was refused of a call that did other things."""
    entry = refusal.entry
    message = translate(entry, language, refusal.items[0]).message
    return {"code": entry.control, "message": message}


def iam_body(refusal: Refusal, telling: Telling) -> dict[str, Any]:
    """Return the body of an IAM error: errorCode, errorMessage, errorDetails, context."""
    entry = refusal.entry
    wording = translate(entry, telling.language, refusal.items[0])
    return {
        "errorCode": entry.iam,
        "errorMessage": wording.message,
        "errorDetails": wording.remedy,
        "context": {
            "requestId": telling.request_id,
            "entry": entry.code,
            "help": telling.help(entry.code),
        },
    }


def body_for(path: str) -> Body:
    """Return how errors are told to who called ``path``."""
    if path.startswith(("/identity/token", "/identity/v1", "/identity/keys", "/oidc/")):
        return iam_body
    if path.startswith(("/api/", "/va/", "/plugins/")):
        return control_body
    return oci_body


def challenge_header(challenge: Challenge, base: str, service: str = "registry") -> str:
    """Return the WWW-Authenticate value for a challenge of the registry surface."""
    fields = {"realm": f"{base}/oauth/token", "service": service}
    if challenge.scope:
        fields["scope"] = challenge.scope
    if challenge.error:
        fields["error"] = challenge.error
    return "Bearer " + ",".join(f'{name}="{value}"' for name, value in fields.items())


def render(refusal: Refusal, path: str, telling: Telling) -> Response:
    """Return the answer to a refused request for ``path``."""
    body = body_for(path)
    content = json.dumps(body(refusal, telling), ensure_ascii=False).encode()
    headers = dict(refusal.headers)
    if telling.base and headers.get("Location", "").startswith("/"):
        headers["Location"] = telling.base + headers["Location"]
    headers |= {"Content-Language": telling.language.value, "Vary": "Accept-Language"}
    if body is not oci_body:
        # The published SDK shows the id if it comes by this name (control API, section 5).
        headers["X-Global-Transaction-ID"] = telling.request_id
    if refusal.challenge is not None:
        headers["WWW-Authenticate"] = challenge_header(refusal.challenge, telling.base)
    elif refusal.entry.status == 401:
        # A 401 names the scheme that would be taken (RFC 9110 section 15.5.2): clients of the
        # registry present user name and password, those of the control API a token.
        scheme = 'Basic realm="registry", charset="UTF-8"' if body is oci_body else "Bearer"
        headers["WWW-Authenticate"] = scheme
    return Response(content, refusal.entry.status, headers, JSON)
