"""Help pages: NAME, USAGE, OPTIONS, as the original's."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from wharf.build import stamp
from wharf.declaration import Command, Flag, Namespace
from wharf.refusals import CommandUnknown
from wharf.screen import width
from wharf.text import Text
from wharf.words import Words

if TYPE_CHECKING:
    from wharf.dispatch import Directory


def page(directory: "Directory", words: Words, path: Sequence[str]) -> str:
    """Return the page of everything, of a namespace, or of a command.

    Raises:
        CommandUnknown: there is no such thing.
    """
    if not path:
        return _root(directory, words)
    namespace = directory.namespace(path[0])
    if namespace is not None and len(path) == 1:
        return _namespace(directory, words, namespace)
    found = directory.find(path)
    if found is None:
        raise CommandUnknown(name=path[-1] if namespace else path[0])
    return of_command(found.command, found.words(words))


def of_command(command: Command, words: Words) -> str:
    """Return the page of one command, by its current words."""
    path = " ".join(part for part in (words.brand.command, command.namespace, command.name) if part)
    usage = [path, words(command.arguments), "[OPTIONS]" if _shown(command.flags) else ""]
    lines = [
        words(Text("NAME:")),
        f"   {command.name} - {words.prose(command.summary)}",
        "",
        words(Text("USAGE:")),
        f"   {' '.join(part for part in usage if part)}",
    ]
    if command.aliases:
        lines += ["", words(Text("ALIAS:")), f"   {', '.join(command.aliases)}"]
    if flags := _shown(command.flags):
        lines += ["", words(Text("OPTIONS:"))]
        lines += _columns((flag_text(flag), words.prose(flag.help)) for flag in flags)
    return "\n".join([*lines, ""])


def _root(directory: "Directory", words: Words) -> str:
    brand = words.brand
    about = words(Text("A command line tool to interact with {product}"))
    rows = [
        (", ".join(each.names), words.prose(each.summary))
        for each in directory.commands("")
        if not each.hidden
    ]
    for namespace, speak in directory.namespaces(words):
        rows.append((", ".join(namespace.names), speak.prose(namespace.summary)))
    lines = [
        words(Text("NAME:")),
        f"   {brand.command} - {about}",
        "",
        words(Text("USAGE:")),
        f"   [environment variables] {brand.command} [global options] command [arguments...] "
        "[command options]",
        "",
        words(Text("VERSION:")),
        f"   {stamp()}",
        "",
        words(Text("COMMANDS:")),
        *_columns(rows),
        "",
        words(Text("Enter '{command} help [command]' for more information about a command.")),
        "",
        words(Text("ENVIRONMENT VARIABLES:")),
        *_columns(_variables(words)),
        "",
        words(Text("GLOBAL OPTIONS:")),
        *_columns(
            [
                ("--version, -v", words(Text("Print the version"))),
                ("--help, -h", words(Text("Show help"))),
            ]
        ),
    ]
    if help_url := directory.help_url:
        lines += ["", words(Text("Help and support: {url}", url=help_url))]
    return "\n".join([*lines, ""])


def _namespace(directory: "Directory", words: Words, namespace: Namespace) -> str:
    speak = directory.words_of(namespace, words)
    name = f"{words.brand.command} {namespace.name}"
    rows = [
        (", ".join(each.names), speak.prose(each.summary))
        for each in directory.commands(namespace.name)
        if not each.hidden
    ]
    lines = [
        words(Text("NAME:")),
        f"   {name} - {speak.prose(namespace.summary)}",
        "",
        words(Text("USAGE:")),
        f"   {name} command [arguments...] [command options]",
        "",
        words(Text("COMMANDS:")),
        *_columns(rows),
        "",
        words(
            Text(
                "Enter '{command} help {namespace} [command]' for more information about a "
                "command.",
                namespace=namespace.name,
            )
        ),
        "",
    ]
    return "\n".join(lines)


def _variables(words: Words) -> list[tuple[str, str]]:
    prefix = "IBMCLOUD" if words.brand.command != "wharf" else "WHARF"
    return [
        (f"{prefix}_API_KEY=KEY", words(Text("API key to sign in with"))),
        (f"{prefix}_COLOR=false", words(Text("Do not colour the output"))),
        (
            f"{prefix}_TRACE=true|FILE",
            words(Text("Print requests and answers, or append them to a file")),
        ),
        (f"{prefix}_HTTP_TIMEOUT=N", words(Text("Seconds that a request may take"))),
        (f"{prefix}_HOME=FOLDER", words(Text("Folder that the configuration folder is in"))),
        (f"{prefix}_CONFIG_HOME=FOLDER", words(Text("The configuration folder itself"))),
        (f"{prefix}_CA_FILE=FILE", words(Text("PEM file of the authorities to trust"))),
    ]


def _shown(flags: Iterable[Flag]) -> list[Flag]:
    return [flag for flag in flags if not flag.hidden]


def flag_text(flag: Flag) -> str:
    """Return how a flag is typed, with all its names."""
    names = ", ".join(
        f"{'-' if len(name) == 1 else '--'}{name}" for name in (flag.name, flag.short) if name
    )
    if flag.kind == "switch":
        return names
    return f"{names} {'|'.join(flag.choices) or flag.metavar}"


def _columns(rows: Iterable[tuple[str, str]]) -> list[str]:
    told = list(rows)
    most = max((width(left) for left, _ in told), default=0)
    return [f"   {left}{' ' * (most - width(left))}   {right}".rstrip() for left, right in told]
