"""What is loaded late lies where requests are sent to it, and nothing else does."""

from pathlib import Path

from tests.support.routes import mounted
from wharfinger.app import CONTROL_PATHS, PAGE_PATHS


def test_each_surface_keeps_to_its_paths(tmp_path: Path) -> None:
    routes = mounted(tmp_path)

    assert all(route.path.startswith(PAGE_PATHS) for route in routes.pages)
    assert all(route.path.startswith(CONTROL_PATHS) for route in routes.control)
    assert not [one for one in routes.plain if one.path.startswith(PAGE_PATHS + CONTROL_PATHS)]
