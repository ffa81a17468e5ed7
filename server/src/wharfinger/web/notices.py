"""What successful answers of the registry tell besides, as ``Warning`` headers.

OCI distribution 1.1, section Warnings; RFC 7234 section 5.5. Clients such as skopeo and oras show
them to people. The texts are English: a header is ASCII, and clients ask for no language.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Protocol

from msgspec import Struct, field

from wharfinger.web.log import EventLog
from wharfinger_common.catalogue import notices as entries
from wharfinger_common.languages import Language, translate
from wharfinger_common.refusals import Entry

MAX_BYTES: Final = 4096
"""Bytes of all warnings of one answer together, which the specification allows."""

_log: Final = EventLog("wharfinger.http")


class Notice(Struct, frozen=True):
    """Something to tell with a success: a catalogue entry of the range WHF10, and its facts."""

    entry: Entry
    facts: Mapping[str, object] = field(default_factory=dict)


def ending(ends: int, now: float, limit: float) -> Notice | None:
    """Return the notice of a credential that ends within ``limit`` seconds, if it does so."""
    left = ends - now
    if not ends or left > limit:
        return None
    return Notice(entries.CREDENTIAL_ENDS_SOON, {"minutes": max(math.ceil(left / 60), 0)})


class Adviser(Protocol):
    """Knows what to tell who pushed; blocking."""

    def advise(self, region: str, repository: str) -> Sequence[Notice]:
        """Return what is worth telling after a push to ``repository``; cheap, a look-up or two."""


class Silent:
    """An adviser that has nothing to tell."""

    def advise(self, region: str, repository: str) -> Sequence[Notice]:
        """Return nothing."""
        del region, repository
        return ()


def advice(adviser: Adviser, region: str, repository: str) -> Sequence[Notice]:
    """Return what ``adviser`` tells; where it fails nothing, as what was pushed stands."""
    try:
        return adviser.advise(region, repository)
    except Exception as error:  # whatever it is, the push succeeded
        _log.error("no advice", repository=repository, error=repr(error))
        return ()


def warnings(notices: Iterable[Notice]) -> list[str]:
    """Return the values of the ``Warning`` headers, each once, as many as may be sent."""
    values: list[str] = []
    size = 0
    for value in dict.fromkeys(map(_warning, notices)):
        size += len(value)
        if size > MAX_BYTES:
            break
        values.append(value)
    return values


def _warning(notice: Notice) -> str:
    """Return ``299 - "TEXT (CODE)"``: no date, no agent, as the specification says."""
    text = translate(notice.entry, Language.ENGLISH, notice.facts).message
    printable = "".join(one if " " <= one <= "~" else "?" for one in text)
    quoted = printable.replace("\\", "\\\\").replace('"', '\\"')
    return f'299 - "{quoted} ({notice.entry.code})"'
