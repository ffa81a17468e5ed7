"""One change that somebody made."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AuditRow:
    """Who (``actor``, an iam_id) did what to which thing; ``at`` in Unix seconds."""

    id: int
    at: int
    account: str
    actor: str
    action: str
    target: str
    request_id: str
    detail: Mapping[str, object]
