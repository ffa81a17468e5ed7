"""The error catalogue: one module a room, every refusal's status, codes, cause and cure.

Code ranges: WHF00xx the web surface, WHF01xx registry, WHF02xx identity, WHF03xx namespaces,
WHF04xx quotas and plans, WHF05xx images, trash and retention, WHF06xx regions, WHF07xx explain,
WHF08xx the command line and its plug-ins, WHF09xx the cr plug-in, WHF11xx what doctor finds,
WHF12xx what fsck and collection find.
"""

from types import ModuleType

from wharfinger_common.refusals import Catalogue, Entry


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
    from wharfinger_common.catalogue import blobs, identity, namespaces, regions, registry, web

    catalogue = Catalogue()
    for module in (web, registry, blobs, identity, namespaces, regions):
        catalogue.add(*entries_of(module))
    return catalogue
