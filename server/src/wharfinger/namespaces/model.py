"""Namespaces: the rules for their names, and what is known of one."""

import re
from enum import Enum
from typing import Final

from msgspec import Struct

from wharfinger_common.catalogue import namespaces as entries
from wharfinger_common.catalogue import regions as region_entries
from wharfinger_common.languages import Text
from wharfinger_common.names import COMPONENT
from wharfinger_common.refusals import Refusal

MIN_CHARACTERS: Final = 4
MAX_CHARACTERS: Final = 30
RESERVED: Final = frozenset({"details", "library", "wharfinger"})
"""``details`` is a path beside the namespaces, ``library`` what docker puts before bare names."""

RESOURCE_GROUP: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")
EMPTYING: Final = "empty-namespace"
"""The kind of the jobs that empty deleted namespaces."""

_ALLOWED: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_-")
_SHOWN: Final = 64


class NameTooShort(Refusal):
    """The name has less than 4 characters."""

    entry = entries.NAME_TOO_SHORT


class NameTooLong(Refusal):
    """The name has more than 30 characters."""

    entry = entries.NAME_TOO_LONG


class NameFirstCharacter(Refusal):
    """The name begins with neither letter nor digit."""

    entry = entries.NAME_FIRST_CHARACTER


class NameCharacters(Refusal):
    """The name holds something besides lowercase letters, digits, ``_`` and ``-``."""

    entry = entries.NAME_CHARACTERS


class NameHyphen(Refusal):
    """The name holds a hyphen where those are switched off."""

    entry = entries.NAME_HYPHEN


class NameNotAReference(Refusal):
    """The name fits the rule for namespaces, but no image name could begin with it."""

    entry = entries.NAME_NOT_A_REFERENCE


class NameReserved(Refusal):
    """The name is kept for the service."""

    entry = entries.NAME_RESERVED


class NamespaceInUse(Refusal):
    """Another account has the name."""

    entry = entries.IN_USE


class NamespaceStillEmptying(Refusal):
    """The account's namespace of this name was deleted, and something is left in it."""

    entry = entries.STILL_EMPTYING


class NamespaceLimitReached(Refusal):
    """The account has as many namespaces as it may."""

    entry = entries.LIMIT_REACHED


class NamespaceUnknown(Refusal):
    """The namespace does not exist, or is being deleted."""

    entry = entries.UNKNOWN


class RegionReadOnly(Refusal):
    """The region's namespaces are the operators' alone."""

    entry = region_entries.REGION_READ_ONLY


class ResourceGroupSet(Refusal):
    """The namespace is in a resource group already."""

    entry = entries.RESOURCE_GROUP_SET


class ResourceGroupInvalid(Refusal):
    """No resource group was named, or not in a form it can have."""

    entry = entries.RESOURCE_GROUP_INVALID


class State(Enum):
    """What may be done with a namespace: everything, or nothing but waiting for its end.

    One that is ``kept`` is gone but for its name: another account gets it only when no registry
    token stands any more that was issued for what the former one had there.
    """

    ACTIVE = "active"
    DELETING = "deleting"
    KEPT = "kept"


class Namespace(Struct, frozen=True):
    """A namespace of an account in a region.

    Times in Unix seconds; ``resource_group`` is '' outside any.
    """

    region: str
    name: str
    account: str
    created_at: int
    updated_at: int
    resource_group: str = ""
    state: State = State.ACTIVE
    id: int = 0

    @property
    def crn(self) -> str:
        """The cloud resource name, '' outside a resource group (control API, Shapes)."""
        if not self.resource_group:
            return ""
        return (
            f"crn:v1:bluemix:public:container-registry:{self.region}"
            f":a/{self.account}::namespace:{self.name}"
        )


class Owner(Struct, frozen=True):
    """Who owns an active namespace."""

    account: str


def require_name(name: str, *, hyphens: bool) -> str:
    """Return ``name`` if a namespace may be called so; ``hyphens`` tells whether it may hold them.

    Raises:
        NameTooShort, NameTooLong, NameFirstCharacter, NameCharacters, NameHyphen,
        NameNotAReference, NameReserved: the rule that it breaks, the first in this order.
    """
    shown, minimum, maximum = name[:_SHOWN], MIN_CHARACTERS, MAX_CHARACTERS
    if len(name) < MIN_CHARACTERS:
        raise NameTooShort(name=shown, minimum=minimum, maximum=maximum)
    if len(name) > MAX_CHARACTERS:
        raise NameTooLong(name=shown, minimum=minimum, maximum=maximum)
    # Capitals are letters all the same; the next rule tells what is wrong with them.
    if not name[0].isalnum():
        raise NameFirstCharacter(name=shown)
    _require_characters(name, hyphens=hyphens)
    if not COMPONENT.fullmatch(name):
        raise NameNotAReference(name=shown, reason=_not_a_reference(name))
    if name in RESERVED:
        raise NameReserved(name=shown)
    return name


def name_pattern(*, hyphens: bool) -> str:
    """Return the regular expression of all names that `require_name` accepts or calls reserved.

    Length apart; for the published description of the interface.
    """
    separator = "(?:_|__|-+)" if hyphens else "(?:_|__)"
    return f"^[a-z0-9]+(?:{separator}[a-z0-9]+)*$"


def require_resource_group(group: str) -> str:
    """Return ``group`` if it can name a resource group.

    Raises:
        ResourceGroupInvalid: it cannot, or is empty.
    """
    if not RESOURCE_GROUP.fullmatch(group):
        raise ResourceGroupInvalid
    return group


def _require_characters(name: str, *, hyphens: bool) -> None:
    foreign = next((character for character in name if character not in _ALLOWED), "")
    if foreign:
        raise NameCharacters(name=name, character=_described(foreign))
    if "-" in name and not hyphens:
        raise NameHyphen(name=name)


def _described(character: str) -> str:
    if character.isupper():
        return Text("the capital letter '{character}'", character=character)
    if character == " ":
        return Text("a space")
    if character.isprintable():
        return Text("'{character}'", character=character)
    return Text("the character {point}", point=f"U+{ord(character):04X}")


def _not_a_reference(name: str) -> str:
    if not name[-1].isalnum():
        return Text("it ends with '{character}'", character=name[-1])
    if "___" in name:
        return Text("it holds more than two '_' in a row")
    return Text("'_' and '-' stand side by side")
