"""Plans: how much an account may store and have downloaded; two are built in, operators add more.

Stands beside the rooms, as `wharfinger.regions` does: the settings hold plans, identity names
one for a new account, and quotas go by them.
"""

from collections.abc import Iterable, Iterator
from typing import Annotated, Final

import msgspec
from msgspec import Meta

MEGABYTE: Final = 1 << 20
"""Quotas are told in megabytes of 2^20 bytes (control API, section 4)."""

UNLIMITED: Final = -1
MAX_MEGABYTES: Final = 1 << 40

Name = Annotated[str, Meta(pattern="^[a-z0-9][a-z0-9-]{0,31}$")]
Megabytes = Annotated[int, Meta(ge=UNLIMITED, le=MAX_MEGABYTES)]


class PlansInvalid(ValueError):
    """Two plans have one name, or the default plan does not exist; the text says which."""


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A plan; what it allows counts for each region by itself."""

    name: Annotated[Name, Meta(description="name; that of a built-in plan replaces it")]
    storage_megabytes: Annotated[
        Megabytes, Meta(description="megabytes of 2^20 that may be stored; -1: unlimited")
    ] = UNLIMITED
    traffic_megabytes: Annotated[
        Megabytes,
        Meta(description="megabytes that may be downloaded in a calendar month; -1: unlimited"),
    ] = UNLIMITED

    @property
    def title(self) -> str:
        """The name as people and the control API write it: ``Free``."""
        return self.name[0].upper() + self.name[1:]

    @property
    def storage(self) -> int:
        """Bytes that may be stored, `UNLIMITED` for as many as there are."""
        return _bytes(self.storage_megabytes)

    @property
    def traffic(self) -> int:
        """Bytes that may be downloaded in a calendar month, or `UNLIMITED`."""
        return _bytes(self.traffic_megabytes)


FREE: Final = Plan(name="free", storage_megabytes=512, traffic_megabytes=5120)
STANDARD: Final = Plan(name="standard")
BUILT_IN: Final = (FREE, STANDARD)


class Plans:
    """All plans of a deployment, by name in any case.

    Raises:
        PlansInvalid: two of ``added`` share a name, or ``default`` names none.
    """

    def __init__(self, added: Iterable[Plan] = (), default: str = STANDARD.name) -> None:
        added = tuple(added)
        names = [plan.name for plan in added]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise PlansInvalid(f"the plan '{twice}' stands twice")
        self._plans: Final = {plan.name: plan for plan in (*BUILT_IN, *added)}
        if default not in self._plans:
            raise PlansInvalid(f"there is no plan '{default}' for new accounts")
        self.default: Final = self._plans[default]

    def __iter__(self) -> Iterator[Plan]:
        return iter(self._plans.values())

    def named(self, name: str) -> Plan | None:
        """Return the plan of this name, in any case."""
        return self._plans.get(name.lower())

    def of(self, name: str) -> Plan:
        """Return the plan that an account is on; one that was taken away is the default one."""
        return self._plans.get(name, self.default)


def smaller(one: int, other: int) -> int:
    """Return the tighter of two limits, either of which may be `UNLIMITED`."""
    return max(one, other) if UNLIMITED in {one, other} else min(one, other)


def _bytes(megabytes: int) -> int:
    return UNLIMITED if megabytes == UNLIMITED else megabytes * MEGABYTE
