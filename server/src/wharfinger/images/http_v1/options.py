"""What an account decides, and what the operator has to say."""

from typing import Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from wharfinger.identity.model import Role
from wharfinger.images.http_v1.bodies import Body
from wharfinger.images.service.options import OptionsDesk
from wharfinger.web.context import Web
from wharfinger.web.control_route import caller_of


class AuthChange(Body):
    """Options of authorization to change; what is left out stays."""

    iam_authz: bool | None = Field(
        None,
        description="access policies hold always: only true is taken",
        json_schema_extra={"not": {"const": False}},
    )
    private_only: bool | None = Field(
        None, description="take pushes and pulls from the region's private networks only"
    )


class AuthView(BaseModel):
    """How access to the account's images is decided."""

    iam_authz: bool = Field(description="by access policies: always true")
    private_only: bool


class SettingsChange(Body):
    """Settings to change; what is left out stays."""

    platform_metrics: bool | None = Field(
        None, description="show figures about the account to its own monitoring"
    )


class SettingsView(BaseModel):
    """The account's settings in the region."""

    platform_metrics: bool


class OptionRoutes:
    """``/auth`` and ``/settings``."""

    def __init__(self, options: OptionsDesk, web: Web) -> None:
        self._options: Final = options
        self._run: Final = web.threads.run

    def mount(self, api: APIRouter) -> None:
        """Register the routes."""
        api.add_api_route("/auth", self.auth, methods=["GET"], operation_id="get_auth")
        api.add_api_route(
            "/auth",
            self.change_auth,
            methods=["PATCH"],
            operation_id="update_auth",
            status_code=204,
        )
        api.add_api_route("/settings", self.settings, methods=["GET"], operation_id="get_settings")
        api.add_api_route(
            "/settings",
            self.change_settings,
            methods=["PATCH"],
            operation_id="update_settings",
            status_code=204,
        )

    async def auth(self, request: Request) -> AuthView:
        """Show how access to the account's images is decided (Manager)."""
        found = await self._run(self._options.get, caller_of(request), Role.MANAGER)
        return AuthView(iam_authz=True, private_only=found.private_only)

    async def change_auth(self, request: Request, body: AuthChange) -> None:
        """Change how access to the account's images is decided (Manager)."""
        await self._run(
            self._options.change_auth,
            caller_of(request),
            by_policies=body.iam_authz,
            private_only=body.private_only,
        )

    async def settings(self, request: Request) -> SettingsView:
        """Show the account's settings (any role)."""
        found = await self._run(self._options.get, caller_of(request), None)
        return SettingsView(platform_metrics=found.platform_metrics)

    async def change_settings(self, request: Request, body: SettingsChange) -> None:
        """Change the account's settings (Manager)."""
        await self._run(
            self._options.change, caller_of(request), platform_metrics=body.platform_metrics
        )


def messages(web: Web) -> APIRouter:
    """Return the route of the operator's message, which asks for no credentials."""
    api = APIRouter(tags=["messages"])

    @api.get(
        "/api/v1/messages",
        operation_id="get_messages",
        response_model=str,
        responses={204: {"description": "There is no message"}},
        openapi_extra={"security": []},
    )
    async def message(_request: Request) -> Response:
        """Show what the operator has to say to everybody."""
        text = web.settings.message
        return JSONResponse(text) if text else Response(status_code=204)

    return api
