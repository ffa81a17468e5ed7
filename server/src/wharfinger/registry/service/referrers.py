"""The use case of referrers.

Every manifest with a subject that was ever pushed here is in the list: the service had the API
from its first day. So an index under a tag of the referrers tag schema (``sha256-<hex>``), which
clients keep for registries without the API, is an ordinary tag of an ordinary index, and what it
lists that has a subject is in the list by itself (OCI distribution 1.1, Enabling the Referrers
API).
"""

from typing import Final

from wharfinger.registry.model.descriptors import is_digest
from wharfinger.registry.model.paging import page_of_referrers
from wharfinger.registry.model.referrers import ReferrersPage
from wharfinger.registry.model.repositories import Place
from wharfinger.registry.ports import Namespaces, ReferrerLists
from wharfinger_common.digests import DigestInvalid
from wharfinger_common.names import namespace_of, require_repository

_SHOWN: Final = 200


class Referrers:
    """Blocking; any thread may call.

    A page has at most ``maximum`` entries and about ``size`` bytes, so that clients that take an
    index of limited size can read it.
    """

    def __init__(
        self, lists: ReferrerLists, namespaces: Namespaces, maximum: int, size: int
    ) -> None:
        self._lists: Final = lists
        self._namespaces: Final = namespaces
        self._maximum: Final = maximum
        self._size: Final = size

    def list(
        self, place: Place, subject: str, artifact_type: str, n: str, last: str
    ) -> ReferrersPage:
        """Return a page of what refers to ``subject``, whether that is here or not.

        OCI distribution 1.1, Listing Referrers: an unknown subject or repository has an empty
        list, never a 404. ``artifact_type`` '' asks for all.

        Raises:
            NameInvalid, DigestInvalid: a name breaks its grammar.
            PageInvalid: ``n`` or ``last`` is not allowed.
            NamespaceUnknown: the namespace does not exist, or is being deleted.
        """
        namespace = namespace_of(require_repository(place.repository))
        if not is_digest(subject):
            raise DigestInvalid(digest=subject[:_SHOWN])
        page = page_of_referrers(n, last, self._maximum)
        self._namespaces.require(place.region, namespace)
        return self._lists.referrers(place, subject, artifact_type, page, self._size)
