"""What the environment says: by which name we were called, and our variables."""

from collections.abc import Mapping
from typing import Final

PREFIXES: Final = ("WHARF_", "IBMCLOUD_", "BLUEMIX_")
NAMES: Final = ("ibmcloud", "bx", "bluemix", "ic")


class Brand:
    """How the command line speaks of itself and of the service.

    ``repository`` is the name of the default plug-in repository. No dataclass: that module costs
    a start more than all else here.
    """

    def __init__(self, command: str, product: str, repository: str) -> None:
        self.command: Final = command
        self.product: Final = product
        self.cli: Final = f"{product} CLI"
        self.repository: Final = repository


def brand(program: str) -> Brand:
    """Return the brand that belongs to the name of the program that was started."""
    name = program.replace("\\", "/").rpartition("/")[2].removesuffix(".exe")
    if name in NAMES:
        return Brand(name, "IBM Cloud", "Bluemix")
    return Brand("wharf", "Wharfinger", "Wharfinger")


def variable(environ: Mapping[str, str], name: str) -> str:
    """Return ``WHARF_NAME``, ``IBMCLOUD_NAME`` or ``BLUEMIX_NAME``, the first that is set."""
    return next((environ[prefix + name] for prefix in PREFIXES if environ.get(prefix + name)), "")


def home(environ: Mapping[str, str]) -> str:
    """Return the home folder of the user."""
    if told := environ.get("HOME"):
        return told
    import os.path

    return os.path.expanduser("~")  # noqa: PTH111 - pathlib's form raises where there is none
