"""``wharfd``: the operator's commands."""

import gc
import os
import sys

import click

from wharfinger import __version__
from wharfinger.commands.loading import LoadingGroup
from wharfinger.commands.telling import language, telling
from wharfinger.settings import CONFIG, SettingInvalid, Settings, load
from wharfinger_common.languages import Text, rendered

_HELP = {"help_option_names": ["-h", "--help"]}


@click.group(cls=LoadingGroup, context_settings=_HELP)
@click.option("--data", metavar="DIR", help="Data folder; wins over WHARFINGER_DATA.")
@click.option("--config", metavar="FILE", help=f"TOML file with settings; wins over {CONFIG}.")
@click.pass_context
def main(context: click.Context, data: str | None, config: str | None) -> None:
    """Run and administer a Wharfinger registry service.

    Settings come from WHARFINGER_* variables or a TOML file: wharfd config show.
    """
    # SQLite and others make files by the umask; a folder that was there before may be open to all.
    os.umask(0o077)
    if context.invoked_subcommand != "serve":
        gc.enable()
    environ = dict(os.environ)
    if data:
        environ["WHARFINGER_DATA"] = data
    try:
        "".join(sys.argv).encode()
    except UnicodeEncodeError:
        # Bytes come as surrogates, which no database takes.
        raise click.UsageError("an argument holds bytes that are not UTF-8") from None
    try:
        context.obj = load(environ, config)
    except SettingInvalid as error:
        if context.invoked_subcommand != "doctor":
            raise click.ClickException(str(error)) from error
        # What is wrong with the settings is then a finding among findings.
        context.obj = error


@main.command()
@click.option(
    "--workers", type=click.IntRange(1, 64), help="HTTP worker processes; wins over the setting."
)
@click.pass_obj
def serve(settings: Settings, workers: int | None) -> None:
    """Serve the registry until SIGTERM; the first start creates what is missing."""
    if workers is not None:
        from msgspec.structs import replace

        settings = replace(settings, workers=workers)
    from wharfinger.serve.run import serve as run

    with telling():
        run(settings)


@main.command()
@click.pass_obj
def init(settings: Settings) -> None:
    """Create or migrate the data folder without serving; wharfd serve does so too."""
    from wharfinger.serve.files import make_data_folder
    from wharfinger.serve.first_start import OPERATOR_FILE, prepare
    from wharfinger.serve.lock import lock_folder

    with telling():
        make_data_folder(settings.data_path)
        lock_folder(settings.data_path)
        prepare(settings)
    ready = Text(
        "{path} is ready; the operator is in {file} there",
        path=settings.data_path,
        file=OPERATOR_FILE,
    )
    click.echo(rendered(ready, language()))


@main.command()
def version() -> None:
    """Print the version."""
    click.echo(f"wharfd {__version__} (Python {sys.version.split()[0]})")


@main.group()
def config() -> None:
    """Look at the settings."""


@config.command("show")
@click.option("--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.pass_obj
def config_show(settings: Settings, output: str) -> None:
    """Print every setting: value in force, default, what is allowed, what it is for."""
    import json

    import msgspec

    from wharfinger.settings import describe, shown

    rows = [
        {
            "name": name,
            "value": msgspec.to_builtins(shown(name, getattr(settings, name))),
            "default": msgspec.to_builtins(default),
            "allowed": allowed,
            "help": text,
        }
        for name, allowed, default, text in describe()
    ]
    if output == "json":
        click.echo(json.dumps(rows, indent=2))
        return
    for row in rows:
        changed = (
            "" if row["value"] == row["default"] else f"   (default: {_shown(row['default'])})"
        )
        click.echo(f"{row['name']} = {_shown(row['value'])}{changed}")
        click.echo(f"    {row['help']}; {row['allowed']}")


def _shown(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    return repr(value)
