"""Who may do what with which images; shared by the use cases."""

from collections.abc import Collection
from typing import Final

from wharfinger.identity.model import Caller, Role, RoleMissing
from wharfinger.images.model.names import HostForeign, ImageName
from wharfinger.images.ports import Access, Namespaces
from wharfinger.regions import GLOBAL

PULLS: Final = frozenset({Role.READER, Role.WRITER})
LISTS: Final = frozenset({Role.READER})


class Doors:
    """Blocking; any thread may call. Foreign and unknown namespaces are refused alike."""

    def __init__(self, access: Access, namespaces: Namespaces) -> None:
        self._access: Final = access
        self._namespaces: Final = namespaces

    def read(self, caller: Caller, image: ImageName, roles: Collection[Role]) -> None:
        """Let the caller pass if it has one of ``roles``, or the image is a public one.

        Raises:
            RoleMissing: it has none, or the namespace is not its account's.
        """
        if image.region == GLOBAL:
            if self._namespaces.owner(GLOBAL, image.namespace) is None:
                raise RoleMissing(role=_named(roles))
            return
        self._access.require(caller, roles, image.namespace)

    def write(self, caller: Caller, image: ImageName) -> None:
        """Let the caller pass if it may push to and delete from the image's namespace.

        Raises:
            HostForeign: the image is of another region than the one that is called.
            RoleMissing: the caller is no Writer, or the namespace is not its account's.
        """
        if image.region != caller.region:
            raise HostForeign(image=image.repository, host=image.region, own=caller.region)
        self._access.require(caller, Role.WRITER, image.namespace)

    def on_namespace(self, caller: Caller, role: Role, namespace: str) -> None:
        """Let the caller pass if it has the role on a namespace of its account.

        Raises:
            RoleMissing: it has not; foreign and unknown namespaces are refused alike.
        """
        self._access.require(caller, role, namespace)

    def visible(self, caller: Caller, roles: Collection[Role]) -> list[str]:
        """Return the active namespaces of the caller's account on which it has one of the roles.

        Raises:
            RoleMissing: it has none of them on anything.
        """
        visible = self._access.visible_namespaces(caller, roles)
        found = self._namespaces.active(caller.region, caller.account)
        return [one.name for one in found if visible.includes(one.account, one.name)]

    @staticmethod
    def one_of(visible: Collection[str], namespace: str) -> str:
        """Return ``namespace`` if it is among the visible ones.

        Raises:
            RoleMissing: it is not.
        """
        if namespace not in visible:
            raise RoleMissing(role=Role.READER.value)
        return namespace


def _named(roles: Collection[Role]) -> str:
    return " or ".join(sorted(role.value for role in roles))
