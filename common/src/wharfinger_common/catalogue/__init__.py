"""The error catalogue: one module a room, every refusal's status, codes, cause and cure.

`SURFACES` tells whose a range of codes is. A new module is found by itself.
"""

import importlib
import pkgutil
from collections.abc import Mapping
from types import ModuleType
from typing import Final

from wharfinger_common.languages import Text
from wharfinger_common.refusals import Catalogue, Entry

SURFACES: Final[Mapping[str, Text]] = {
    "WHF00": Text("The web surface"),
    "WHF01": Text("Registry"),
    "WHF02": Text("Identity"),
    "WHF03": Text("Namespaces"),
    "WHF04": Text("Quotas and plans"),
    "WHF05": Text("Images, trash and retention"),
    "WHF06": Text("Regions"),
    "WHF07": Text("Explanations of refusals"),
    "WHF08": Text("The command line and its plug-ins"),
    "WHF09": Text("The container registry plug-in"),
    "WHF10": Text("What successful answers tell besides"),
    "WHF11": Text("What doctor finds"),
    "WHF12": Text("What checking and collecting the store finds"),
    "WHF14": Text("Registered clusters"),
}
"""First five characters of a code to the name of its surface."""


def entries_of(module: ModuleType) -> list[Entry]:
    """Return the entries that ``module`` defines as upper-case names."""
    return [
        value for name, value in vars(module).items() if name.isupper() and isinstance(value, Entry)
    ]


def load() -> Catalogue:
    """Return the whole catalogue.

    Raises:
        ValueError: two entries share a code.
    """
    catalogue = Catalogue()
    for found in pkgutil.iter_modules(__path__, f"{__name__}."):
        catalogue.add(*entries_of(importlib.import_module(found.name)))
    return catalogue
