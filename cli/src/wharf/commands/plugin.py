"""``plugin install``, ``update``, ``uninstall``, ``list``, ``show``."""

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Final

from wharf.context import Context
from wharf.declaration import Command, Flag
from wharf.text import Text

_REPOSITORY: Final = Flag(
    "repository", Text("Name of the plug-in repository"), "text", short="r", metavar="REPO_NAME"
)
_VERSION: Final = Flag("version", Text("Version of the plug-in"), "text", short="v")
_FORCE: Final = Flag("force", Text("Do not ask"), short="f")
_JSON: Final = Flag(
    "output", Text("Form of the output"), "choice", short="o", choices=("text", "json")
)

COMMANDS: Final = (
    Command(
        "install",
        Text("Install a plug-in from a repository, a file or a URL"),
        "wharf.commands.plugin:install",
        arguments="PLUGIN_NAME | PATH | URL",
        least=1,
        most=1,
        flags=(_REPOSITORY, _VERSION, _FORCE),
        namespace="plugin",
    ),
    Command(
        "update",
        Text("Update a plug-in, or all of them"),
        "wharf.commands.plugin:update",
        arguments="[PLUGIN_NAME]",
        most=1,
        flags=(_REPOSITORY, _VERSION, Flag("all", Text("Update all plug-ins")), _FORCE),
        namespace="plugin",
    ),
    Command(
        "uninstall",
        Text("Uninstall a plug-in"),
        "wharf.commands.plugin:uninstall",
        arguments="PLUGIN_NAME",
        least=1,
        most=1,
        namespace="plugin",
    ),
    Command(
        "list",
        Text("List the installed plug-ins"),
        "wharf.commands.plugin:list_all",
        flags=(_JSON,),
        namespace="plugin",
    ),
    Command(
        "show",
        Text("Show what an installed plug-in brings"),
        "wharf.commands.plugin:show",
        arguments="PLUGIN_NAME",
        least=1,
        most=1,
        flags=(_JSON,),
        namespace="plugin",
    ),
)


def install(context: Context) -> None:
    """Install what the argument names: a file, a URL, or a plug-in of a repository."""
    wanted = context.call.arguments[0]
    if wanted.startswith(("http://", "https://")):
        from wharf.plugins.fetch import downloaded_from

        _install_file(context, downloaded_from(context, wanted))
    elif "/" in wanted or wanted.endswith(".whl") or Path(wanted).is_file():
        _install_file(context, nullcontext(Path(wanted).expanduser()))
    else:
        _install_named(context, wanted)


def _install_named(context: Context, wanted: str) -> None:
    from wharf.plugins.fetch import ALIASES, Repositories, choose, downloaded, present

    name = ALIASES.get(wanted, wanted)
    repositories = Repositories(context).wanted(context.call.text("repository"))
    where = repositories[0].name
    context.say(
        Text(
            "Looking up '{plugin}' from repository '{repository}'...",
            plugin=wanted,
            repository=where,
        )
    )
    repository, offer = choose(name, context.call.text("version"), repositories)
    context.say(
        Text(
            "Plug-in '{plugin} {version}' found in repository '{repository}'",
            plugin=name,
            version=offer.version,
            repository=repository.name,
        )
    )
    if not _agreed(context, present(context, name), str(offer.version)):
        return
    with downloaded(context, repository, offer) as path:
        _put(context, path, repository.name, Text("Installing binary..."))


def _install_file(context: Context, file: AbstractContextManager[Path]) -> None:
    from wharf.plugins.fetch import present
    from wharf.plugins.wheel import inspect
    from wharf.refusals import FileUnreadable

    with file as path:
        if not path.is_file():
            raise FileUnreadable(reason=Text("{path}: no such file", path=path))
        wheel = inspect(path)
        if _agreed(context, present(context, wheel.name), str(wheel.metadata.version)):
            _put(context, path, "", Text("Installing binary..."))


def _agreed(context: Context, there: "object", version: str) -> bool:
    from wharf.plugins.installed import Installed

    if not isinstance(there, Installed) or context.call.on("force"):
        return True
    question = Text(
        "Plug-in '{plugin} {old}' was already installed. Do you want to update it with "
        "'{plugin} {new}' or not?",
        plugin=there.name,
        old=there.version,
        new=version,
    )
    return context.prompts.confirm(question)


def _put(context: Context, path: Path, repository: str, saying: Text) -> None:
    from wharf.plugins.shelf import Shelf
    from wharf.plugins.wheel import inspect

    context.say(saying)
    installed = Shelf(context.config.folder).put(inspect(path), repository)
    context.ok()
    context.say(
        Text(
            "Plug-in '{plugin} {version}' was successfully installed into {folder}. Use "
            "'{command} plugin show {plugin}' to show its details.",
            plugin=installed.name,
            version=installed.version,
            folder=installed.home,
        )
    )


def update(context: Context) -> None:
    """Update the plug-in that is named, or those that are chosen."""
    from wharf.plugins.fetch import present
    from wharf.plugins.installed import Plugins
    from wharf.refusals import NotInstalled

    everything = list(Plugins(context.config.folder))
    if context.call.arguments:
        found = present(context, context.call.arguments[0])
        if found is None:
            raise NotInstalled(plugin=context.call.arguments[0])
        chosen = [found]
    elif context.call.on("all") or not everything:
        chosen = everything
    else:
        rows = [f"{each.name} {each.version}" for each in everything]
        index = context.prompts.choose(Text("Select a plug-in to update:"), rows)
        chosen = [everything[index or 0]]
    for installed in chosen:
        _update_one(context, installed.name)


def _update_one(context: Context, name: str) -> None:
    from wharf.plugins.fetch import Repositories, choose, downloaded, newest, present
    from wharf.plugins.shelf import Shelf
    from wharf.plugins.wheel import inspect

    installed = present(context, name)
    if installed is None:
        return
    known = context.call.text("repository") or _origin(context, str(installed.record["Repository"]))
    repositories = Repositories(context).wanted(known)
    facts = {"plugin": name, "old": installed.version}
    context.say(Text("Plug-in '{plugin} {old}' was installed.", **facts))
    context.say(
        Text(
            "Checking upgrades for plug-in '{plugin}' from repository '{repository}'...",
            plugin=name,
            repository=repositories[0].name,
        )
    )
    version = context.call.text("version")
    found = choose(name, version, repositories) if version else newest(installed, repositories)
    if found is None:
        context.say(Text("No updates are available."))
        return
    repository, offer = found
    context.say(Text("Update '{plugin} {old}' to '{plugin} {new}'", new=offer.version, **facts))
    with downloaded(context, repository, offer) as path:
        context.say(Text("Updating binary..."))
        Shelf(context.config.folder).put(inspect(path), repository.name)
    context.ok()
    context.say(Text("The plug-in was successfully upgraded."))


def _origin(context: Context, repository: str) -> str:
    """Return the repository that a plug-in came from, '' (all) where that is no longer there."""
    from wharf.plugins.fetch import Repositories

    names = [name for name, _ in Repositories(context).rows()]
    return repository if repository in names else ""


def uninstall(context: Context) -> None:
    """Take a plug-in away."""
    from wharf.plugins.fetch import ALIASES
    from wharf.plugins.shelf import Shelf

    name = ALIASES.get(context.call.arguments[0], context.call.arguments[0])
    context.say(Text("Uninstalling plug-in '{plugin}'...", plugin=name))
    Shelf(context.config.folder).remove(name)
    context.ok()
    context.say(Text("Plug-in '{plugin}' was successfully uninstalled.", plugin=name))


def list_all(context: Context) -> None:
    """List what is installed, and whether something newer is offered."""
    from wharf.plugins.installed import Plugins

    context.say(Text("Listing installed plug-ins..."))
    context.say()
    plugins = list(Plugins(context.config.folder))
    states = _states(context)
    if context.screen.machine:
        context.screen.json(
            [
                {"Name": each.name, "Version": each.version, "Status": states.get(each.name, "")}
                for each in plugins
            ]
        )
        return
    context.table(
        (Text("Plugin Name"), Text("Version"), Text("Status")),
        [
            (
                _shown(each.name),
                each.version,
                Text("Update Available") if states.get(each.name) else "",
            )
            for each in plugins
        ],
    )
    context.say()


def _states(context: Context) -> dict[str, str]:
    """Return ``Update Available`` by the plug-ins that it is true of, as far as can be told."""
    from wharf.plugins.fetch import Repositories, reachable
    from wharf.plugins.installed import Plugins

    if not Repositories(context).rows():
        return {}
    repositories = Repositories(context).wanted("")
    return {
        each.name: "Update Available"
        for each in Plugins(context.config.folder)
        for repository in repositories
        if reachable(repository, each)
    }


def show(context: Context) -> None:
    """Show name, version, least host version and commands."""
    from wharf.plugins.fetch import present
    from wharf.refusals import NotInstalled

    installed = present(context, context.call.arguments[0])
    if installed is None:
        raise NotInstalled(plugin=context.call.arguments[0])
    commands = [f"{each.namespace} {each.name}".strip() for each in installed.declaration.commands]
    if context.screen.machine:
        kept = {name: installed.record[name] for name in ("Name", "Version", "MinCliVersion")}
        context.screen.json({**kept, "Commands": commands})
        return
    rows: list[tuple[str, object]] = [
        (Text("Plugin"), installed.name),
        (Text("Version"), installed.version),
        (Text("Minimal CLI version required"), installed.minimum),
    ]
    names = [Text("Commands"), *[""] * len(commands)]
    context.pairs([*rows, *zip(names, commands, strict=False)])
    context.say()


def _shown(name: str) -> str:
    return f"{name}/kubernetes-service" if name == "container-service" else name
