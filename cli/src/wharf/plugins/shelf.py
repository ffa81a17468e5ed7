"""Puts plug-ins into their folder and takes them out: each at once, one command at a time.

A plug-in's code lies in ``plugins/NAME/VERSION-RANDOM``; ``plugins/config.json`` says which folder
counts. A folder is filled under another name, renamed when it is whole, and counts only from the
moment that the record names it. Whatever a killed command leaves behind, no record names; the
next one removes it.
"""

import compileall
import fcntl
import os
import secrets
import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from wharf import __version__, commands
from wharf.declaration import Plugin, to_record
from wharf.folder import FOLDER_MODE, locked, make_folder, read_json, write_json
from wharf.plugins.installed import RECORDS, Finder, Installed, Plugins
from wharf.plugins.wheel import Wheel, is_name, unpack
from wharf.refusals import CommandsClash, HostOutdated, NotInstalled, WheelUnsafe
from wharf.text import Text

LOCK: Final = ".lock"
FORMAT: Final = 1
NEW: Final = ".new-"
_SETTINGS: Final = frozenset({"config.json", ".config.lock"})

Records = dict[str, dict[str, Any]]


class Shelf:
    """The installed plug-ins, for changing them."""

    def __init__(self, config_folder: Path) -> None:
        self._config: Final = config_folder
        self._folder: Final = config_folder / "plugins"

    def put(self, wheel: Wheel, repository: str = "") -> Installed:
        """Install the plug-in in ``wheel`` in place of any other version of it.

        Raises:
            HostOutdated, WheelUnsafe, CommandsClash: nothing was changed.
        """
        if not wheel.metadata.compatible:
            version, minimum = str(wheel.metadata.version), wheel.metadata.minimum
            raise HostOutdated(plugin=wheel.name, version=version, minimum=minimum)
        with locked(self._folder / LOCK):
            home = make_folder(self._folder / wheel.name)
            # A name of its own each time: the same version may be installed over itself.
            final = home / f"{wheel.metadata.version}-{secrets.token_hex(4)}"
            staged = home / f"{NEW}{os.getpid()}"
            self._tidy(home, keep=self._current(wheel.name))
            try:
                staged.mkdir(mode=FOLDER_MODE)
                unpack(wheel, staged)
                declaration = _declared(wheel, staged)
                self._require_free(wheel, declaration)
                compileall.compile_dir(staged, ddir=final, quiet=2)
                staged.rename(final)
            finally:
                shutil.rmtree(staged, ignore_errors=True)
            record = _record(wheel, declaration, final.name, repository)
            self._write(lambda records: records.__setitem__(wheel.name, record))
            self._tidy(home, keep=final.name)
        return Installed(self._folder, record)

    def remove(self, name: str) -> None:
        """Take a plug-in away, with its settings.

        Raises:
            NotInstalled: there is none of this name.
        """
        with locked(self._folder / LOCK):
            if self._current(name) is None:
                raise NotInstalled(plugin=name)
            self._write(lambda records: records.pop(name))
            home = self._folder / name
            self._tidy(home, keep=None)
            for left in _SETTINGS:
                (home / left).unlink(missing_ok=True)
            with suppress(OSError):
                home.rmdir()

    def _write(self, change: Callable[[Records], object]) -> None:
        path = self._folder / RECORDS
        kept = read_json(path)
        records = kept.get("Plugins")
        records = records if isinstance(records, dict) else {}
        change(records)
        write_json(path, {"Format": FORMAT, "Plugins": dict(sorted(records.items()))})

    def _current(self, name: str) -> str | None:
        found = Plugins(self._config).get(name)
        return found.folder.name if found else None

    def _tidy(self, home: Path, keep: str | None) -> None:
        """Remove what no record names, save folders that a running command works from."""
        for each in home.iterdir() if home.is_dir() else ():
            if each.name not in {keep, *_SETTINGS}:
                _remove_unless_used(each)

    def _require_free(self, wheel: Wheel, declaration: Plugin) -> None:
        """Refuse names that the host or another plug-in has already."""
        others = [each for each in Plugins(self._config) if each.name != wheel.name]
        taken = {name: "" for each in commands.NAMESPACES for name in each.names}
        taken |= {name: "" for namespace, name in commands.MODULES if not namespace}
        for other in others:
            if other.record["Package"] == wheel.package:
                raise CommandsClash(name=wheel.package, plugin=wheel.name, owner=other.name)
            for each in other.declaration.namespaces:
                taken |= dict.fromkeys(each.names, other.name)
            for one in other.declaration.commands:
                taken |= dict.fromkeys(() if one.namespace else one.names, other.name)
        wanted = [name for each in declaration.namespaces for name in each.names]
        wanted += [
            name for each in declaration.commands if not each.namespace for name in each.names
        ]
        for name in wanted:
            if name in taken:
                raise CommandsClash(
                    name=name, plugin=wheel.name, owner=taken[name] or Text("the command line")
                )


def _declared(wheel: Wheel, folder: Path) -> Plugin:
    """Return the declaration of an unpacked plug-in; runs its module."""
    module, _, name = wheel.place.partition(":")
    finder = Finder(wheel.package, folder)
    sys.meta_path.insert(0, finder)
    writes = sys.dont_write_bytecode
    sys.dont_write_bytecode = True
    try:
        declared = getattr(import_module(module), name)
    except Exception as error:  # it is foreign code: whatever it raises is its defect
        reason = f"{type(error).__name__}: {error}"
        raise _unsafe(wheel, Text("its declaration fails: {reason}", reason=reason)) from error
    finally:
        sys.dont_write_bytecode = writes
        sys.meta_path.remove(finder)
        for loaded in [each for each in sys.modules if each.partition(".")[0] == wheel.package]:
            del sys.modules[loaded]
    if not isinstance(declared, Plugin) or not _is_sound(declared, wheel.package):
        raise _unsafe(wheel, Text("it does not declare one plug-in"))
    return declared


def _is_sound(declared: Plugin, package: str) -> bool:
    namespaces = {each.name for each in declared.namespaces}
    names = [name for space in declared.namespaces for name in space.names]
    names += [name for each in declared.commands for name in each.names]
    placed = all(each.namespace in {"", *namespaces} for each in declared.commands)
    own = all(each.run.partition(":")[0].partition(".")[0] == package for each in declared.commands)
    return placed and own and all(map(is_name, names)) and ".." not in declared.locale


def _record(wheel: Wheel, declared: Plugin, folder: str, repository: str) -> dict[str, Any]:
    return {
        "Name": wheel.name,
        "Version": str(wheel.metadata.version),
        "MinCliVersion": wheel.metadata.minimum,
        "HostVersion": __version__,
        "Distribution": wheel.metadata.distribution,
        "Description": wheel.metadata.summary,
        "Repository": repository,
        "Sha256": wheel.sha256,
        "Folder": folder,
        "Package": wheel.package,
        "InstalledAt": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "Declaration": to_record(declared),
    }


def _remove_unless_used(folder: Path) -> None:
    """Remove ``folder`` unless a running command works from it, as `Installed.load` marks it."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
    except BlockingIOError:
        # The next change of this plug-in removes it.
        pass
    finally:
        os.close(descriptor)


def _unsafe(wheel: Wheel, reason: Text) -> WheelUnsafe:
    return WheelUnsafe(file=wheel.path.name, reason=reason)
