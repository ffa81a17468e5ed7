"""What a command is given: its words, the screen, the session, the service."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from wharf import __version__
from wharf.config import Config
from wharf.declaration import Command
from wharf.environment import Brand
from wharf.folder import locked, read_json, write_json
from wharf.parsing import Call
from wharf.screen import Screen
from wharf.words import Words

if TYPE_CHECKING:
    from wharf.prompts import Prompts
    from wharf.session import Session
    from wharfinger_common.clients.control import ControlApi
    from wharfinger_common.clients.identity import IdentityApi
    from wharfinger_common.clients.transport import Options, Transport, Watcher

REGISTRY_PLUGIN: Final = "container-registry"
"""The plug-in of ``cr``; its settings tell which region's registry is targeted."""


class Store:
    """A JSON file of settings of one plug-in, kept over its updates."""

    def __init__(self, path: Path) -> None:
        self._path: Final = path

    def get(self, name: str, default: Any = None) -> Any:
        """Return a setting."""
        return read_json(self._path).get(name, default)

    def set(self, name: str, value: Any) -> None:
        """Change a setting; None removes it."""
        with locked(self._path.with_name(".config.lock")):
            values = read_json(self._path)
            if value is None:
                values.pop(name, None)
            else:
                values[name] = value
            write_json(self._path, values)


class Context:
    """Everything that a command works with; one for each run of a program.

    ``plugin`` is the name of the plug-in that the command is of, '' for those of the host.
    """

    def __init__(
        self,
        command: Command,
        call: Call,
        screen: Screen,
        config: Config,
        words: Words,
        *,
        plugin: str = "",
    ) -> None:
        self.command: Final = command
        self.call: Final = call
        self.screen: Final = screen
        self.config: Final = config
        self.words: Final = words
        self.plugin: Final = plugin

    @cached_property
    def prompts(self) -> "Prompts":
        """Asks whoever runs the command."""
        from wharf.prompts import Prompts

        return Prompts(self.screen, self.words)

    @cached_property
    def session(self) -> "Session":
        """Who is signed in."""
        from wharf.session import Session

        return Session(self.config, self.transport, for_plugin=bool(self.plugin))

    @property
    def settings(self) -> Store:
        """The plug-in's own settings."""
        return self.settings_of(self.plugin)

    def settings_of(self, plugin: str) -> Store:
        """Return the settings of a plug-in."""
        return Store(self.config.folder / "plugins" / plugin / "config.json")

    @property
    def registry(self) -> str:
        """Host (with port) that the image names of the targeted region begin with."""
        chosen = self.settings.get("Registry") if self.plugin else None
        known = chosen or self.config.text("Registry")
        return str(known or "") or self.session.endpoint.partition("://")[2].partition("/")[0]

    @property
    def region_endpoint(self) -> str:
        """Address of the targeted region: the one that control calls go to.

        Raises:
            NoEndpoint: no service is targeted.
        """
        chosen = self.settings.get("Endpoint") if self.plugin else None
        return str(chosen or self.config.text("ControlEndpoint") or self.session.endpoint)

    @property
    def brand(self) -> Brand:
        """By which name we were called, and what it calls the service."""
        return self.words.brand

    @property
    def environ(self) -> Mapping[str, str]:
        """The environment."""
        return self.config.environ

    def say(self, text: str = "") -> None:
        """Write a line for people, a `Text` in their language; nothing in machine mode."""
        self.screen.say(self.words(text))

    def table(self, headers: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Write a table; its headers, and cells that are `Text`, in the reader's language."""
        self.screen.table(
            [self.words(each) for each in headers],
            [[self._cell(cell) for cell in row] for row in rows],
        )

    def pairs(self, rows: Iterable[tuple[str, object]]) -> None:
        """Write names and values; the names, and values that are `Text`, in her language."""
        self.screen.pairs([(self.words(name), self._cell(value)) for name, value in rows])

    def _cell(self, value: object) -> object:
        return self.words(value) if isinstance(value, str) else value

    def ok(self) -> None:
        """Write OK."""
        from wharf.text import Text

        self.screen.ok(self.words(Text("OK")))

    def transport(self, base: str) -> "Transport":
        """Return what carries requests to the service at ``base``, as the configuration says."""
        from wharfinger_common.clients.transport import Transport

        return Transport(base, self.options(), watcher=self._watcher())

    def options(self) -> "Options":
        """Return how services are called: timeout, trust, language, proxies."""
        from wharfinger_common.clients.transport import Options

        return Options(
            timeout=self.config.timeout,
            verify=not self.config.values.get("SSLDisabled"),
            ca_file=self.config.ca_file,
            headers={
                "User-Agent": f"{self.brand.command}/{__version__}",
                "Accept-Language": self.words.language.value,
            },
            environ=self.environ,
        )

    def control(self) -> "ControlApi":
        """Return the control API of the targeted service, as who is signed in."""
        from wharfinger_common.clients.control import ControlApi

        session = self.session
        account, token = session.account, session.token()
        return ControlApi(self.transport(self.region_endpoint), token, account)

    def identity(self) -> "IdentityApi":
        """Return the identity API of the targeted service, as who is signed in."""
        from wharfinger_common.clients.identity import IdentityApi

        session = self.session
        account, token = session.account, session.token()
        return IdentityApi(self.transport(session.endpoint), token, account)

    def _watcher(self) -> "Watcher | None":
        target = self.config.trace
        if not target:
            return None
        from wharf.trace import Trace

        return Trace(target, self.screen.err)
