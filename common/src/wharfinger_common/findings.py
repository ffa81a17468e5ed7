"""Findings: what a check of a machine or a store tells people, each with its catalogue entry."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from wharfinger_common.languages import Language, Wording, rendered, translate
from wharfinger_common.refusals import Entry


class Severity(StrEnum):
    """How much a finding matters: an error keeps something from working, a warning will."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


class Finding(NamedTuple):
    """What one check found: ``facts`` fill the entry's placeholders and must hold no secret.

    ``check`` names the check in lowercase words that stay the same from version to version.
    """

    check: str
    severity: Severity
    entry: Entry
    facts: Mapping[str, object] = MappingProxyType({})

    def wording(self, language: Language = Language.ENGLISH) -> Wording:
        """Return message, meaning, causes and cure in ``language``."""
        return translate(self.entry, language, self.facts)

    def told(self, language: Language = Language.ENGLISH) -> dict[str, object]:
        """Return the finding as plain values, as ``--output json`` prints it.

        The cure is there only where there is something to do.
        """
        wording = self.wording(language)
        told: dict[str, object] = {
            "check": self.check,
            "severity": self.severity.value,
            "code": self.entry.code,
            "message": wording.message,
            "facts": {name: _plain(fact, language) for name, fact in self.facts.items()},
        }
        return told | ({} if self.severity is Severity.OK else {"cure": wording.remedy})


def _plain(fact: object, language: Language) -> object:
    if fact is None or isinstance(fact, bool | int | float):
        return fact
    return str(rendered(fact, language))


def worst(findings: Iterable[Finding]) -> Severity:
    """Return the gravest severity among the findings, ok if there are none."""
    order = list(Severity)
    return max((finding.severity for finding in findings), key=order.index, default=Severity.OK)
