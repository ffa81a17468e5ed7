"""What the index answers."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from wharfinger.plugin_index.model import PluginNotOffered, Wheel, project_name
from wharfinger.plugin_index.ports import Shelf


class PluginIndex:
    """The plug-ins that are offered. Blocking: each call looks whether files changed."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf: Final = shelf

    def projects(self) -> Sequence[str]:
        """Return the names of all projects."""
        return sorted({wheel.project for wheel in self._shelf.wheels()})

    def files(self, project: str) -> Sequence[Wheel]:
        """Return the wheels of a project.

        Raises:
            PluginNotOffered: there is none.
        """
        name = project_name(project)
        found = [wheel for wheel in self._shelf.wheels() if wheel.project == name]
        if not found:
            raise PluginNotOffered(name=project[:100])
        return found

    def file(self, filename: str) -> tuple[Wheel, Path]:
        """Return a wheel and where its file lies.

        Raises:
            PluginNotOffered: no wheel has this name.
        """
        for wheel in self._shelf.wheels():
            if wheel.filename == filename:
                return wheel, self._shelf.path(filename)
        raise PluginNotOffered(name=filename[:100])
