"""How a refusal looks on each surface: OCI, control API, IAM token exchange."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from starlette.responses import Response

from wharfinger_common.refusals import Challenge, Refusal

JSON: Final = "application/json"
Body = Callable[[Refusal, str], dict[str, Any]]


def oci_body(refusal: Refusal, request_id: str) -> dict[str, Any]:
    """Return the body of an OCI error answer (OCI distribution 1.1, Error Codes)."""
    return {"errors": [_oci_error(refusal, facts, request_id) for facts in refusal.items]}


def _oci_error(refusal: Refusal, facts: Mapping[str, object], request_id: str) -> dict[str, Any]:
    entry = refusal.entry
    detail = {"code": entry.code, "request_id": request_id, "help": entry.render_cure(facts)}
    named = {name: value for name, value in facts.items() if name not in detail}
    return {"code": entry.oci, "message": entry.render(facts), "detail": named | detail}


def control_body(refusal: Refusal, request_id: str) -> dict[str, Any]:
    """Return the body of a control API error: code, message, request-id, help."""
    entry, facts = refusal.entry, refusal.items[0]
    return {
        "code": entry.control,
        "message": entry.render(facts),
        "request-id": request_id,
        "help": entry.render_cure(facts),
        "entry": entry.code,
    }


def iam_body(refusal: Refusal, request_id: str) -> dict[str, Any]:
    """Return the body of an IAM error: errorCode, errorMessage, errorDetails, context."""
    entry, facts = refusal.entry, refusal.items[0]
    return {
        "errorCode": entry.iam,
        "errorMessage": entry.render(facts),
        "errorDetails": entry.render_cure(facts),
        "context": {"requestId": request_id, "entry": entry.code},
    }


def body_for(path: str) -> Body:
    """Return how errors are told to who called ``path``."""
    if path.startswith(("/identity/token", "/identity/v1", "/identity/keys", "/oidc/")):
        return iam_body
    if path.startswith(("/api/", "/va/")):
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


def render(refusal: Refusal, path: str, request_id: str, base: str) -> Response:
    """Return the answer to a refused request; ``base`` leads to the token endpoint."""
    content = json.dumps(body_for(path)(refusal, request_id)).encode()
    headers = dict(refusal.headers)
    if refusal.challenge is not None:
        headers["WWW-Authenticate"] = challenge_header(refusal.challenge, base)
    return Response(content, refusal.entry.status, headers, JSON)
