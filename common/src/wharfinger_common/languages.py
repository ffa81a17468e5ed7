"""The languages that people are spoken to in, and the choice between them.

Message ids are the English texts themselves, so English needs no file; other languages have a
gettext catalogue below ``locale/``, compiled and kept with the code. ``make translations`` adds
what is new to the ``.po`` file and compiles it again.
"""

import functools
import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from wharfinger_common.refusals import Entry

if TYPE_CHECKING:
    from gettext import NullTranslations

DOMAIN: Final = "wharfinger"
LOCALES: Final = Path(__file__).parent / "locale"
MAX_HEADER: Final = 1000
"""Characters of an Accept-Language header that are looked at."""

_ITEM: Final = re.compile(r"([a-zA-Z0-9*-]{1,35})(?:\s*;\s*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?))?")
_CHINESE: Final = re.compile(r"zh(-(hans(-[a-z]{2})?|cn|sg|my))?", re.IGNORECASE)


class Language(StrEnum):
    """A language that all texts exist in; the value is its tag (BCP 47, as in Content-Language)."""

    ENGLISH = "en"
    CHINESE = "zh-Hans"


class Text(str):
    """A text for people among a refusal's facts: English as such, translated with the refusal.

    ``message`` must be a literal, so that it is found for translation; ``facts`` fill its
    placeholders: ``Text("more than {limit} bytes", limit=2048)``.
    """

    message: str
    facts: Mapping[str, object]

    def __new__(cls, message: str, /, **facts: object) -> "Text":
        """Return the English text, which remembers what it was made of."""
        made = super().__new__(cls, message.format_map(facts))
        made.__dict__.update(message=message, facts=facts)
        return made


class Wording(NamedTuple):
    """A catalogue entry in one language, its placeholders filled where facts were given."""

    language: Language
    message: str
    meaning: str
    causes: tuple[str, ...]
    cure: tuple[str, ...]

    @property
    def remedy(self) -> str:
        """What to do now, as one line."""
        return ("" if self.language is Language.CHINESE else " ").join(self.cure)


def translate(
    entry: Entry, language: Language, facts: Mapping[str, object] | None = None
) -> Wording:
    """Return the texts of ``entry`` in ``language``, filled with ``facts``.

    Without facts the placeholders stay, as reference pages show them. A value that is a `Text`
    is translated too; all others stand as they are.

    Raises:
        KeyError: a placeholder has no fact, which is a defect.
    """

    def put(message: str) -> str:
        return (
            looked_up(message, language) if facts is None else translated(message, language, facts)
        )

    return Wording(
        language,
        put(entry.message),
        put(entry.meaning),
        tuple(map(put, entry.causes)),
        tuple(map(put, entry.cure)),
    )


def translated(message: str, language: Language, facts: Mapping[str, object] | None = None) -> str:
    """Return a text in ``language``, its placeholders filled with ``facts``.

    ``message`` is the English text, as a literal or as a catalogue entry holds it.

    Raises:
        KeyError: a placeholder has no fact, which is a defect.
    """
    filled = {name: rendered(fact, language) for name, fact in (facts or {}).items()}
    return looked_up(message, language).format_map(filled)


def rendered(fact: object, language: Language) -> object:
    """Return a fact as it is told in ``language``: a `Text` translated, any other as it is."""
    return translated(fact.message, language, fact.facts) if isinstance(fact, Text) else fact


def accepted(header: str) -> Language:
    """Return the language that an Accept-Language header prefers (RFC 9110 section 12.5.4).

    Simplified Chinese for zh, zh-Hans, zh-CN, zh-SG and zh-MY; English for all that is not
    spoken here, and for a header that is malformed or empty.
    """
    best, weight = Language.ENGLISH, 0.0
    for item in header[:MAX_HEADER].split(","):
        found = _ITEM.fullmatch(item.strip())
        language = _of_tag(found[1]) if found else None
        quality = float(found[2] or 1) if found else 0.0
        if language is not None and quality > weight:
            best, weight = language, quality
    return best


def of_locale(name: str) -> Language:
    """Return the language of a POSIX locale such as ``zh_CN.UTF-8``, English for any other."""
    tag = re.split(r"[.@]", name, maxsplit=1)[0].replace("_", "-")
    return Language.CHINESE if _CHINESE.fullmatch(tag) else Language.ENGLISH


def of_environment(environ: Mapping[str, str]) -> Language:
    """Return the language of a program's messages: WHARF_LOCALE, else the POSIX variables."""
    names = ("WHARF_LOCALE", "LC_ALL", "LC_MESSAGES", "LANG")
    return of_locale(next((environ[name] for name in names if environ.get(name)), ""))


def _of_tag(tag: str) -> Language | None:
    if _CHINESE.fullmatch(tag):
        return Language.CHINESE
    return Language.ENGLISH if tag == "*" or re.match(r"en(-|$)", tag, re.IGNORECASE) else None


def looked_up(message: str, language: Language) -> str:
    """Return a text in ``language`` with its placeholders as they are; itself where it has none."""
    # What gettext has for an empty text is its own header.
    plain = language is Language.ENGLISH or not message
    return message if plain else _catalogue(language).gettext(message)


@functools.cache
def _catalogue(language: Language) -> "NullTranslations":
    # Imported late: an English program, or a server that refused nothing yet, needs none of it.
    import gettext

    return gettext.translation(DOMAIN, LOCALES, [language.replace("-", "_")])
