"""``/api/v1/plans``, ``/quotas`` and ``/usage`` (control API, sections 2 and 4), with OpenAPI.

Loaded after readiness. Usage is the service's own addition: what was stored and downloaded in
each month, also as CSV.
"""

import csv
import io
from collections.abc import Sequence
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from wharfinger.plans import MAX_MEGABYTES, UNLIMITED
from wharfinger.quotas.model import MONTH_PATTERN, Month
from wharfinger.quotas.service.accounts import Quotas
from wharfinger.web.authentication import Gate
from wharfinger.web.bodies import BodyInvalid
from wharfinger.web.context import Web
from wharfinger.web.control_route import caller_of, guarded_route
from wharfinger.web.wrong_input import Wrong, shaped
from wharfinger_common.languages import Text

CSV: Final = "text/csv"
JSON: Final = "application/json"
COLUMNS: Final = ("region", "account", "month", "storage_gb_months", "traffic_bytes")

MonthName = Annotated[
    str | None,
    Query(pattern=MONTH_PATTERN, description="YYYY-MM, UTC; by default the present month"),
    BeforeValidator(shaped(MONTH_PATTERN, Text("it must be a month, as YYYY-MM"))),
]


def _number(value: object) -> object:
    """Refuse what would be read as a number without being one."""
    if isinstance(value, bool | str):
        raise Wrong(Text("it must be an integer"))
    return value


_Whole = Annotated[int, Field(ge=UNLIMITED, le=MAX_MEGABYTES), BeforeValidator(_number)]
Megabytes = Annotated[
    _Whole | None,
    Field(description="megabytes of 2^20; 0: nothing, -1: unlimited, left out: as it is"),
]


class PlanView(BaseModel):
    """The account's plan in this region."""

    plan: str = Field(description="name of the plan")


class PlanChange(BaseModel):
    """The plan to change to, in any case of its letters; without one it stays as it is."""

    model_config = ConfigDict(extra="forbid")

    plan: str | None = None


class Amounts(BaseModel):
    """Bytes; -1 is unlimited."""

    storage_bytes: int
    traffic_bytes: int


class QuotaView(BaseModel):
    """What the account may use, and what it uses."""

    limit: Amounts
    usage: Amounts


class QuotaChange(BaseModel):
    """Own limits of the account, at or below its plan's."""

    model_config = ConfigDict(extra="forbid")

    storage_megabytes: Megabytes = None
    traffic_megabytes: Megabytes = None


class MonthView(BaseModel):
    """A month: what was stored as if for the whole of it, and what was downloaded."""

    month: str = Field(description="YYYY-MM, UTC")
    storage_gb_months: float = Field(
        description="2^30 bytes stored for the whole month are 1; of the present month so far"
    )
    traffic_bytes: int

    @classmethod
    def of(cls, month: Month) -> "MonthView":
        """Return the view of ``month``."""
        return cls(
            month=month.month,
            storage_gb_months=round(month.gigabyte_months, 9),
            traffic_bytes=month.traffic,
        )


class UsageView(BaseModel):
    """The months in which something was stored or downloaded."""

    account: str
    region: str
    months: list[MonthView]


def router(quotas: Quotas, web: Web, gate: Gate) -> APIRouter:
    """Return the routes; ``gate`` tells who calls."""
    api = APIRouter(prefix="/api/v1", tags=["quotas"], route_class=guarded_route(web, gate))
    _Endpoints(quotas, web).mount(api)
    return api


class _Endpoints:
    def __init__(self, quotas: Quotas, web: Web) -> None:
        self._quotas: Final = quotas
        self._run: Final = web.threads.run

    def mount(self, api: APIRouter) -> None:
        usage = {"content": {CSV: {"schema": {"type": "string"}}}}
        for path, show, change, name in (
            ("/plans", self.plan, self.upgrade, "plan"),
            ("/quotas", self.quotas, self.set_quotas, "quotas"),
        ):
            api.add_api_route(path, show, methods=["GET"], operation_id=f"get_{name}")
            api.add_api_route(
                path,
                change,
                methods=["PATCH"],
                operation_id=f"change_{name}",
                response_class=Response,
            )
        api.add_api_route(
            "/usage",
            self.usage,
            methods=["GET"],
            operation_id="get_usage",
            response_model=UsageView,
            responses={200: usage},
        )

    async def plan(self, request: Request) -> PlanView:
        """Show the account's plan (any role)."""
        plan = await self._run(self._quotas.plan, caller_of(request))
        return PlanView(plan=plan.title)

    async def upgrade(self, request: Request, body: PlanChange) -> Response:
        """Change to a plan that allows as much or more (Manager)."""
        await self._run(self._quotas.upgrade, caller_of(request), body.plan)
        return Response(status_code=200)

    async def quotas(self, request: Request) -> QuotaView:
        """Show what the account may store and have downloaded, and what it does (any role)."""
        limits, usage = await self._run(self._quotas.quotas, caller_of(request))
        return QuotaView(
            limit=Amounts(storage_bytes=limits.storage, traffic_bytes=limits.traffic),
            usage=Amounts(storage_bytes=usage.storage, traffic_bytes=usage.traffic),
        )

    async def set_quotas(self, request: Request, body: QuotaChange) -> Response:
        """Set the account's own limits (Manager)."""
        wanted = (body.storage_megabytes, body.traffic_megabytes)
        await self._run(self._quotas.set_quotas, caller_of(request), *wanted)
        return Response(status_code=200)

    async def usage(
        self,
        request: Request,
        first: Annotated[MonthName, Query(alias="from")] = None,
        last: Annotated[MonthName, Query(alias="to")] = None,
        format: Annotated[
            Literal["json", "csv"] | None, Query(description="by default what Accept asks for")
        ] = None,
    ) -> Response:
        """Show what was stored and downloaded in each month of a range (any role)."""
        caller = caller_of(request)
        if first and last and first > last:
            raise BodyInvalid(reason=Text("query.from: it must not be later than to"))
        found = await self._run(self._quotas.usage, caller, first or "", last or "")
        months = [MonthView.of(one) for one in found]
        view = UsageView(account=caller.account, region=caller.region, months=months)
        asked = CSV if CSV in request.headers.get("accept", "") else ""
        if format == "csv" or (format is None and asked):
            return Response(_csv(view), media_type=CSV)
        return Response(view.model_dump_json(), media_type=JSON)


def _csv(view: UsageView) -> str:
    rows = [
        (view.region, view.account, one.month, f"{one.storage_gb_months:.9f}", one.traffic_bytes)
        for one in view.months
    ]
    return _table(rows)


def _table(rows: Sequence[Sequence[object]]) -> str:
    """Return ``rows`` as CSV (RFC 4180) below the names of `COLUMNS`."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows(rows)
    return text.getvalue()
