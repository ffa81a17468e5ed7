"""How ``wharfd`` tells people what it could not do, in their language."""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from wharfinger.settings import Settings
from wharfinger_common.languages import Language, Text, of_environment, rendered, translate
from wharfinger_common.refusals import Refusal

if TYPE_CHECKING:
    from wharfinger.rooms import Rooms

OUTPUT: Callable[[Any], Any] = click.option(
    "--output", type=click.Choice(["text", "json"]), default="text", show_default=True
)


def language() -> Language:
    """Return the language of the terminal: WHARF_LOCALE, else LC_ALL, LC_MESSAGES or LANG."""
    return of_environment(os.environ)


def refused(refusal: Refusal) -> click.ClickException:
    """Return what ends the command: the message with its code, and a line that says what to do."""
    wording = translate(refusal.entry, language(), refusal.items[0])
    return click.ClickException(f"{wording.message} ({refusal.entry.code})\n{wording.remedy}")


def failed(text: Text) -> click.ClickException:
    """Return what ends the command with ``text``."""
    return click.ClickException(str(rendered(text, language())))


@contextmanager
def opened_rooms(settings: Settings) -> Iterator["Rooms"]:
    """Open the data folder's services; a refusal becomes a line with its cure."""
    from wharfinger.database.urls import embedded_path
    from wharfinger.rooms import build_rooms

    path = embedded_path(settings.database)
    if path is not None and not path.exists():
        raise failed(
            Text(
                "{path} holds no service yet; run 'wharfd init' or 'wharfd serve' first",
                path=settings.data_path,
            )
        )
    rooms = build_rooms(settings)
    try:
        yield rooms
    except Refusal as refusal:
        raise refused(refusal) from refusal
    finally:
        rooms.close()


def print_array(items: Iterable[Mapping[str, object]]) -> None:
    """Print a JSON array item by item: however many there are, few are in memory."""
    before = "[\n"
    for item in items:
        click.echo(before + json.dumps(item, ensure_ascii=False), nl=False)
        before = ",\n"
    click.echo("[]" if before == "[\n" else "\n]")
