"""Pages of lists: the parameters that ask for one, and the Link to the next (RFC 8288)."""

from typing import Annotated, Any, Final
from urllib.parse import parse_qsl, urlencode

import msgspec
from fastapi import Query, Request, Response

from wharfinger.images.model.listing import Cursor

MOST: Final = 100_000
MAX_CURSOR: Final = 500

Limit = Annotated[
    int | None, Query(ge=1, le=MOST, description="entries of a page; without it, all there are")
]
Next = Annotated[
    str,
    Query(
        max_length=MAX_CURSOR,
        pattern="^[A-Za-z0-9:/@._-]*$",
        description="where the page begins: from the Link header of the page before",
    ),
]


def cursor_of(text: str) -> Cursor | None:
    """Return the cursor that a request holds, None for the first page."""
    return Cursor.of(text) if text else None


def answer(request: Request, content: Any, after: Cursor | None) -> Response:
    """Return ``content`` as JSON, with a Link to the page behind ``after`` if there is one."""
    response = Response(msgspec.json.encode(content), media_type="application/json")
    if after is not None:
        query = parse_qsl(request.url.query, keep_blank_values=True)
        kept = [(name, value) for name, value in query if name != "next"]
        following = urlencode([*kept, ("next", str(after))])
        response.headers["Link"] = f'<{request.url.path}?{following}>; rel="next"'
    return response
