"""All routes of images."""

from typing import Final

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.routing import Match
from starlette.types import Scope

from wharfinger.images.http_v1.items import Items
from wharfinger.images.http_v1.lists import Lists
from wharfinger.images.http_v1.names import Names
from wharfinger.images.http_v1.options import OptionRoutes
from wharfinger.images.http_v1.retention import RetentionRoutes
from wharfinger.images.http_v1.trash import TrashRoutes
from wharfinger.images.services import ImageServices
from wharfinger.web.authentication import Gate
from wharfinger.web.context import Web
from wharfinger.web.control_route import guarded_route

_ENDS: Final = frozenset({b"json", b"manifest"})
"""What stands behind an image's name in a path."""

_BESIDE: Final = frozenset({b"bulkdelete", b"digests", b"tags"})
"""What stands in an image's place."""


def image_route(web: Web, gate: Gate) -> type[APIRoute]:
    """Return the route class of images, whose names are one segment of the path, percent-encoded.

    Older clients send their slashes bare. Then a fixed end of the path is no part of the name.
    """

    class ImageRoute(guarded_route(web, gate)):  # type: ignore[misc] # made for this router
        def matches(self, scope: Scope) -> tuple[Match, Scope]:
            match, found = super().matches(scope)
            if match is not Match.NONE and self.path.endswith("{image:path}"):
                raw: bytes = scope.get("raw_path") or scope["path"].encode()
                last, more = raw.rpartition(b"/")[2], raw.count(b"/") > self.path.count("/")
                if last in (_ENDS if more else _BESIDE):
                    return Match.NONE, {}
            return match, found

    return ImageRoute


def router(services: ImageServices, web: Web, gate: Gate) -> APIRouter:
    """Return the routes of images below ``/api/v1``; ``gate`` tells who calls."""
    api = APIRouter(prefix="/api/v1", tags=["images"], route_class=image_route(web, gate))
    names = Names(web)
    Lists(services.listing, web, names).mount(api)
    Items(services.inspecting, services.removing, services.tagging, web, names).mount(api)
    TrashRoutes(services.trash, web, names).mount(api)
    RetentionRoutes(services.retention, web, names).mount(api)
    OptionRoutes(services.options, web).mount(api)
    return api
