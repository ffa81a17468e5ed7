"""Lists of images: of the account's namespaces, and of those that are public."""

from collections.abc import Collection, Sequence
from typing import Final

from msgspec import Struct

from wharfinger.identity.model import OPERATOR_ACCOUNT, Caller, Role, RoleMissing
from wharfinger.images.model.listing import Cursor, ImagePage, Listed, Scope, Tagged
from wharfinger.images.ports import ImageStore, Namespaces, Records
from wharfinger.images.service.doors import LISTS, Doors
from wharfinger.regions import GLOBAL
from wharfinger_common.names import namespace_of

CHUNK: Final = 1000
"""Entries read at once."""

LABELS_BYTES: Final = 16 * 1024 * 1024
"""Bytes of labels and tags after which a page ends early."""


class Wanted(Struct, frozen=True):
    """What a list is asked for; ``repositories`` are (region, name), empty for all."""

    namespace: str = ""
    repositories: Collection[tuple[str, str]] = ()
    private: bool = True
    public: bool = False
    indexes: bool = False
    tagged: Tagged = Tagged.ONLY


class Listing:
    """Blocking; any thread may call. ``most`` is the most entries of one answer."""

    def __init__(self, store: ImageStore, doors: Doors, namespaces: Namespaces, most: int) -> None:
        self._store: Final = store
        self._doors: Final = doors
        self._namespaces: Final = namespaces
        self._most: Final = most

    def images(
        self, caller: Caller, wanted: Wanted, limit: int | None, after: Cursor | None
    ) -> ImagePage:
        """Return a page of images, private ones before public ones.

        Without a ``limit`` it holds everything, up to the setting's bound. What it costs does
        not grow with what lies before it.

        Raises:
            RoleMissing: the caller may list nothing, or no such namespace is its account's.
        """
        scopes = self._scopes(caller, wanted)
        most = min(limit or self._most, self._most)
        with self._store.reading() as records:
            return _collect(records, scopes, after, most, wanted)

    def _scopes(self, caller: Caller, wanted: Wanted) -> Sequence[Scope]:
        found: dict[tuple[str, str], None] = {}
        if wanted.private:
            for name in self._doors.visible(caller, LISTS):
                found[caller.region, name] = None
        if wanted.public:
            for one in self._namespaces.active(GLOBAL, OPERATOR_ACCOUNT):
                found[GLOBAL, one.name] = None
        named = {(region, namespace_of(name)) for region, name in wanted.repositories}
        if wanted.namespace:
            of_it = {key for key in found if key[1] == wanted.namespace}
            named = named & of_it if named else of_it
            if not of_it:
                raise RoleMissing(role=Role.READER.value)
        if not named <= found.keys():
            raise RoleMissing(role=Role.READER.value)
        return [
            Scope(region, name, _repositories(wanted, region, name))
            for region, name in found
            if not (wanted.namespace or wanted.repositories) or (region, name) in named
        ]


def _repositories(wanted: Wanted, region: str, namespace: str) -> frozenset[str]:
    return frozenset(
        name
        for of_region, name in wanted.repositories
        if of_region == region and namespace_of(name) == namespace
    )


def _collect(
    records: Records, scopes: Sequence[Scope], after: Cursor | None, most: int, wanted: Wanted
) -> ImagePage:
    """Read scope after scope until the page is full; it is known then whether there is more."""
    found: list[Listed] = []
    size = 0
    for scope in _left(scopes, after):
        behind = ("", "")
        if after and _position(scope) == (after.public, after.namespace):
            behind = (after.repository, after.digest)
        while True:
            if size > LABELS_BYTES:
                return ImagePage(found, found[-1].cursor)
            wish = min(most + 1 - len(found), CHUNK)
            some = records.page(scope, behind, wish, wanted.tagged, indexes=wanted.indexes)
            found += some
            if len(found) > most:
                return ImagePage(found[:most], found[most - 1].cursor)
            size += sum(len(one.labels) + sum(map(len, one.tags)) for one in some)
            if len(some) < wish:
                break
            behind = (some[-1].repository, some[-1].digest)
    return ImagePage(found, None)


def _left(scopes: Sequence[Scope], after: Cursor | None) -> Sequence[Scope]:
    """Return the scopes that a page behind ``after`` may find something in."""
    if after is None:
        return scopes
    where = (after.public, after.namespace)
    return [one for one in scopes if _position(one) >= where]


def _position(scope: Scope) -> tuple[bool, str]:
    """Return where the scope stands among others: private ones first, then by name."""
    return scope.region == GLOBAL, scope.namespace
