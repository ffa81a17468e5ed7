"""One change that somebody made."""

from collections.abc import Mapping

from msgspec import Struct


class AuditRow(Struct, frozen=True):
    """Who (``actor``, an iam_id) did what to which thing; ``at`` in Unix seconds."""

    id: int
    at: int
    account: str
    actor: str
    action: str
    target: str
    request_id: str
    detail: Mapping[str, object]
