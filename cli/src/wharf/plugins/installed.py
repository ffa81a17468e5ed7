"""The plug-ins that are installed, as ``plugins/config.json`` records them, and how they run.

Nothing else is looked at: neither entry points of this Python nor folders without a record.
"""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from wharf import __version__
from wharf.declaration import (
    API_VERSION,
    SESSION_FORMAT,
    Command,
    Namespace,
    Plugin,
    from_record,
)
from wharf.folder import read_json
from wharf.words import Words

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import ModuleType

    from wharf.context import Context
    from wharf.refusals import PluginBroken

FOLDER: Final = "plugins"
RECORDS: Final = "config.json"


class Installed:
    """One plug-in that is installed."""

    def __init__(self, above: Path, record: Mapping[str, Any]) -> None:
        self.record: Final = record
        self.name: Final = str(record["Name"])
        self.version: Final = str(record["Version"])
        self.minimum: Final = str(record.get("MinCliVersion", ""))
        self.home: Final = above / self.name
        self.folder: Final = self.home / str(record["Folder"])

    @cached_property
    def declaration(self) -> Plugin:
        """What it declares.

        Raises:
            PluginBroken: the record is damaged.
        """
        try:
            return from_record(self.record["Declaration"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise self.broken(f"{type(error).__name__}: {error}") from error

    def require_usable(self) -> None:
        """Do nothing if this host can run the plug-in.

        Raises:
            SessionForeign: it reads only sessions of another form.
            HostOutdated: it needs a newer host.
        """
        foreign = SESSION_FORMAT not in self.declaration.sessions
        newer = self.declaration.api > API_VERSION or self._needs_newer_host()
        if foreign or newer:
            from wharf.refusals import HostOutdated, SessionForeign

            if foreign:
                raise SessionForeign(plugin=self.name, version=self.version)
            raise HostOutdated(plugin=self.name, version=self.version, minimum=self.minimum)

    def require_allowed(self, minimum: str) -> None:
        """Do nothing if the plug-in is not older than ``minimum``; '' allows any.

        Raises:
            PluginTooOld: it is, says the service.
        """
        if not minimum or minimum == self.version:
            return
        from packaging.version import InvalidVersion, Version

        from wharf.refusals import PluginTooOld

        try:
            old = Version(self.version) < Version(minimum)
        except InvalidVersion:
            return
        if old:
            raise PluginTooOld(plugin=self.name, version=self.version, minimum=minimum)

    def load(self, place: str) -> "Callable[[Context], object]":
        """Return the function at ``MODULE:FUNCTION`` of the plug-in.

        Raises:
            PluginBroken: it is not there, or cannot be imported.
        """
        from importlib import import_module

        package = str(self.record["Package"])
        sys.meta_path.insert(0, Finder(package, self._hold()))
        module, _, name = place.partition(":")
        if module.partition(".")[0] != package:
            raise self.broken(f"{module} is not of {package}")
        try:
            loaded: Callable[[Context], object] = getattr(import_module(module), name)
        except (ImportError, AttributeError, SyntaxError) as error:
            raise self.broken(f"{type(error).__name__}: {error}") from error
        return loaded

    def words(self, words: Words) -> Words:
        """Return ``words`` with the plug-in's own texts, where it has some in this language."""
        locale = self.declaration.locale
        if not locale:
            return words
        import gettext

        place = self.folder / str(self.record["Package"]) / locale
        found = gettext.translation("plugin", place, [words.locale], fallback=True)
        return Words(words.locale, words.brand, found.gettext)

    def broken(self, reason: str) -> "PluginBroken":
        """Return the refusal that says that the plug-in cannot be run."""
        from wharf.refusals import PluginBroken

        return PluginBroken(plugin=self.name, version=self.version, reason=reason)

    def _hold(self) -> Path:
        """Mark the folder as in use until the process ends, and return it.

        An update leaves it until then. One that came in between has put another folder in place.
        """
        import fcntl
        import os

        for installed in (self, Plugins(self.home.parent.parent).get(self.name)):
            folder = installed.folder if installed else self.folder
            try:
                descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            except OSError:
                continue
            fcntl.flock(descriptor, fcntl.LOCK_SH)
            if folder.is_dir():
                return folder
        raise self.broken(f"{self.folder} is missing")

    def _needs_newer_host(self) -> bool:
        # The host that installed it has checked; comparing versions costs a start too much.
        if not self.minimum or self.record.get("HostVersion") == __version__:
            return False
        from packaging.version import Version

        return Version(__version__) < Version(self.minimum)


class Plugins:
    """All plug-ins that are installed, read once."""

    def __init__(self, config_folder: Path) -> None:
        self.folder: Final = config_folder / FOLDER
        records = read_json(self.folder / RECORDS).get("Plugins", {})
        self._all: Final = {
            name: Installed(self.folder, record)
            for name, record in (records.items() if isinstance(records, dict) else ())
            if isinstance(record, dict) and {"Name", "Version", "Folder", "Package"} <= set(record)
        }

    def __iter__(self) -> Iterator[Installed]:
        return iter(sorted(self._all.values(), key=lambda plugin: plugin.name))

    def get(self, name: str) -> Installed | None:
        """Return the plug-in of this name, or one that its name or alias stands for."""
        return self._all.get(name)

    def namespace(self, name: str) -> tuple[Namespace, Installed] | None:
        """Return the namespace of this name or alias, and whose it is."""
        return next((found for found in self.namespaces() if name in found[0].names), None)

    def namespaces(self) -> Iterator[tuple[Namespace, Installed]]:
        """Yield every namespace and whose it is."""
        for plugin in self:
            for namespace in plugin.declaration.namespaces:
                yield namespace, plugin

    def commands(self) -> Iterator[tuple[Command, Installed]]:
        """Yield every command and whose it is."""
        for plugin in self:
            for command in plugin.declaration.commands:
                yield command, plugin


class Finder:
    """Finds the one package of a plug-in in its folder; everything else is Python's as ever."""

    def __init__(self, package: str, folder: Path) -> None:
        self._package: Final = package
        self._folder: Final = str(folder)

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: "ModuleType | None" = None
    ) -> "ModuleSpec | None":
        """Return where the package is (`importlib.abc.MetaPathFinder`)."""
        if path is not None or name != self._package:
            return None
        from importlib.machinery import PathFinder

        return PathFinder.find_spec(name, [self._folder], target)
