"""Finds the command that words name, among the host's and the installed plug-ins', and runs it."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from wharf import commands
from wharf.config import Config
from wharf.context import Context
from wharf.declaration import Command, Namespace
from wharf.parsing import Call, UsageWrong, parse
from wharf.plugins.installed import Installed, Plugins
from wharf.screen import Screen
from wharf.text import Text
from wharf.words import Words

USAGE_EXIT: Final = 2
FAILED_EXIT: Final = 1


class Ended(Exception):
    """A command ended with ``error``, which is to be told in its own ``words``."""

    def __init__(self, error: Exception, words: Words) -> None:
        self.error: Final = error
        self.words: Final = words
        super().__init__(error)


class Found:
    """A command and the plug-in that brought it, None for the host's own."""

    def __init__(self, command: Command, plugin: Installed | None) -> None:
        self.command: Final = command
        self.plugin: Final = plugin

    def words(self, words: Words) -> Words:
        """Return ``words`` with the texts of the plug-in."""
        return self.plugin.words(words) if self.plugin else words

    def load(self) -> Callable[[Context], object]:
        """Return the function that does it; imports its module, the plug-in's from its folder."""
        from importlib import import_module

        if self.plugin:
            return self.plugin.load(self.command.run)
        module, _, name = self.command.run.partition(":")
        function: Callable[[Context], object] = getattr(import_module(module), name)
        return function


class Directory:
    """All commands there are. What plug-ins bring is read when the host has no such command."""

    def __init__(self, config: Config) -> None:
        self._config: Final = config
        self._plugins: Plugins | None = None

    @property
    def plugins(self) -> Plugins:
        """The installed plug-ins."""
        if self._plugins is None:
            self._plugins = Plugins(self._config.folder)
        return self._plugins

    @property
    def help_url(self) -> str:
        """Where the targeted service says that help is, '' where it says nothing."""
        return self._config.text("HelpURL")

    def namespace(self, name: str) -> Namespace | None:
        """Return the namespace of this name or alias."""
        for each in commands.NAMESPACES:
            if name in each.names:
                return each
        found = self.plugins.namespace(name)
        return found[0] if found else None

    def namespaces(self, words: Words) -> Iterator[tuple[Namespace, Words]]:
        """Yield every namespace with the words that its texts are in."""
        for namespace in commands.NAMESPACES:
            yield namespace, words
        for namespace, plugin in self.plugins.namespaces():
            yield namespace, plugin.words(words)

    def all_namespaces(self) -> list[Namespace]:
        """Return every namespace."""
        return [*commands.NAMESPACES, *(space for space, _ in self.plugins.namespaces())]

    def words_of(self, namespace: Namespace, words: Words) -> Words:
        """Return the words that the texts of a namespace are in."""
        found = self.plugins.namespace(namespace.name)
        return found[1].words(words) if found and namespace not in commands.NAMESPACES else words

    def commands(self, namespace: str) -> list[Command]:
        """Return the commands in a namespace, '' for those without one."""
        own = [each for each in commands.everything() if each.namespace == namespace]
        return own + [each for each, _ in self.plugins.commands() if each.namespace == namespace]

    def find(self, path: Sequence[str]) -> Found | None:
        """Return the command that ``path``, one word or two, names."""
        if not path:
            return None
        names = (("", path[0]),) if len(path) == 1 else ((path[0], path[1]), ("", path[0]))
        for namespace, name in names:
            own = commands.find(namespace, name)
            if own is not None:
                return Found(own, None)
        return self._of_plugin(path)

    def _of_plugin(self, path: Sequence[str]) -> Found | None:
        inside = self.plugins.namespace(path[0])
        namespace, name = (inside[0].name, path[1]) if inside and len(path) > 1 else ("", path[0])
        for command, plugin in self.plugins.commands():
            if command.namespace == namespace and name in command.names:
                return Found(command, plugin)
        return None


def run(arguments: Sequence[str], config: Config, words: Words, screen: Screen) -> int:
    """Run the command that ``arguments`` name and return the exit code.

    Raises:
        Refusal: what went wrong; the caller shows it.
    """
    directory = Directory(config)
    path, rest = _split(arguments, directory)
    found = directory.find(path)
    if found is None:
        return _help_or_unknown(path, rest, directory, words, screen)
    try:
        call = parse(rest, found.command)
    except UsageWrong as wrong:
        return _usage(found, wrong, words, screen)
    if call.on("help"):
        from wharf.help import of_command

        screen.answer(of_command(found.command, found.words(words)))
        return 0
    screen.machine = _for_program(call, found.command)
    plugin = found.plugin
    if plugin is not None:
        plugin.require_usable()
        plugin.require_allowed(config.part("PluginMinimums").get(plugin.name, ""))
    context = Context(
        found.command,
        call,
        screen,
        config,
        found.words(words),
        plugin=plugin.name if plugin else "",
    )
    try:
        code = found.load()(context)
    except UsageWrong as wrong:
        return _usage(found, wrong, words, screen)
    except Exception as error:
        # Whatever it was: it is told in the words of whose command it was.
        raise Ended(error, context.words) from error
    return code if isinstance(code, int) and not isinstance(code, bool) else 0


def _split(arguments: Sequence[str], directory: Directory) -> tuple[list[str], list[str]]:
    """Return the words that name a command and those behind it; global options become commands."""
    words = list(arguments)
    first = words[0] if words else "help"
    if first in {"-v", "--version", "-version"}:
        return ["version"], []
    if first in {"-h", "--help", "-help", "h", "help"}:
        return ["help"], words[1:]
    if len(words) > 1 and directory.find(words[:1]) is None and directory.namespace(first):
        if words[1] in {"-h", "--help", "-help", "help", "h"}:
            return ["help"], [first, *words[2:3]]
        return words[:2], words[2:]
    return words[:1], words[1:]


def _help_or_unknown(
    path: Sequence[str], rest: Sequence[str], directory: Directory, words: Words, screen: Screen
) -> int:
    namespace = directory.namespace(path[0])
    if namespace is None or len(path) > 1:
        from wharf.refusals import CommandUnknown

        raise CommandUnknown(name=path[-1])
    from wharf.help import page

    screen.answer(page(directory, words, path))
    return 0 if not rest else USAGE_EXIT


def _usage(found: Found, wrong: UsageWrong, words: Words, screen: Screen) -> int:
    from wharf.help import of_command

    speak = found.words(words)
    reason = words(wrong.reason) if wrong.reason else ""
    first = Text("Incorrect Usage: {reason}", reason=reason) if reason else Text("Incorrect Usage.")
    screen.answer(f"{words(first)}\n\n{of_command(found.command, speak)}")
    return USAGE_EXIT


def _for_program(call: Call, command: Command) -> bool:
    return any(
        call.on(name) or (call.given(name) and call.text(name, "text") not in {"", "text"})
        for name in command.machine
    )
