"""All that a call to the service may end with, other than its answer.

::

    CallFailed
    |-- AddressInvalid             the address is none
    |-- Unreachable                no answer came
    |   |-- NameNotResolved        DNS knows no such host
    |   |-- ConnectionRefused      nothing listens, or a firewall rejects
    |   |-- ConnectionDropped      silence
    |   |-- NetworkFailed          no way to the host
    |   |-- ProxyFailed            the proxy on the way refuses
    |   |-- TlsFailed              no encrypted connection
    |   |   |-- CertificateUntrusted
    |   |   |-- CertificateExpired
    |   |   `-- CertificateOfAnother
    |   |-- AnswerLate             connected, and then silence
    |   `-- ConnectionBroken       it ended in the middle
    |-- AnswerUnusable             an answer that is not of this service
    `-- Answered                   the service says no: status, code, request id
        |-- SignInNeeded           401
        |-- NotAllowed             403
        |-- NotThere               404
        |-- InConflict             409
        |-- TooMany                429
        `-- ServiceFailed          5xx

Nothing of the HTTP library passes this boundary: `failures` maps all of it.
"""

from typing import Any, ClassVar, Final, Self

from wharfinger_common.catalogue import clients as entries
from wharfinger_common.refusals import Entry, Refusal


class CallFailed(Refusal):
    """The root: a call did not bring a usable success."""


class AddressInvalid(CallFailed):
    """The address cannot be called."""

    entry = entries.ADDRESS_INVALID


class Unreachable(CallFailed):
    """No answer came."""

    may_have_been_done: ClassVar[bool] = False
    """Whether the service may have got and done the request."""


class NameNotResolved(Unreachable):
    """DNS knows no such host."""

    entry = entries.NAME_NOT_RESOLVED


class ConnectionRefused(Unreachable):
    """The machine rejects the connection."""

    entry = entries.CONNECTION_REFUSED


class ConnectionDropped(Unreachable):
    """No packet came back within the timeout."""

    entry = entries.CONNECTION_DROPPED


class NetworkFailed(Unreachable):
    """The operating system knows no way to the host."""

    entry = entries.NETWORK_FAILED


class ProxyFailed(Unreachable):
    """The proxy that the environment names refuses or is away."""

    entry = entries.PROXY_FAILED


class TlsFailed(Unreachable):
    """No encrypted connection came about."""

    entry = entries.TLS_FAILED


class CertificateUntrusted(TlsFailed):
    """No trusted authority signed the certificate."""

    entry = entries.CERTIFICATE_UNTRUSTED


class CertificateExpired(TlsFailed):
    """The certificate is not valid at this time."""

    entry = entries.CERTIFICATE_EXPIRED


class CertificateOfAnother(TlsFailed):
    """The certificate is for other hosts."""

    entry = entries.CERTIFICATE_OF_ANOTHER


class AnswerLate(Unreachable):
    """The request went out, and no answer came within the timeout."""

    entry = entries.ANSWER_LATE
    may_have_been_done = True


class ConnectionBroken(Unreachable):
    """The connection ended before the answer did."""

    entry = entries.CONNECTION_BROKEN
    may_have_been_done = True


class AnswerUnusable(CallFailed):
    """The answer is not in the form of this service."""

    entry = entries.ANSWER_UNUSABLE


class Answered(CallFailed):
    """The service says no.

    ``status`` is HTTP's, ``code`` the one of the surface (``CRG0009E``), ``known`` the catalogue
    code (``WHF0217``), ``cure`` what to do about it, ``help`` a URL; each '' where the answer
    lacks it.
    ``retry_after`` is in seconds, 0 without one.
    """

    entry: ClassVar[Entry] = entries.ANSWER_REFUSED

    def __init__(self, status: int, text: str, *, retry_after: int = 0, **told: str) -> None:
        super().__init__(text=text)
        self.status: Final = status
        self.text: Final = text
        self.code: Final = told.get("code", "")
        self.known: Final = told.get("known", "")
        self.cure: Final = told.get("cure", "")
        self.help: Final = told.get("help", "")
        self.request_id: Final = told.get("request_id", "")
        self.retry_after: Final = retry_after

    def with_code(self) -> Self:
        """Return the same refusal, whose text begins with the code of its surface."""
        names = ("code", "known", "cure", "help", "request_id")
        told = {name: getattr(self, name) for name in names}
        text = f"{self.code} {self.text}".strip()
        return type(self)(self.status, text, retry_after=self.retry_after, **told)


class SignInNeeded(Answered):
    """401: no valid sign-in."""

    entry = entries.SIGN_IN_NEEDED


class NotAllowed(Answered):
    """403: known, and may not."""

    entry = entries.NOT_ALLOWED


class NotThere(Answered):
    """404: nothing of this name for this caller."""

    entry = entries.NOT_THERE


class InConflict(Answered):
    """409: not as things stand."""

    entry = entries.IN_CONFLICT


class TooMany(Answered):
    """429: not so soon."""

    entry = entries.TOO_MANY


class ServiceFailed(Answered):
    """5xx: not able to, now."""

    entry = entries.SERVICE_FAILED


_BY_STATUS: Final[dict[int, type[Answered]]] = {
    401: SignInNeeded,
    403: NotAllowed,
    404: NotThere,
    409: InConflict,
    429: TooMany,
}


def answered(status: int, body: Any, request_id: str = "", retry_after: int = 0) -> Answered:
    """Return the refusal in an answer of any surface: control API, IAM, OCI; plain if unknown."""
    told = _told(body if isinstance(body, dict) else {})
    told["request_id"] = told.get("request_id") or request_id
    text = told.pop("text", "") or f"HTTP {status}"
    kind = ServiceFailed if status >= 500 else _BY_STATUS.get(status, Answered)
    return kind(status, text, retry_after=retry_after, **told)


def _told(body: dict[str, Any]) -> dict[str, str]:
    """Return text, code, known, cure, help and request_id, as far as an error body has them."""
    errors = body.get("errors")
    if isinstance(errors, list) and errors and isinstance(errors[0], dict):
        body = errors[0]
    detail = body.get("detail") or body.get("context")
    detail = detail if isinstance(detail, dict) else {}
    found = {
        "text": body.get("message") or body.get("errorMessage"),
        "code": body.get("code") or body.get("errorCode"),
        "known": body.get("entry") or detail.get("entry") or detail.get("code"),
        "cure": body.get("cure") or body.get("errorDetails") or detail.get("cure"),
        "help": body.get("help") or detail.get("help"),
        "request_id": body.get("request-id") or detail.get("request_id") or detail.get("requestId"),
    }
    return {name: value for name, value in found.items() if isinstance(value, str)}
