"""What all operations of the control API have in common, added to the OpenAPI description."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

Json = dict[str, Any]

_DESCRIPTION: Final = (
    "Accounts, access, namespaces and images of this registry. Calls carry an IAM token "
    "(POST /identity/token) and act in the account that the Account header names. Every answer "
    "has an X-Request-Id; every error a code, what happened, and what to do now."
)
_SECURITY: Final[Json] = {
    "iam": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "IAM token from POST /identity/token",
    },
    "account": {
        "type": "apiKey",
        "in": "header",
        "name": "Account",
        "description": "id of the account to act in",
    },
}
_CONTROL_ERROR: Final[Json] = {
    "type": "object",
    "description": "Why the call was refused",
    "required": ["code", "message", "request-id", "entry", "help", "cure"],
    "properties": {
        "code": {"type": "string", "description": "code of the control API"},
        "message": {"type": "string", "description": "what happened, to which thing"},
        "request-id": {"type": "string", "description": "the same as X-Request-Id"},
        "entry": {"type": "string", "pattern": "^WHF[0-9]{4}$", "description": "catalogue entry"},
        "help": {"type": "string", "description": "URL of the page that explains the entry"},
        "cure": {"type": "string", "description": "what to do now"},
    },
}
_IAM_ERROR: Final[Json] = {
    "type": "object",
    "description": "Why the call was refused",
    "required": ["errorCode", "errorMessage", "errorDetails", "context"],
    "properties": {
        "errorCode": {"type": "string", "description": "code of the identity API"},
        "errorMessage": {"type": "string", "description": "what happened, to which thing"},
        "errorDetails": {"type": "string", "description": "what to do now"},
        "context": {
            "type": "object",
            "required": ["requestId", "entry", "help"],
            "properties": {
                "requestId": {"type": "string", "description": "the same as X-Request-Id"},
                "entry": {"type": "string", "pattern": "^WHF[0-9]{4}$"},
                "help": {"type": "string", "description": "URL of the page about the entry"},
            },
        },
    },
}
_REQUEST_ID: Final[Json] = {
    "description": "id of this request, for questions about it",
    "schema": {"type": "string"},
}
_IDENTIFIER: Final = "^[A-Za-z0-9_-]{1,64}$"
_IAM: Final = ("/identity/", "/oidc/")
_METHODS: Final = ("get", "put", "post", "delete", "patch")


def joined(document: Json, besides: Mapping[str, Any]) -> Json:
    """Return the document with the paths and schemas of what is served elsewhere."""
    document["paths"] |= besides.get("paths", {})
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas |= besides.get("components", {}).get("schemas", {})
    return document


def completed(document: Json, password_min_length: int, plans: Sequence[str]) -> Json:
    """Return the document with security, errors and headers that hold for every operation.

    Passwords have as many characters at least as the setting says, which no model knows; nor do
    they know which plans there are.
    """
    document["info"]["description"] = _DESCRIPTION
    parts = document.setdefault("components", {})
    parts["securitySchemes"] = _SECURITY
    schemas = parts.setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas.update(ControlError=_CONTROL_ERROR, IamError=_IAM_ERROR)
    _bound_passwords(schemas, password_min_length)
    _name_plans(schemas, plans)
    document["security"] = [{"iam": [], "account": []}]
    for path, operation in operations(document):
        _complete(path, operation)
    return document


def operations(document: Json) -> Iterator[tuple[str, Json]]:
    """Yield path and description of each operation."""
    for path, methods in document.get("paths", {}).items():
        for method in _METHODS:
            if method in methods:
                yield path, methods[method]


def _complete(path: str, operation: Json) -> None:
    summary, _, rest = operation.pop("description", operation["summary"]).partition("\n\n")
    operation["summary"] = " ".join(summary.split()).rstrip(".")
    if rest:
        operation["description"] = rest
    _drop_account_parameter(operation)
    _bound_identifiers(operation)
    _complete_responses(
        operation["responses"], "IamError" if path.startswith(_IAM) else "ControlError"
    )


def _bound_passwords(schemas: Json, least: int) -> None:
    for schema in schemas.values():
        for name, field in schema.get("properties", {}).items():
            if name.endswith("password"):
                for one in field.get("anyOf", [field]):
                    if one["type"] == "string":
                        one["minLength"] = least


def _name_plans(schemas: Json, plans: Sequence[str]) -> None:
    """Say which plans there are; their names are taken in any case."""
    for schema in schemas.values():
        plan = schema.get("properties", {}).get("plan", {})
        for one in plan.get("anyOf", ()):
            if one["type"] == "string":
                one.clear()
                one["enum"] = list(plans)


def _bound_identifiers(operation: Json) -> None:
    """Say what ids in paths consist of; whatever else is sent there is not found."""
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "path":
            parameter["schema"].setdefault("pattern", _IDENTIFIER)


def _drop_account_parameter(operation: Json) -> None:
    """Leave the Account header to the security scheme that stands for it."""
    kept = [one for one in operation.pop("parameters", []) if one["name"].lower() != "account"]
    if kept:
        operation["parameters"] = kept


def _complete_responses(responses: Json, error: str) -> None:
    # Bodies and parameters that do not fit are refused with 400, not with FastAPI's 422.
    responses.pop("422", None)
    schema = {"$ref": f"#/components/schemas/{error}"}
    for status, description in (("4XX", "The call was refused"), ("5XX", "The service failed")):
        responses[status] = {
            "description": description,
            "content": {"application/json": {"schema": schema}},
        }
    for answer in responses.values():
        answer.setdefault("headers", {})["X-Request-Id"] = _REQUEST_ID
