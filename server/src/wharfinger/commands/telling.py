"""How ``wharfd`` tells people what it could not do, in their language."""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import click

from wharfinger.settings import Settings
from wharfinger_common.catalogue.web import NOT_READY
from wharfinger_common.languages import Language, Text, of_environment, rendered, translate
from wharfinger_common.refusals import Refusal

if TYPE_CHECKING:
    from wharfinger.rooms import Rooms

OUTPUT: Callable[[Any], Any] = click.option(
    "--output", type=click.Choice(["text", "json"]), default="text", show_default=True
)


_CLOSER = Text("Run 'wharfd doctor': it looks at every part of the service and says what to do.")


def language() -> Language:
    """Return the language of the terminal: WHARF_LOCALE, else LC_ALL, LC_MESSAGES or LANG."""
    return of_environment(os.environ)


def refused(refusal: Refusal) -> click.ClickException:
    """Return what ends the command: the message with its code, and a line that says what to do.

    Of a part that is away, what clients are told to do is of no use here: instead it is told what
    that part said, and who looks closer.
    """
    wording = translate(refusal.entry, language(), refusal.items[0])
    remedy = wording.remedy
    if refusal.entry is NOT_READY:
        remedy = "\n".join(filter(None, (_origin(refusal), _closer())))
    return click.ClickException(f"{wording.message} ({refusal.entry.code})\n{remedy}")


def _origin(error: BaseException) -> str:
    """Return the first line of what the system said before it became a refusal, '' if nothing."""
    said: BaseException | None = error
    while isinstance(said, Refusal):
        said = said.__cause__ or said.__context__
    return "" if said is None else _first_line(said)


def _first_line(error: BaseException) -> str:
    # The driver's own words rather than those of the library around it.
    lines = str(getattr(error, "orig", None) or error).strip().splitlines()
    return lines[0] if lines else ""


def _closer() -> str:
    return str(rendered(_CLOSER, language()))


def failed(text: Text) -> click.ClickException:
    """Return what ends the command with ``text``."""
    return click.ClickException(str(rendered(text, language())))


@contextmanager
def telling() -> Iterator[None]:
    """Let what is refused, or cannot be on this machine, become one clear line and exit code 1."""
    try:
        yield
    except Refusal as refusal:
        raise refused(refusal) from refusal
    except OSError as error:
        from wharfinger.serve.files import explained

        raise click.ClickException(explained(error)) from error
    except (RuntimeError, _of_database()) as error:
        raise click.ClickException(str(error)) from error


def _of_database() -> type[Exception]:
    """Return what the database's errors are; asked only where something was raised."""
    from sqlalchemy.exc import SQLAlchemyError

    return SQLAlchemyError


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
    with telling():
        opened = build_rooms(settings)
    try:
        with closing(opened) as rooms:
            yield rooms
    except Refusal as refusal:
        raise refused(refusal) from refusal
    except _of_database() as error:
        # No schema yet, or that of another version.
        raise click.ClickException(f"{_first_line(error)}\n{_closer()}") from error


def print_array(items: Iterable[Mapping[str, object]]) -> None:
    """Print a JSON array item by item: however many there are, few are in memory."""
    before = "[\n"
    for item in items:
        click.echo(before + json.dumps(item, ensure_ascii=False), nl=False)
        before = ",\n"
    click.echo("[]" if before == "[\n" else "\n]")
