"""``/plugins``: the simple index (PEP 503 HTML, PEP 691 JSON) and its files (PEP 658 metadata).

Everybody may read it: a plug-in is what makes signing in from the command line useful.
"""

import json
from collections.abc import Sequence
from html import escape
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from wharfinger.plugin_index.model import Wheel
from wharfinger.plugin_index.service import PluginIndex
from wharfinger.web.context import Web

JSON: Final = "application/vnd.pypi.simple.v1+json"
HTML: Final = "text/html"
API_VERSION: Final = "1.1"
METADATA: Final = ".metadata"
_HEADERS: Final = {
    "Cache-Control": "no-cache",
    "Vary": "Accept",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'",
}


def routes(index: PluginIndex, web: Web) -> list[Route]:
    """Return the routes; none asks for credentials."""
    endpoint = _Endpoint(index, web)
    return [
        Route("/plugins/simple/", endpoint.projects, methods=["GET"]),
        Route("/plugins/simple/{project}/", endpoint.project, methods=["GET"]),
        Route("/plugins/files/{filename}", endpoint.file, methods=["GET"]),
    ]


class _Endpoint:
    def __init__(self, index: PluginIndex, web: Web) -> None:
        self._index: Final = index
        self._run: Final = web.threads.run

    async def projects(self, request: Request) -> Response:
        names = await self._run(self._index.projects)
        if _wants_json(request):
            return _json({"projects": [{"name": name} for name in names]})
        return _html("Plug-ins", [f'<a href="{name}/">{name}</a>' for name in names])

    async def project(self, request: Request) -> Response:
        name = request.path_params["project"]
        wheels = await self._run(self._index.files, name)
        if _wants_json(request):
            return _json(_project(wheels))
        return _html(wheels[0].project, [_link(wheel) for wheel in wheels])

    async def file(self, request: Request) -> Response:
        name: str = request.path_params["filename"]
        wheel, path = await self._run(self._index.file, name.removesuffix(METADATA))
        if name.endswith(METADATA):
            return Response(wheel.metadata, headers=_HEADERS, media_type="text/plain")
        headers = {**_HEADERS, "ETag": f'"{wheel.sha256}"'}
        return FileResponse(path, headers=headers, media_type="application/octet-stream")


def _project(wheels: Sequence[Wheel]) -> dict[str, Any]:
    return {
        "name": wheels[0].project,
        "versions": sorted({wheel.version for wheel in wheels}),
        "files": [
            {
                "filename": wheel.filename,
                "url": _place(wheel),
                "size": wheel.size,
                "hashes": {"sha256": wheel.sha256},
                "core-metadata": {"sha256": wheel.metadata_sha256},
                **({"requires-python": python} if (python := wheel.requires_python) else {}),
            }
            for wheel in wheels
        ],
    }


def _link(wheel: Wheel) -> str:
    python = wheel.requires_python
    needs = f' data-requires-python="{escape(python)}"' if python else ""
    return (
        f'<a href="{_place(wheel)}#sha256={wheel.sha256}"'
        f' data-core-metadata="sha256={wheel.metadata_sha256}"{needs}>{wheel.filename}</a>'
    )


def _place(wheel: Wheel) -> str:
    """Return the URL of a file, relative to its project's page: whatever host was called."""
    return f"../../files/{wheel.filename}"


def _wants_json(request: Request) -> bool:
    """Tell whether the Accept header prefers JSON; HTML is for those who say nothing (PEP 691)."""
    weights = {JSON: 0.0, HTML: 0.0}
    for item in request.headers.get("accept", "")[:1000].split(","):
        name, _, parameters = item.partition(";")
        kind = name.strip().lower().replace("pypi.simple.latest+json", "pypi.simple.v1+json")
        if kind in weights:
            weights[kind] = _quality(parameters)
    return weights[JSON] > weights[HTML]


def _quality(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return min(1.0, max(0.0, float(value)))
    except ValueError:
        return 0.0


def _json(body: dict[str, Any]) -> Response:
    content = json.dumps({"meta": {"api-version": API_VERSION}, **body})
    return Response(content, headers=_HEADERS, media_type=JSON)


def _html(title: str, lines: Sequence[str]) -> Response:
    body = "<br>\n".join(lines)
    content = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta name="pypi:repository-version" content="{API_VERSION}">'
        f"<title>{escape(title)}</title></head><body>\n{body}\n</body></html>\n"
    )
    return Response(content, headers=_HEADERS, media_type=HTML)
