"""The token endpoints in the words of OpenAPI.

They are served without the framework that describes the control API, so that clients can sign in
before it is loaded.
"""

from collections.abc import Mapping
from typing import Any, Final

from wharfinger.identity.service.sign_in import (
    GRANT_API_KEY,
    GRANT_PASSCODE,
    GRANT_PASSWORD,
    GRANT_REFRESH,
    NO_REFRESH,
)
from wharfinger.identity.service.tokens import IAM_SCOPE

Json = dict[str, Any]

_TAG: Final = "sign-in"
_FORM: Final = "application/x-www-form-urlencoded"
_TEXT: Final[Json] = {"type": "string"}
_FIELD: Final[Json] = {"type": "string", "pattern": "^[^\\u0000]*$"}
_SECRET: Final[Json] = {"type": "string", "minLength": 1, "pattern": "^[^\\u0000]+$"}
_ACCOUNT: Final = "id of the account that the token is to act in; without it the key's, or the only"


def _form(grant: str, what: str, secrets: Mapping[str, str]) -> Json:
    """Return the schema of the form with which one kind of grant is asked for."""
    fields: Json = {
        "grant_type": {"type": "string", "const": grant},
        **{name: {**_SECRET, "description": text} for name, text in secrets.items()},
        "bss_account": {**_FIELD, "description": _ACCOUNT},
        "account": {**_FIELD, "description": "the same as bss_account, which wins"},
        "response_type": {**_FIELD, "description": "whatever it is, the answer is one"},
    }
    return {
        "type": "object",
        "description": f"{what}; further fields are left alone",
        "properties": fields,
        "required": ["grant_type", *secrets],
    }


_FORMS: Final[Json] = {
    "TokenByApiKey": _form(
        GRANT_API_KEY, "An API key", {"apikey": "an API key of a user or a service ID"}
    ),
    "TokenByPassword": _form(
        GRANT_PASSWORD,
        "A password",
        {"username": "the user's e-mail address", "password": "the user's password"},
    ),
    "TokenByPasscode": _form(
        GRANT_PASSCODE, "A passcode", {"passcode": "a passcode from /identity/passcode, good once"}
    ),
    "TokenByRefresh": _form(
        GRANT_REFRESH, "A refresh token", {"refresh_token": "that of an earlier answer"}
    ),
}
_TOKEN: Final[Json] = {
    "type": "object",
    "description": "An IAM token",
    "properties": {
        "access_token": {**_TEXT, "description": "what calls carry as bearer token; a JWT"},
        "refresh_token": {
            **_TEXT,
            "description": f"for the next exchange; '{NO_REFRESH}' unless the client, bx, "
            "authenticated itself with HTTP Basic",
        },
        "token_type": {"type": "string", "const": "Bearer"},
        "expires_in": {"type": "integer", "minimum": 1, "description": "seconds"},
        "expiration": {"type": "integer", "description": "when it ends, Unix seconds"},
        "scope": {"type": "string", "const": IAM_SCOPE},
    },
    "required": [
        "access_token",
        "refresh_token",
        "token_type",
        "expires_in",
        "expiration",
        "scope",
    ],
}
_KEY: Final[Json] = {
    "type": "object",
    "description": "A public key for ES256 (RFC 7517, RFC 7518 section 6.2)",
    "properties": {
        "kty": {"type": "string", "const": "EC"},
        "crv": {"type": "string", "const": "P-256"},
        "alg": {"type": "string", "const": "ES256"},
        "use": {"type": "string", "const": "sig"},
        "kid": {"type": "string", "minLength": 1},
        "x": {"type": "string", "pattern": "^[A-Za-z0-9_-]{43}$"},
        "y": {"type": "string", "pattern": "^[A-Za-z0-9_-]{43}$"},
    },
    "required": ["kty", "crv", "alg", "use", "kid", "x", "y"],
}
_KEY_SET: Final[Json] = {
    "type": "object",
    "description": "A JWK set (RFC 7517 section 5), the newest key first",
    "properties": {
        "keys": {
            "type": "array",
            "minItems": 1,
            "items": {"$ref": "#/components/schemas/SigningKey"},
        }
    },
    "required": ["keys"],
}
_WAIT: Final[Json] = {
    "Retry-After": {"description": "seconds to wait", "schema": {"type": "integer", "minimum": 1}}
}


def description() -> Json:
    """Return ``paths`` and ``components.schemas`` of an OpenAPI 3.1 document."""
    schemas = {
        "TokenForm": {
            "description": "What is given for a token, by grant_type",
            "oneOf": [{"$ref": f"#/components/schemas/{name}"} for name in _FORMS],
        },
        **_FORMS,
        "IamToken": _TOKEN,
        "SigningKeySet": _KEY_SET,
        "SigningKey": _KEY,
    }
    paths = {
        "/identity/token": {"post": _exchange("create_iam_token", "Exchange a secret for a token")},
        "/oidc/token": {
            "post": _exchange(
                "create_oidc_token", "Exchange a secret for a token, as older clients"
            )
        },
        "/identity/keys": {"get": _keys()},
    }
    return {"paths": paths, "components": {"schemas": schemas}}


def _exchange(identity: str, summary: str) -> Json:
    return {
        "operationId": identity,
        "tags": [_TAG],
        "summary": summary,
        "description": f"{summary}.\n\nA secret that is unknown, ended or used up is refused with "
        "400, a wrong user name or password with 401. HTTP Basic authentication is the client's "
        "own, not the user's, and may be left out.",
        "security": [],
        "requestBody": {
            "required": True,
            "content": {_FORM: {"schema": {"$ref": "#/components/schemas/TokenForm"}}},
        },
        "responses": {
            "200": _answer("The token", "IamToken", "no-store"),
            "400": _refusal("The form is not as it must be, or the secret is refused"),
            "401": _refusal("User name and password, or the client's own, are wrong"),
            "413": _refusal("The form is larger than the setting body_bytes"),
            "429": _refusal("Too many failed sign-ins", _WAIT),
            "503": _refusal("Too many passwords are being checked, or the service stops", _WAIT),
        },
    }


def _keys() -> Json:
    return {
        "operationId": "list_signing_keys",
        "tags": [_TAG],
        "summary": "List the public keys of our tokens",
        "description": "List the public keys of our tokens.\n\nFor whoever verifies them; a key "
        "is listed before it signs, and until the last token that it signed has ended.",
        "security": [],
        "responses": {"200": _answer("The keys", "SigningKeySet", "public, max-age")},
    }


def _answer(description: str, schema: str, caching: str) -> Json:
    return {
        "description": description,
        "headers": {
            "Cache-Control": {
                "description": "how long it may be kept",
                "schema": {"type": "string", "pattern": f"^{caching}"},
            }
        },
        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}},
    }


def _refusal(description: str, headers: Json | None = None) -> Json:
    schema = {"$ref": "#/components/schemas/IamError"}
    return {
        "description": description,
        "headers": dict(headers or {}),
        "content": {"application/json": {"schema": schema}},
    }
