"""Pages of lists: what a request may ask for, and the Link to the next one (RFC 8288)."""

import re
from typing import Final
from urllib.parse import urlencode

from msgspec import Struct

from wharfinger.registry.model.descriptors import is_digest
from wharfinger_common.catalogue import registry as entries
from wharfinger_common.names import MAX_REPOSITORY, REPOSITORY, TAG
from wharfinger_common.refusals import Refusal

MAX_DIGITS: Final = 18
_NUMBER: Final = re.compile(r"[0-9]+")
_SHOWN: Final = 100


class PageInvalid(Refusal):
    """A parameter of a list is not allowed."""

    entry = entries.PAGE_INVALID


class Page(Struct, frozen=True):
    """At most ``limit`` entries, those after ``after`` ('' = from the first)."""

    limit: int
    after: str = ""


def page_of_tags(n: str, last: str, maximum: int) -> Page:
    """Return the page of a tag list that ``n`` and ``last`` ('' where missing) ask for.

    Raises:
        PageInvalid: ``n`` is no whole number of 0 or more, or ``last`` is no tag.
    """
    if last and not TAG.fullmatch(last):
        raise PageInvalid(parameter="last", value=last[:_SHOWN])
    return Page(_limit(n, maximum), last)


def page_of_repositories(n: str, last: str, maximum: int) -> Page:
    """Return the page of the catalogue that ``n`` and ``last`` ask for.

    Raises:
        PageInvalid: as for tags; ``last`` is no repository name.
    """
    if last and (len(last) > MAX_REPOSITORY or not REPOSITORY.fullmatch(last)):
        raise PageInvalid(parameter="last", value=last[:_SHOWN])
    return Page(_limit(n, maximum), last)


def page_of_referrers(n: str, last: str, maximum: int) -> Page:
    """Return the page of a referrers list that the Link of the page before asks for.

    Raises:
        PageInvalid: as for tags; ``last`` is no digest.
    """
    if last and not is_digest(last):
        raise PageInvalid(parameter="last", value=last[:_SHOWN])
    return Page(_limit(n, maximum), last)


def link(path: str, **parameters: str) -> str:
    """Return the Link header to the next page at ``path``; empty parameters are left out."""
    query = urlencode({name: value for name, value in parameters.items() if value})
    return f'<{path}?{query}>; rel="next"'


def _limit(n: str, maximum: int) -> int:
    if not n:
        return maximum
    if not _NUMBER.fullmatch(n) or len(n) > MAX_DIGITS:
        raise PageInvalid(parameter="n", value=n[:_SHOWN])
    return min(int(n), maximum)
