"""Names of namespaces, repositories and tags (OCI distribution 1.1, Pulling manifests)."""

import re
from typing import Final

from wharfinger_common.catalogue import registry as entries
from wharfinger_common.refusals import Refusal

MAX_REPOSITORY: Final = 255
_COMPONENT: Final = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
COMPONENT: Final = re.compile(_COMPONENT)
REPOSITORY: Final = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
TAG: Final = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")


class NameInvalid(Refusal):
    """The text is no repository name."""

    entry = entries.NAME_INVALID


class TagInvalid(Refusal):
    """The text is no tag."""

    entry = entries.TAG_INVALID


def require_repository(name: str) -> str:
    """Return ``name`` if it is ``NAMESPACE/REPOSITORY`` in the OCI grammar.

    Raises:
        NameInvalid: it is not, is longer than 255 characters, or has no namespace.
    """
    if len(name) > MAX_REPOSITORY or "/" not in name or not REPOSITORY.fullmatch(name):
        raise NameInvalid(name=name[:MAX_REPOSITORY])
    return name


def require_tag(tag: str) -> str:
    """Return ``tag`` if the OCI grammar allows it.

    Raises:
        TagInvalid: it does not.
    """
    if not TAG.fullmatch(tag):
        raise TagInvalid(tag=tag[:200])
    return tag


def namespace_of(repository: str) -> str:
    """Return the namespace, the first component, of a valid repository name."""
    return repository.partition("/")[0]
