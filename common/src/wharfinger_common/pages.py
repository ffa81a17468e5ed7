"""Catalogue entries as pages for people: plain text here, other forms from the same parts."""

from typing import NamedTuple

from wharfinger_common.languages import Language, translate, translated
from wharfinger_common.refusals import Entry


class Page(NamedTuple):
    """What a page about one entry says, in one language; placeholders stay as they are.

    ``codes`` are (surface, code or status) pairs of how the entry goes over the wire, none for
    what never does.
    """

    code: str
    message: str
    codes: tuple[tuple[str, str], ...]
    meaning: str
    causes_title: str
    causes: tuple[str, ...]
    cure_title: str
    cure: tuple[str, ...]

    @classmethod
    def of(cls, entry: Entry, language: Language) -> "Page":
        """Return the page about ``entry``."""
        wording = translate(entry, language)
        return cls(
            code=entry.code,
            message=wording.message,
            codes=_codes(entry, language) if entry.status else (),
            meaning=wording.meaning,
            causes_title=translated("Likely causes", language),
            causes=wording.causes,
            cure_title=translated("What to do", language),
            cure=wording.cure,
        )

    def plain(self) -> str:
        """Return the page as lines of text, for terminals."""
        lines = [f"{self.code}  {self.message}", ""]
        lines += [f"{name} {code}" for name, code in self.codes]
        lines += [""] if self.codes else []
        lines += [self.meaning, "", self.causes_title]
        lines += [f"  - {cause}" for cause in self.causes]
        lines += ["", self.cure_title, *(f"  {step}" for step in self.cure)]
        return "\n".join(lines) + "\n"


def _codes(entry: Entry, language: Language) -> tuple[tuple[str, str], ...]:
    return (
        ("HTTP", str(entry.status)),
        ("OCI", entry.oci),
        (translated("control API", language), entry.control),
        (translated("identity API", language), entry.iam),
    )
