"""``/help/errors``: the error catalogue, for whoever follows the help of a refused request.

Everybody may read it; it knows nothing of tenants, and its size is that of the catalogue.
"""

from collections.abc import Mapping
from functools import cached_property
from html import escape
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from wharfinger.web.errors import HELP_PATH, language_of
from wharfinger.web.paths import RouteUnknown
from wharfinger_common.catalogue import SURFACES, load
from wharfinger_common.languages import Language, accepted, rendered, translate, translated
from wharfinger_common.pages import Page
from wharfinger_common.refusals import Entry

_CACHED: Final = "public, max-age=3600"
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'"
_STYLE: Final = (
    "body { font-family: system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; "
    "padding: 0 1rem; line-height: 1.5; } blockquote { margin-left: 0; padding-left: 1rem; "
    "border-left: .25rem solid #8886; font-size: 1.1rem; } a, td { overflow-wrap: anywhere; }"
)
_NAMES: Final = {Language.ENGLISH: "English", Language.CHINESE: "简体中文"}


class HelpPages:
    """Serves the pages, as HTML to browsers and as plain text to everything else.

    ``Accept-Language`` chooses the language; the query parameter ``language`` wins over it.
    """

    def routes(self) -> list[Route]:
        """Return the two routes: the list of all codes, and the page of one."""
        return [
            Route(HELP_PATH, self.index, methods=["GET"]),
            Route(HELP_PATH + "/{code}", self.page, methods=["GET"]),
        ]

    async def index(self, request: Request) -> Response:
        """Answer with every code and its message."""
        language = _language(request)
        if _is_browser(request):
            return _html(request, language, _title(language), _list(self._entries, language))
        lines = [
            f"{code}  {translate(entry, language).message}"
            for code, entry in sorted(self._entries.items())
        ]
        return _text(language, "\n".join(lines) + "\n")

    async def page(self, request: Request) -> Response:
        """Answer with what one code means, why it comes, and what to do.

        Raises:
            RouteUnknown: the catalogue has no such code.
        """
        entry = self._entries.get(request.path_params["code"].upper())
        if entry is None:
            raise RouteUnknown
        language = _language(request)
        page = Page.of(entry, language)
        if _is_browser(request):
            return _html(request, language, entry.code, _entry(page, language))
        return _text(language, page.plain())

    @cached_property
    def _entries(self) -> Mapping[str, Entry]:
        # Not at the start: the pages are read seldom, and the whole catalogue is many modules.
        return load().entries


def _language(request: Request) -> Language:
    asked = request.query_params.get("language", "")
    return accepted(asked) if asked else language_of(request)


def _is_browser(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "")


def _headers(language: Language) -> dict[str, str]:
    return {
        "Cache-Control": _CACHED,
        "Content-Language": language.value,
        "Vary": "Accept, Accept-Language",
        "X-Content-Type-Options": "nosniff",
    }


def _text(language: Language, text: str) -> Response:
    return Response(text, headers=_headers(language), media_type="text/plain")


def _html(request: Request, language: Language, title: str, body: str) -> Response:
    path = escape(request.scope["path"])
    links = " · ".join(
        f'<a href="{path}?language={other.value}" lang="{other.value}">{name}</a>'
        for other, name in _NAMES.items()
    )
    html = (
        f'<!doctype html><html lang="{language.value}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style></head><body><nav>{links}</nav><h1>{escape(title)}</h1>"
        f"{body}</body></html>"
    )
    headers = _headers(language) | {"Content-Security-Policy": _POLICY}
    return Response(html, headers=headers, media_type="text/html")


def _title(language: Language) -> str:
    return translated("Errors", language)


def _list(entries: Mapping[str, Entry], language: Language) -> str:
    parts = []
    for prefix, surface in SURFACES.items():
        codes = sorted(code for code in entries if code.startswith(prefix))
        if codes:
            parts.append(f"<h2>{escape(str(rendered(surface, language)))}</h2><ul>")
            parts += [_item(entries[code], language) for code in codes]
            parts.append("</ul>")
    return "".join(parts)


def _item(entry: Entry, language: Language) -> str:
    message = escape(translate(entry, language).message)
    link = f"{HELP_PATH}/{entry.code}?language={language.value}"
    return f'<li><a href="{link}">{entry.code}</a> {message}</li>'


def _entry(page: Page, language: Language) -> str:
    codes = ", ".join(f"{escape(name)} <code>{escape(code)}</code>" for name, code in page.codes)
    causes = "".join(f"<li>{escape(cause)}</li>" for cause in page.causes)
    cure = "".join(f"<p>{escape(step)}</p>" for step in page.cure)
    back = f'<a href="{HELP_PATH}?language={language.value}">{escape(_title(language))}</a>'
    return (
        f"<blockquote>{escape(page.message)}</blockquote><p>{codes}</p>"
        f"<p>{escape(page.meaning)}</p><h2>{escape(page.causes_title)}</h2><ul>{causes}</ul>"
        f"<h2>{escape(page.cure_title)}</h2>{cure}<p>{back}</p>"
    )
