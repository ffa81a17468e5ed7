"""The map from the HTTP library's errors to ours is complete, and tells causes apart."""

from __future__ import annotations

import socket
import ssl
from http import client as raised

import pytest

from wharfinger_common.clients import errors
from wharfinger_common.clients.failures import CONNECTING, TALKING, Called, Kinds, failure_of

CALLED = Called("https://registry.example/x", "registry.example", "", 5.0)
THROUGH = Called("https://registry.example/x", "registry.example", "proxy.example:3128", 5.0)


def library_errors() -> set[type[Exception]]:
    """Every error that the library defines."""
    found: set[type[Exception]] = {raised.HTTPException}
    waiting: list[type[Exception]] = [raised.HTTPException]
    while waiting:
        for child in waiting.pop().__subclasses__():
            if child.__module__ == raised.__name__:
                found.add(child)
                waiting.append(child)
    return found


def our_errors() -> set[type[errors.CallFailed]]:
    found: set[type[errors.CallFailed]] = set()
    waiting: list[type[errors.CallFailed]] = [errors.CallFailed]
    while waiting:
        for child in waiting.pop().__subclasses__():
            found.add(child)
            waiting.append(child)
    return found


def test_every_error_of_the_library_is_mapped() -> None:
    assert len(library_errors()) > 10
    assert library_errors() <= set(TALKING)


def test_the_drawing_shows_every_error() -> None:
    drawing = errors.__doc__ or ""

    assert not [each.__name__ for each in our_errors() if f" {each.__name__}" not in drawing]


def verification(code: int) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code = code
    return error


@pytest.mark.parametrize(
    ("error", "kinds", "kind"),
    [
        (socket.gaierror(-2, "unknown"), CONNECTING, errors.NameNotResolved),
        (UnicodeError("label too long"), CONNECTING, errors.NameNotResolved),
        (ConnectionRefusedError(111, "refused"), CONNECTING, errors.ConnectionRefused),
        (OSError(101, "Network is unreachable"), CONNECTING, errors.NetworkFailed),
        (TimeoutError("timed out"), CONNECTING, errors.ConnectionDropped),
        (ssl.SSLError(1, "wrong version number"), CONNECTING, errors.TlsFailed),
        (verification(19), CONNECTING, errors.CertificateUntrusted),
        (verification(20), CONNECTING, errors.CertificateUntrusted),
        (verification(10), CONNECTING, errors.CertificateExpired),
        (verification(62), CONNECTING, errors.CertificateOfAnother),
        (TimeoutError("timed out"), TALKING, errors.AnswerLate),
        (ConnectionResetError(104, "reset"), TALKING, errors.ConnectionBroken),
        (raised.RemoteDisconnected("closed"), TALKING, errors.ConnectionBroken),
        (raised.IncompleteRead(b"", 2), TALKING, errors.ConnectionBroken),
        (raised.BadStatusLine("x"), TALKING, errors.AnswerUnusable),
        (raised.InvalidURL("x"), TALKING, errors.AddressInvalid),
    ],
    ids=lambda value: getattr(value, "__name__", type(value).__name__),
)
def test_causes_are_told_apart(
    error: Exception, kinds: Kinds, kind: type[errors.CallFailed]
) -> None:
    failure = failure_of(error, CALLED, kinds)

    assert type(failure) is kind
    assert str(failure)


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError(111, "refused"),
        OSError("Tunnel connection failed: 407"),
        TimeoutError(),
    ],
)
def test_what_stands_between_is_named(error: Exception) -> None:
    failure = failure_of(error, THROUGH, CONNECTING)

    assert type(failure) is errors.ProxyFailed
    assert "proxy.example:3128" in str(failure)


@pytest.mark.parametrize("kind", [*CONNECTING, *TALKING], ids=lambda kind: kind.__name__)
def test_every_mapped_error_can_be_told(kind: type[Exception]) -> None:
    error = kind.__new__(kind)

    assert str(failure_of(error, CALLED, TALKING))


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
