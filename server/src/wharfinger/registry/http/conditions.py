"""Conditions of requests for what never changes under its digest (RFC 9110 section 13)."""

from starlette.requests import Request

from wharfinger.registry.model.blobs import matches


def has_already(request: Request, digest: str) -> bool:
    """Whether the client says that it has ``digest`` already, in one line or several."""
    condition = ", ".join(request.headers.getlist("if-none-match"))
    return bool(condition) and matches(condition, digest)
