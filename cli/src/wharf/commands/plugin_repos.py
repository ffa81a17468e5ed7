"""``plugin repos``, ``repo-add``, ``repo-remove``, ``repo-plugins``, ``repo-plugin``."""

from typing import TYPE_CHECKING, Any, Final

from wharf.context import Context
from wharf.declaration import Command, Flag
from wharf.text import Text

if TYPE_CHECKING:
    from wharf.plugins.index import Offer, Repository
    from wharf.plugins.wheel import Metadatum

_JSON: Final = Flag(
    "output", Text("Form of the output"), "choice", short="o", choices=("text", "json")
)
_REPOSITORY: Final = Flag(
    "repository", Text("Name of the plug-in repository"), "text", short="r", metavar="REPO_NAME"
)

COMMANDS: Final = (
    Command(
        "repos",
        Text("List the plug-in repositories"),
        "wharf.commands.plugin_repos:repos",
        namespace="plugin",
        flags=(_JSON,),
    ),
    Command(
        "repo-add",
        Text("Add a plug-in repository"),
        "wharf.commands.plugin_repos:add",
        arguments="REPO_NAME URL",
        least=2,
        most=2,
        namespace="plugin",
    ),
    Command(
        "repo-remove",
        Text("Remove a plug-in repository that was added"),
        "wharf.commands.plugin_repos:remove",
        arguments="REPO_NAME",
        least=1,
        most=1,
        namespace="plugin",
    ),
    Command(
        "repo-plugins",
        Text("List the plug-ins that repositories offer"),
        "wharf.commands.plugin_repos:offered",
        namespace="plugin",
        flags=(_REPOSITORY, _JSON),
    ),
    Command(
        "repo-plugin",
        Text("Show the versions of a plug-in that a repository offers"),
        "wharf.commands.plugin_repos:versions",
        arguments="PLUGIN_NAME",
        least=1,
        most=1,
        namespace="plugin",
        flags=(_REPOSITORY, _JSON),
    ),
)


def repos(context: Context) -> None:
    """List name and URL of each."""
    from wharf.plugins.fetch import Repositories

    context.say(Text("Listing added plug-in repositories..."))
    context.say()
    rows = Repositories(context).rows()
    if context.screen.machine:
        context.screen.json([{"Name": name, "URL": url} for name, url in rows])
        return
    context.table((Text("Repo Name"), Text("URL")), rows)
    context.say()


def add(context: Context) -> None:
    """Add a repository after looking whether one is there."""
    from wharf.config import Values
    from wharf.plugins.fetch import DEFAULT_NAMES, Repositories
    from wharf.plugins.index import Repository
    from wharf.refusals import RepositoryExists

    name, url = context.call.arguments
    taken = {row[0].lower() for row in Repositories(context).rows()} | DEFAULT_NAMES
    if name.lower() in taken:
        raise RepositoryExists(repository=name)
    Repository(name, url, context.transport).plugins()

    def change(kept: Values) -> None:
        kept["PluginRepos"] = [*(kept.get("PluginRepos") or []), {"Name": name, "URL": url}]

    context.config.change(change)
    context.ok()
    context.say(Text("{url} added as '{name}'.", url=url, name=name))


def remove(context: Context) -> None:
    """Forget a repository."""
    from wharf.plugins.fetch import Repositories
    from wharf.refusals import RepositoryUnknown

    name = context.call.arguments[0]
    added = Repositories(context).added()
    kept = [one for one in added if one["Name"].lower() != name.lower()]
    if len(kept) == len(added):
        raise RepositoryUnknown(repository=name)
    context.config.set(PluginRepos=kept)
    context.ok()
    context.say(Text("'{name}' was removed.", name=name))


def offered(context: Context) -> None:
    """List what each repository offers, newest versions first."""
    from wharf.plugins.fetch import Repositories

    wanted = context.call.text("repository")
    repositories = Repositories(context).wanted(wanted)
    if wanted:
        context.say(Text("Getting plug-ins from repository '{repository}'...", repository=wanted))
    else:
        context.say(Text("Getting plug-ins from all repositories..."))
    found = {each.name: _rows(context, each) for each in repositories}
    if context.screen.machine:
        names = ("Status", "Name", "Versions", "Description")
        context.screen.json(
            {
                name: [dict(zip(names, row, strict=True)) for row in rows]
                for name, rows in found.items()
            }
        )
        return
    for name, rows in found.items():
        context.say()
        context.say(Text("Repository: {repository}", repository=name))
        headers = (Text("Status"), Text("Name"), Text("Versions"), Text("Description"))
        context.table(headers, rows)
    context.say()


def _rows(context: Context, repository: "Repository") -> list[tuple[str, str, str, str]]:
    rows = []
    for plugin in sorted(repository.plugins()):
        offers = repository.offers(plugin)
        if offers:
            told = repository.metadata(offers[0])
            shown = ", ".join(str(offer.version) for offer in offers[:5])
            more = ", ..." if len(offers) > 5 else ""
            rows.append(
                (
                    _state(context, plugin, offers),
                    plugin,
                    shown + more,
                    told.summary if told else "",
                )
            )
    return rows


def _state(context: Context, plugin: str, offers: "list[Offer]") -> str:
    from packaging.version import Version

    from wharf.plugins.fetch import present

    installed = present(context, plugin)
    if installed is None:
        return Text("Not Installed")
    newer = offers[0].version > Version(installed.version)
    return Text("Update Available") if newer else Text("Installed")


def versions(context: Context) -> None:
    """Show name, description, authors, and each version with its hash and what it needs."""
    from wharf.plugins.fetch import ALIASES, Repositories
    from wharf.refusals import PluginNotFound

    wanted = context.call.arguments[0]
    name = ALIASES.get(wanted, wanted)
    repositories = Repositories(context).wanted(context.call.text("repository"))
    for repository in repositories:
        offers = repository.offers(name)
        if offers:
            told = [(offer, repository.metadata(offer)) for offer in offers]
            _show(context, name, told)
            return
    raise PluginNotFound(plugin=name, repository=repositories[0].name)


def _show(context: Context, name: str, told: "list[tuple[Offer, Metadatum | None]]") -> None:
    first = told[0][1]
    rows: list[tuple[Any, ...]] = [
        (
            str(offer.version),
            Text("Yes") if known is None or known.compatible else Text("No"),
            offer.sha256,
            known.minimum if known else "",
        )
        for offer, known in told
    ]
    if context.screen.machine:
        names = ("Version", "Compatible", "SHA256", "MinCliVersion")
        listed = [dict(zip(names, row, strict=True)) for row in rows]
        context.screen.json({"Name": name, "Versions": listed})
        return
    context.pairs(
        [
            (Text("Name"), name),
            (Text("Description"), first.summary if first else ""),
            (Text("Authors"), first.author if first else ""),
        ]
    )
    context.say()
    headers = (
        Text("Version"),
        Text("Compatible"),
        Text("SHA256"),
        Text("Minimal CLI version required"),
    )
    context.table(headers, rows)
    context.say()
