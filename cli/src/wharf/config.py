"""The configuration: what is kept in ``config.json``, and what the environment overrides."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from wharf.environment import variable
from wharf.folder import config_folder, locked, read_json, write_json

FILE: Final = "config.json"
LOCK: Final = ".config.lock"
FORMAT: Final = 2
DEFAULT_TIMEOUT: Final = 60
TOKENS: Final = ("IAMToken", "IAMRefreshToken", "UAAToken", "UAARefreshToken", "User")
TARGETS: Final = ("Account", "ResourceGroup", "Org", "Space")

Values = dict[str, Any]


class Config:
    """The configuration of this user, read once; changes are made under a lock."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ: Final = environ
        self.folder: Final = config_folder(environ)
        self._values: Values | None = None

    @property
    def path(self) -> Path:
        """The file."""
        return self.folder / FILE

    @property
    def values(self) -> Values:
        """What is in the file, in today's form; do not change it in place.

        Raises:
            FileUnreadable: it is damaged or may not be read.
        """
        if self._values is None:
            self._values = migrated(read_json(self.path))
        return self._values

    def text(self, name: str) -> str:
        """Return a text, '' where there is none."""
        value = self.values.get(name)
        return value if isinstance(value, str) else ""

    def part(self, name: str) -> dict[str, str]:
        """Return an object of texts such as ``Account``, empty where there is none."""
        value = self.values.get(name)
        return value if isinstance(value, dict) else {}

    def change(self, change: Callable[[Values], None]) -> None:
        """Read again, apply ``change``, write; no other command comes in between.

        Raises:
            FileUnreadable, FileUnwritable: nothing was changed.
        """
        with locked(self.folder / LOCK):
            values = migrated(read_json(self.path))
            change(values)
            write_json(self.path, values)
        self._values = values

    def reread(self) -> None:
        """Forget what was read: another command may have changed the file meanwhile."""
        self._values = None

    def set(self, **values: Any) -> None:
        """Change single values; None removes one."""

        def apply(kept: Values) -> None:
            for name, value in values.items():
                if value is None:
                    kept.pop(name, None)
                else:
                    kept[name] = value

        self.change(apply)

    def forget_session(self) -> None:
        """Drop tokens, account and resource group."""
        self.set(**dict.fromkeys((*TOKENS, *TARGETS)))

    @property
    def timeout(self) -> float:
        """Seconds that each step of a call may take."""
        told = variable(self.environ, "HTTP_TIMEOUT") or self.values.get("HTTPTimeout", 0)
        try:
            return float(told) or DEFAULT_TIMEOUT
        except (TypeError, ValueError):
            return DEFAULT_TIMEOUT

    @property
    def colour(self) -> bool | None:
        """Whether colours are wanted, None where nobody said."""
        return (
            switch(variable(self.environ, "COLOR"))
            if variable(self.environ, "COLOR")
            else (switch(self.text("ColorEnabled")))
        )

    @property
    def trace(self) -> str:
        """Where the trace goes: '' nowhere, ``true`` to the screen, else a file."""
        told = variable(self.environ, "TRACE") or self.text("Trace")
        return "" if switch(told) is False else "true" if switch(told) else told

    @property
    def ca_file(self) -> str:
        """PEM file of the authorities to trust, '' for those of the machine."""
        return variable(self.environ, "CA_FILE") or self.text("CAFile")


def switch(text: object) -> bool | None:
    """Return what a text such as ``true`` switches, None where it is no switch."""
    return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}.get(
        str(text).lower()
    )


def migrated(values: Values) -> Values:
    """Return ``values`` in today's form, whatever version wrote them.

    Before format 2 the two tokens were kept as they are sent, and colours as a boolean.
    """
    if values.get("SessionFormat") == FORMAT:
        return values
    new = dict(values)
    for name in ("IAMToken", "UAAToken"):
        if isinstance(new.get(name), str):
            new[name] = new[name].removeprefix("Bearer ").removeprefix("bearer ").strip()
    if isinstance(new.get("ColorEnabled"), bool):
        new["ColorEnabled"] = str(new["ColorEnabled"]).lower()
    new["SessionFormat"] = FORMAT
    return new
