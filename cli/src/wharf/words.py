"""Speaks to people: the language chosen, the name we were called by, the catalogue's texts."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from wharf.environment import Brand
from wharf.text import Text

if TYPE_CHECKING:
    from wharfinger_common.languages import Language
    from wharfinger_common.refusals import Refusal

CHINESE: Final = "zh_Hans"
TRADITIONAL: Final = "zh_Hant"
ENGLISH: Final = "en_US"
Lookup = Callable[[str], str]


def choose(config: str, environ: Mapping[str, str]) -> str:
    """Return the locale: the configured one, else the system's, else ``en_US``."""
    system = next(
        (environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environ.get(name)), ""
    )
    return canonical(config) or canonical(system) or ENGLISH


def canonical(name: str) -> str:
    """Return a locale by its usual name: zh-cn and zh-sg are zh_Hans, zh-hk and zh-tw zh_Hant."""
    tag = name.partition(".")[0].partition("@")[0].replace("-", "_").lower()
    if tag in {"zh", "zh_cn", "zh_sg", "zh_hans", "zh_hans_cn", "zh_hans_sg"}:
        return CHINESE
    if tag in {"zh_hk", "zh_tw", "zh_mo", "zh_hant", "zh_hant_hk", "zh_hant_tw"}:
        return TRADITIONAL
    language, _, country = tag.partition("_")
    if not language.isalpha() or language in {"c", "posix"}:
        return ""
    return f"{language}_{country.upper()}" if country else language


class Words:
    """Renders texts in one language under one name.

    ``more`` looks a message up in catalogues besides the house's own (a plug-in's), and returns
    the message itself where it has nothing.
    """

    def __init__(self, locale: str, brand: Brand, more: Lookup | None = None) -> None:
        self.locale: Final = locale
        self.brand: Final = brand
        self._chinese: Final = locale == CHINESE
        self._more: Final = more
        self._named: Final[dict[str, object]] = {
            "command": brand.command,
            "product": brand.product,
            "cli": brand.cli,
        }

    def __call__(self, text: str, **facts: object) -> str:
        """Return ``text`` in the language; what is no `Text` stays unless ``facts`` are given."""
        if isinstance(text, Text):
            return self._put(text.message, {**text.facts, **facts})
        return self._put(text, facts) if facts else text

    def prose(self, message: str, **facts: object) -> str:
        """Return the translation of a message that was kept as a plain string."""
        return self._put(message, facts)

    def message(self, refusal: "Refusal") -> str:
        """Return what a refusal says."""
        return self._put(refusal.entry.message, refusal.items[0])

    def remedy(self, refusal: "Refusal") -> str:
        """Return what to do about a refusal, as one line."""
        steps = (self._put(step, refusal.items[0]) for step in refusal.entry.cure)
        return ("" if self._chinese else " ").join(steps)

    @property
    def language(self) -> "Language":
        """The language of the catalogue."""
        from wharfinger_common.languages import Language

        return Language.CHINESE if self._chinese else Language.ENGLISH

    def _put(self, message: str, facts: Mapping[str, object]) -> str:
        told = {name: self._fact(fact) for name, fact in facts.items()}
        return self._look_up(message).format_map({**self._named, **told})

    def _look_up(self, message: str) -> str:
        if not self._chinese:
            return message
        if self._more is not None and (found := self._more(message)) != message:
            return found
        from wharfinger_common.languages import looked_up

        return looked_up(message, self.language)

    def _fact(self, fact: Any) -> object:
        return self(fact) if isinstance(fact, Text) else fact
