"""``GET /api/v1/audit``, with OpenAPI; loaded after the service is ready, as FastAPI is heavy."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel

from wharfinger.audit.model import AuditRow
from wharfinger.audit.service import AuditService
from wharfinger.web.authentication import Gate
from wharfinger.web.context import Web
from wharfinger.web.control_route import caller_of, guarded_route

PAGE: Final = 100
MAX_PAGE: Final = 100_000
MAX_ROW_ID: Final = 2**63 - 1


class AuditView(BaseModel):
    """One change: who did what to which thing, when."""

    id: int
    at: str
    actor: str
    action: str
    target: str
    request_id: str
    detail: dict[str, Any]

    @classmethod
    def of(cls, row: AuditRow) -> "AuditView":
        """Return the view of ``row``."""
        return cls(
            id=row.id,
            at=datetime.fromtimestamp(row.at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            actor=row.actor,
            action=row.action,
            target=row.target,
            request_id=row.request_id,
            detail=dict(row.detail),
        )


class AuditPage(BaseModel):
    """A page of changes, newest first; ``next`` is the start of the next page, null for none."""

    limit: int
    next: int | None
    entries: Sequence[AuditView]


def router(service: AuditService, web: Web, gate: Gate) -> APIRouter:
    """Return the route of the audit trail; ``gate`` tells who calls, in which account."""
    api = APIRouter(tags=["audit"], route_class=guarded_route(web, gate))

    @api.get("/api/v1/audit")
    async def audit(
        request: Request,
        limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = PAGE,
        start: Annotated[int | None, Query(ge=1, le=MAX_ROW_ID)] = None,
    ) -> AuditPage:
        """List what was changed in the account, newest first (Managers)."""
        most = min(limit, web.settings.page_entries)
        rows = await web.threads.run(service.page, caller_of(request), start, most)
        more = rows[-1].id if len(rows) == most else None
        return AuditPage(limit=most, next=more, entries=[AuditView.of(row) for row in rows])

    return api
