"""Every route that the composition root mounts."""

from pathlib import Path
from typing import Any, NamedTuple

from wharfinger import app
from wharfinger.identity.secrets import load_or_create_master_key
from wharfinger.rooms import build_rooms
from wharfinger.settings import Settings
from wharfinger.web.authentication import Gate
from wharfinger.web.context import Web
from wharfinger.web.control import control_application
from wharfinger.web.threads import Threads
from wharfinger.web.urls import Urls


class Mounted(NamedTuple):
    """The routes of each surface; each has a ``path`` and ``methods``."""

    plain: list[Any]
    pages: list[Any]
    control: list[Any]


def mounted(folder: Path) -> Mounted:
    """Every route, by surface. ``folder`` is used as a data folder."""
    settings = Settings(data=str(folder))
    load_or_create_master_key(settings.master_key_path)
    rooms = build_rooms(settings)
    web = Web(settings, Threads(2), Urls((), (), settings.served), rooms.clock, lambda: False)
    gate = Gate(web, rooms.identity.tokens, rooms.identity.access, rooms.owners)
    routers = app.control_routers(rooms, web, gate)
    control = control_application(web, routers, "0")
    plain, pages = app.routes(rooms, web, gate), app.page_routes(rooms, web)
    described = [one for one in getattr(control, "routes") if hasattr(one, "path")]  # noqa: B009
    offered = [*described, *getattr(control, "offered")]  # noqa: B009
    web.threads.close()
    rooms.database.close()
    return Mounted(list(plain), list(pages), offered)


def served_routes(folder: Path) -> set[str]:
    """METHOD and path of each; HEAD goes with GET. ``folder`` is used as a data folder."""
    every = [one for surface in mounted(folder) for one in surface]
    return {f"{method} {one.path}" for one in every for method in one.methods - {"HEAD"}}
