"""``wharfd explain``: why a request was refused, or what a code of the catalogue means."""

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import click
from msgspec import to_builtins

from wharfinger.commands.telling import OUTPUT, failed, language, opened_rooms
from wharfinger.settings import Settings
from wharfinger_common.languages import Language, Text, rendered, translated

if TYPE_CHECKING:
    from wharfinger.explain.model import Explanation

_CODE: Final = re.compile(r"WHF\d{4}", re.IGNORECASE)


@click.command()
@click.argument("subject", metavar="REQUEST-ID|CODE")
@OUTPUT
@click.pass_obj
def explain(settings: Settings, subject: str, output: str) -> None:
    """Tell why a request was refused, or what a code means.

    REQUEST-ID is the X-Request-Id of a refused answer, CODE one such as WHF0014. Refusals of the
    last days are known (setting explain_days), each a second after its answer.
    """
    if _CODE.fullmatch(subject):
        _explain_code(subject.upper(), output)
        return
    with opened_rooms(settings) as rooms:
        found = rooms.explain.explanations.operator_explain(subject, language())
    if output == "json":
        click.echo(json.dumps(to_builtins(found), ensure_ascii=False, indent=2))
        return
    click.echo("\n".join(_lines(found, language())))


def _explain_code(code: str, output: str) -> None:
    from wharfinger_common.catalogue import load
    from wharfinger_common.pages import Page

    entry = load().entries.get(code)
    if entry is None:
        raise failed(Text("there is no code {code}", code=code))
    page = Page.of(entry, language())
    if output == "json":
        facts = page._asdict() | {"codes": dict(page.codes)}
        told = {name: value for name, value in facts.items() if not name.endswith("_title")}
        click.echo(json.dumps(told, ensure_ascii=False, indent=2))
        return
    click.echo(page.plain(), nl=False)


def _lines(found: "Explanation", language: Language) -> Iterator[str]:
    def row(label: str, value: object) -> str:
        return f"{rendered(label, language)}: {value or '-'}"

    yield f"{found.at}  {found.method} {found.path}"
    yield f"{found.status} {found.code}  {found.message}"
    yield ""
    yield row(Text("asked by"), found.subject)
    yield row(Text("account"), found.account)
    yield row(Text("credential"), found.credential)
    yield row(Text("region"), found.region)
    yield row(Text("owner"), found.owner)
    if found.rule:
        yield row(Text("rule"), found.rule.kind)
        yield from (f"  {name}: {value}" for name, value in found.rule.values.items())
        yield row(Text("would have been allowed by"), found.rule.needed)
    yield ""
    yield found.meaning
    yield ""
    yield f"{translated('Likely causes', language)}"
    yield from (f"  - {cause}" for cause in found.causes)
    yield ""
    yield f"{translated('What to do', language)}"
    yield from (f"  {step}" for step in found.cure)
