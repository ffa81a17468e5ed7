"""A refused request as it is remembered, and how it is explained; without HTTP or SQL."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from msgspec import Struct

from wharfinger_common.catalogue import explain as entries
from wharfinger_common.languages import Language, Text, rendered, translate
from wharfinger_common.names import namespace_of
from wharfinger_common.refusals import Entry, Refusal, Rule

Json = Mapping[str, object]

MAX_ITEMS: Final = 10
"""Wire errors of one answer that are remembered; a manifest may lack thousands of blobs."""
MAX_TEXT: Final = 300
"""Characters of a path or of one fact that are remembered."""
MAX_FACTS: Final = 20
_MESSAGE: Final = "$text"
_SECRET: Final = re.compile(
    r"wh[a-z]_[0-9A-Za-z]{20,}"  # keys and tokens of ours
    r"|eyJ[0-9A-Za-z_-]{5,}\.[0-9A-Za-z_.-]+"  # JSON Web Tokens
)


class ExplanationUnknown(Refusal):
    """Nothing that this caller may know is remembered of the request."""

    entry = entries.EXPLANATION_UNKNOWN


class Refused(Struct, frozen=True):
    """One refused request; ``at`` in Unix seconds.

    ``account`` is the one that the caller acted in, ``owner`` the one that owns the thing; either
    is '' where nobody could tell. ``names`` are what the path named. Facts are in the form that
    `frozen` gives them.
    """

    request_id: str
    at: int
    region: str
    method: str
    path: str
    names: Mapping[str, str]
    code: str
    facts: Json
    subject: str = ""
    account: str = ""
    credential: str = ""
    owner: str = ""
    rule: Mapping[str, Any] | None = None


class RuleTold(Struct, frozen=True):
    """Which rule answered, what it compared, and what would have allowed the request."""

    kind: str
    values: Json
    needed: str


class Explanation(Struct, frozen=True):
    """A refused request for people, in one language.

    ``owner`` and ``rule`` are '' and None where they are not for them; a refusal that no rule of
    its own decided has none either: its entry and facts say it all.
    """

    request_id: str
    at: str
    region: str
    method: str
    path: str
    names: Mapping[str, str]
    subject: str
    account: str
    credential: str
    code: str
    status: int
    message: str
    meaning: str
    causes: Sequence[str]
    cure: Sequence[str]
    facts: Json
    owner: str
    rule: RuleTold | None

    @classmethod
    def of(
        cls, refused: Refused, entry: Entry, language: Language, *, with_rule: bool
    ) -> "Explanation":
        """Return what is told of ``refused``, whose catalogue entry is ``entry``."""
        facts = _thawed(refused.facts)
        wording = translate(entry, language, facts)
        return cls(
            request_id=refused.request_id,
            at=datetime.fromtimestamp(refused.at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            region=refused.region,
            method=refused.method,
            path=refused.path,
            names=refused.names,
            subject=refused.subject,
            account=refused.account,
            credential=refused.credential,
            code=entry.code,
            status=entry.status,
            message=wording.message,
            meaning=wording.meaning,
            causes=wording.causes,
            cure=wording.cure,
            facts={name: rendered(fact, language) for name, fact in facts.items()},
            owner=refused.owner if with_rule else "",
            rule=_rule_told(refused.rule, language) if with_rule and refused.rule else None,
        )


def frozen(facts: Mapping[str, object]) -> Json:
    """Return facts as plain JSON values that `Explanation.of` can translate again.

    What looks like a secret is left out, long texts are cut, and there are `MAX_FACTS` at most.
    """
    return {name: _frozen(fact) for name, fact in list(facts.items())[:MAX_FACTS]}


def frozen_rule(rule: Rule | None) -> Mapping[str, Any] | None:
    """Return a rule in the same form, None for none."""
    if rule is None:
        return None
    return {"kind": rule.kind, "values": frozen(rule.values), "needed": _frozen(rule.needed)}


def named_namespace(names: Mapping[str, str]) -> str:
    """Return the namespace that a path named: as ``name``, or in an ``image`` with or without host.

    '' where it named none.
    """
    repository = names.get("name") or names.get("image", "")
    first, slash, rest = repository.partition("/")
    is_host = slash and (first == "localhost" or "." in first or ":" in first)
    return namespace_of(rest if is_host else repository)


def clean(text: str) -> str:
    """Return ``text`` cut to `MAX_TEXT` characters, without what looks like a secret."""
    return _SECRET.sub("[...]", text[:MAX_TEXT])


def _frozen(fact: object) -> object:
    if isinstance(fact, Text):
        return {_MESSAGE: fact.message, "facts": frozen(fact.facts)}
    if fact is None or isinstance(fact, bool | int | float):
        return fact
    return clean(str(fact))


def _thawed(facts: Json) -> dict[str, object]:
    return {name: _thaw(fact) for name, fact in facts.items()}


def _thaw(fact: object) -> object:
    if isinstance(fact, Mapping) and _MESSAGE in fact:
        return Text(fact[_MESSAGE], **_thawed(fact["facts"]))
    return fact


def _rule_told(rule: Mapping[str, Any], language: Language) -> RuleTold:
    values = _thawed(rule["values"])
    return RuleTold(
        kind=rule["kind"],
        values={name: rendered(value, language) for name, value in values.items()},
        needed=str(rendered(_thaw(rule["needed"]), language)),
    )
