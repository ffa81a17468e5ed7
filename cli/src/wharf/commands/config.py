"""``config``: how the command line behaves."""

from typing import Final

from wharf.context import Context
from wharf.declaration import Command, Flag
from wharf.text import Text

CLEAR: Final = "CLEAR"
MAX_TIMEOUT: Final = 3600

COMMANDS: Final = (
    Command(
        "config",
        Text("Change how this command line behaves"),
        "wharf.commands.config:config",
        flags=(
            Flag("http-timeout", Text("Seconds that a request may take"), "number"),
            Flag(
                "trace",
                Text("Print requests and answers, or append them to a file"),
                "text",
                metavar="true | false | FILE",
            ),
            Flag(
                "color",
                Text("Colour the output on a terminal"),
                "choice",
                choices=("true", "false"),
            ),
            Flag(
                "locale",
                Text("Language of texts; CLEAR for the system's"),
                "text",
                metavar="LOCALE",
            ),
            Flag(
                "check-version",
                Text("Tell when a newer version is offered"),
                "choice",
                choices=("true", "false"),
            ),
            Flag(
                "ca",
                Text("PEM file of the authorities to trust; CLEAR for the system's"),
                "text",
                metavar="FILE",
            ),
            Flag("list", Text("Show what is set")),
        ),
        machine=(),
    ),
)


def config(context: Context) -> None:
    """Change what the flags name; says nothing."""
    from wharf.parsing import UsageWrong

    call = context.call
    changes: dict[str, object] = {}
    if call.given("http-timeout"):
        changes["HTTPTimeout"] = _timeout(call.number("http-timeout"))
    if call.given("trace"):
        changes["Trace"] = _trace(call.text("trace"))
    if call.given("color"):
        changes["ColorEnabled"] = call.text("color")
    if call.given("locale"):
        changes["Locale"] = _locale(call.text("locale"))
    if call.given("check-version"):
        changes["CheckCLIVersionDisabled"] = call.text("check-version") == "false"
    if call.given("ca"):
        changes["CAFile"] = _ca(call.text("ca"))
    if not changes and not call.on("list"):
        raise UsageWrong
    if changes:
        context.config.set(**changes)
    if call.on("list"):
        _show(context)


def _timeout(seconds: int | None) -> int:
    from wharf.refusals import ValueWrong

    if seconds is None or not 1 <= seconds <= MAX_TIMEOUT:
        reason = Text("it is from 1 to {most} seconds", most=MAX_TIMEOUT)
        raise ValueWrong(name="--http-timeout", reason=reason)
    return seconds


def _trace(told: str) -> str | None:
    from pathlib import Path

    from wharf.config import switch

    state = switch(told)
    if state is None and told:
        return str(Path(told).expanduser().absolute())
    return "true" if state else None


def _locale(told: str) -> str | None:
    from wharf.refusals import ValueWrong
    from wharf.words import canonical

    if told == CLEAR:
        return None
    if not (name := canonical(told)):
        raise ValueWrong(name="--locale", reason=Text("there is no such locale"))
    return name


def _ca(told: str) -> str | None:
    import ssl
    from pathlib import Path

    from wharf.refusals import FileUnreadable

    if told == CLEAR:
        return None
    path = Path(told).expanduser().absolute()
    try:
        ssl.create_default_context(cafile=str(path))
    except OSError as error:
        raise FileUnreadable(reason=f"{path}: {error.strerror or error}") from error
    return str(path)


def _show(context: Context) -> None:
    kept = context.config
    context.screen.pairs(
        [
            ("http-timeout", f"{kept.timeout:g}"),
            ("trace", kept.trace or "false"),
            ("color", str(kept.colour is not False).lower()),
            ("locale", context.words.locale),
            ("check-version", str(not kept.values.get("CheckCLIVersionDisabled")).lower()),
            ("ca", kept.ca_file),
        ]
    )
