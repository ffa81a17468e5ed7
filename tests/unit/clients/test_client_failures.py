"""The map from the HTTP library's errors to ours is complete, and tells causes apart."""

from __future__ import annotations

import inspect
import socket
import ssl
from typing import Any

import pytest
from urllib3 import exceptions as raised

from wharfinger_common.clients import errors
from wharfinger_common.clients.failures import KINDS, Called, failure_of

NOBODY: Any = None
"""Where the library wants the connection, of which nothing is looked at."""
CALLED = Called("https://registry.example/x", "registry.example", "proxy.example:3128", 5.0)


def library_errors() -> set[type[Exception]]:
    """Every error that the library defines; warnings are none."""
    found = {each for _, each in inspect.getmembers(raised, inspect.isclass)}
    return {
        each
        for each in found
        if issubclass(each, raised.HTTPError)
        or (issubclass(each, Exception) and each.__module__ == raised.__name__)
    } - {each for each in found if issubclass(each, Warning)}


def our_errors() -> set[type[errors.CallFailed]]:
    found: set[type[errors.CallFailed]] = set()
    waiting: list[type[errors.CallFailed]] = [errors.CallFailed]
    while waiting:
        for child in waiting.pop().__subclasses__():
            found.add(child)
            waiting.append(child)
    return found


def test_every_error_of_the_library_is_mapped() -> None:
    assert library_errors() - {raised.HTTPWarning} <= set(KINDS)


def test_the_drawing_shows_every_error() -> None:
    drawing = errors.__doc__ or ""

    assert not [each.__name__ for each in our_errors() if f" {each.__name__}" not in drawing]


def caused(outer: Exception, inner: BaseException) -> Exception:
    outer.__cause__ = inner
    return outer


def verification(code: int) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code = code
    return error


REFUSED = ConnectionRefusedError(111, "Connection refused")
UNREACHABLE = OSError(101, "Network is unreachable")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (
            raised.NameResolutionError("h", NOBODY, socket.gaierror(-2, "unknown")),
            errors.NameNotResolved,
        ),
        (caused(raised.NewConnectionError(NOBODY, "x"), REFUSED), errors.ConnectionRefused),
        (caused(raised.NewConnectionError(NOBODY, "x"), UNREACHABLE), errors.NetworkFailed),
        (raised.ConnectTimeoutError(), errors.ConnectionDropped),
        (raised.ReadTimeoutError(NOBODY, "/", "late"), errors.AnswerLate),
        (
            raised.ProtocolError("aborted", ConnectionResetError(104, "reset")),
            errors.ConnectionBroken,
        ),
        (raised.IncompleteRead(1, 2), errors.ConnectionBroken),
        (raised.DecodeError("gzip"), errors.AnswerUnusable),
        (raised.ProxyError("no", REFUSED), errors.ProxyFailed),
        (raised.SSLError(ssl.SSLError(1, "wrong version number")), errors.TlsFailed),
        (raised.SSLError(verification(19)), errors.CertificateUntrusted),
        (raised.SSLError(verification(20)), errors.CertificateUntrusted),
        (raised.SSLError(verification(10)), errors.CertificateExpired),
        (raised.SSLError(verification(62)), errors.CertificateOfAnother),
        (verification(10), errors.CertificateExpired),
        (raised.LocationParseError("x"), errors.AddressInvalid),
        (TimeoutError("timed out"), errors.AnswerLate),
    ],
    ids=lambda value: getattr(value, "__name__", type(value).__name__),
)
def test_causes_are_told_apart(error: Exception, kind: type[errors.CallFailed]) -> None:
    failure = failure_of(error, CALLED)

    assert type(failure) is kind
    assert str(failure)


@pytest.mark.parametrize("kind", list(KINDS))
def test_every_mapped_error_can_be_told(kind: type[Exception]) -> None:
    error = kind.__new__(kind)

    assert str(failure_of(error, CALLED))


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.Answered),
        (401, errors.SignInNeeded),
        (403, errors.NotAllowed),
        (404, errors.NotThere),
        (409, errors.InConflict),
        (429, errors.TooMany),
        (500, errors.ServiceFailed),
        (503, errors.ServiceFailed),
    ],
)
def test_answers_by_status(status: int, kind: type[errors.Answered]) -> None:
    assert type(errors.answered(status, None)) is kind


CONTROL = {
    "code": "CRG0020E",
    "message": "no",
    "request-id": "r1",
    "entry": "WHF0218",
    "help": "http://h",
    "cure": "Ask.",
}
IAM = {
    "errorCode": "CRG0020E",
    "errorMessage": "no",
    "errorDetails": "Ask.",
    "context": {"requestId": "r1", "entry": "WHF0218", "help": "http://h"},
}
OCI = {
    "errors": [
        {
            "code": "CRG0020E",
            "message": "no",
            "detail": {"code": "WHF0218", "request_id": "r1", "help": "http://h", "cure": "Ask."},
        }
    ]
}


@pytest.mark.parametrize("body", [CONTROL, IAM, OCI], ids=["control", "iam", "oci"])
def test_each_surface_is_understood(body: dict[str, object]) -> None:
    refusal = errors.answered(403, body)

    assert (refusal.text, refusal.code, refusal.known) == ("no", "CRG0020E", "WHF0218")
    assert (refusal.cure, refusal.help, refusal.request_id) == ("Ask.", "http://h", "r1")


@pytest.mark.parametrize("body", [None, [], "text", {}, {"errors": [1]}, {"message": 5}])
def test_an_answer_of_any_form_is_told(body: object) -> None:
    refusal = errors.answered(502, body, "r2")

    assert (str(refusal), refusal.request_id) == ("HTTP 502", "r2")
