"""Refusals: every answer that says no, typed, with its catalogue entry and its facts."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final, NamedTuple, Self


class Entry(NamedTuple):
    """One entry of the error catalogue; texts are English message ids for translation.

    ``message`` and ``cure`` may hold ``{placeholders}`` that a refusal's facts fill.
    ``oci``, ``control`` and ``iam`` are the codes that the respective surface puts on the wire.
    ``status`` is that of HTTP, 0 for what never answers a request: findings of checks, and what
    programs refuse by themselves. In other languages: `wharfinger_common.languages.translate`.
    """

    code: str
    status: int
    message: str
    meaning: str
    causes: tuple[str, ...]
    cure: tuple[str, ...]
    oci: str = "UNKNOWN"
    control: str = "CRG0000E"
    iam: str = "BXNIM0000E"

    def render(self, facts: Mapping[str, object]) -> str:
        """Return the message with ``facts`` filled in; a missing fact is a defect (KeyError)."""
        return self.message.format_map(facts)

    def render_cure(self, facts: Mapping[str, object]) -> str:
        """Return what to do now as one line, with ``facts`` filled in."""
        return " ".join(step.format_map(facts) for step in self.cure)


class Challenge(NamedTuple):
    """What a 401 asks for (RFC 6750 section 3): scope wanted and, once presented, the error."""

    scope: str = ""
    error: str = ""


class Rule(NamedTuple):
    """What decided a refusal: told on request to who owns the thing, never in the answer itself.

    ``kind`` is one lowercase word (policy, scope, credential, quota); ``values`` are what it
    compared, by names that stay the same from version to version, and never a secret; ``needed``
    says what would have allowed it: a `languages.Text`, so that it is translated.
    """

    kind: str
    values: Mapping[str, object]
    needed: str


class Refusal(Exception):
    """The root of everything the service refuses.

    A subclass names its catalogue entry and nothing else: status, code, message, causes and
    cure live there. ``facts`` fill the entry's placeholders; ``items`` gives one wire error for
    each mapping where a surface can carry several (OCI errors do).
    """

    entry: ClassVar[Entry]
    undone: bool = False
    """Whether nothing of what was asked was done, nor would asking again do it twice."""

    def __init__(
        self,
        items: Sequence[Mapping[str, object]] = (),
        headers: Mapping[str, str] | None = None,
        challenge: Challenge | None = None,
        **facts: object,
    ) -> None:
        self.items: Final = tuple(items) or (facts,)
        self.facts: Final = facts
        self.headers: Final = dict(headers or {})
        self.challenge: Final = challenge
        self.rule: Rule | None = None
        super().__init__(self.entry.code, facts)

    def __str__(self) -> str:
        return self.entry.render(self.items[0])

    def because(self, kind: str, values: Mapping[str, object], needed: str) -> Self:
        """Note which `Rule` answered, for those who may ask later; return the refusal.

        ``raise QuotaExceeded().because("quota", {"used": 5, "limit": 4}, Text("..."))``
        """
        self.rule = Rule(kind, values, needed)
        return self


class Catalogue:
    """All entries by code; two entries with one code are a defect."""

    def __init__(self) -> None:
        self.entries: Final[dict[str, Entry]] = {}

    def add(self, *new: Entry) -> None:
        """Register entries.

        Raises:
            ValueError: a code is already taken.
        """
        for entry in new:
            if entry.code in self.entries:
                raise ValueError(f"catalogue code {entry.code} is used twice")
            self.entries[entry.code] = entry
