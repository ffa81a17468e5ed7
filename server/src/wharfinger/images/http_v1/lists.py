"""Lists of images and of digests."""

from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Body, Query, Request, Response

from wharfinger.images.http_v1 import views
from wharfinger.images.http_v1.names import REPOSITORY, Names, NamespaceQuery
from wharfinger.images.http_v1.pages import Limit, Next, answer, cursor_of
from wharfinger.images.model.listing import Listed, Tagged, type_name
from wharfinger.images.model.names import Hosts
from wharfinger.images.service.listing import Listing, Wanted
from wharfinger.web.context import Web
from wharfinger.web.control_route import caller_of

UNSCANNED: Final = "unscanned"
"""What is known of vulnerabilities while nothing looks for them."""

Repositories = Annotated[
    list[Annotated[str, Query(json_schema_extra=REPOSITORY)]],
    Query(max_length=64, description="only of these repositories; may be given again"),
]


class Lists:
    """``GET /images`` and ``POST /images/digests``."""

    def __init__(self, listing: Listing, web: Web, names: Names) -> None:
        self._listing: Final = listing
        self._run: Final = web.threads.run
        self._names: Final = names

    def mount(self, api: APIRouter) -> None:
        """Register the routes."""
        api.add_api_route(
            "/images",
            self.images,
            methods=["GET"],
            operation_id="list_images",
            response_model=list[views.ImageView],
            response_model_exclude_none=True,
        )
        api.add_api_route(
            "/images/digests",
            self.digests,
            methods=["POST"],
            operation_id="list_image_digests",
            response_model=list[views.DigestView],
        )

    async def images(
        self,
        request: Request,
        *,
        namespace: NamespaceQuery = "",
        repository: Repositories = [],  # noqa: B006 - the framework copies it
        includeIBM: bool = False,  # noqa: N803 - the parameter's name
        includePrivate: bool = True,  # noqa: N803 - as above
        includeManifestLists: bool = False,  # noqa: N803 - as above
        vulnerabilities: bool = False,
        limit: Limit = None,
        next: Next = "",
    ) -> Response:
        """List the tagged images of the account's namespaces (Reader)."""
        hosts = self._names.hosts(request)
        wanted = Wanted(
            namespace=namespace,
            repositories=[hosts.repository(text) for text in repository],
            private=includePrivate,
            public=includeIBM,
            indexes=includeManifestLists,
        )
        page = await self._run(
            self._listing.images, caller_of(request), wanted, limit, cursor_of(next)
        )
        return await self._run(
            lambda: answer(
                request,
                [image_view(one, hosts, assessed=vulnerabilities) for one in page.images],
                page.next,
            )
        )

    async def digests(
        self,
        request: Request,
        *,
        body: Annotated[views.DigestFilter | None, Body()] = None,
        limit: Limit = None,
        next: Next = "",
    ) -> Response:
        """List manifests by digest, also untagged ones and manifest lists (Reader).

        In pages, a manifest of several repositories may come again in a later one.
        """
        hosts = self._names.hosts(request)
        asked = body or views.DigestFilter.model_validate({})
        wanted = Wanted(
            repositories=[hosts.repository(text) for text in asked.repositories],
            public=asked.include_ibm,
            indexes=True,
            tagged=Tagged.NONE if asked.exclude_tagged else Tagged.ANY,
        )
        page = await self._run(
            self._listing.images, caller_of(request), wanted, limit, cursor_of(next)
        )
        return await self._run(
            lambda: answer(
                request, digest_views(page.images, hosts, assessed=not asked.exclude_va), page.next
            )
        )


def image_view(one: Listed, hosts: Hosts, *, assessed: bool) -> dict[str, Any]:
    """Return the entry of an image in the list of images."""
    tags = [hosts.tagged(one.region, one.repository, tag) for tag in one.tags]
    view = {
        "Id": one.config or one.digest,
        "ParentId": one.parent,
        "DigestTags": {one.digest: tags},
        "RepoTags": tags,
        "RepoDigests": [hosts.digested(one.region, one.repository, one.digest)],
        "Created": one.created or 0,
        "Size": one.size,
        "VirtualSize": one.size,
        "Labels": msgspec.Raw(one.labels.encode()),
        "ManifestType": type_name(one.media_type),
    }
    return view | {"Vulnerable": UNSCANNED} if assessed else view


def digest_views(images: Any, hosts: Hosts, *, assessed: bool) -> list[dict[str, Any]]:
    """Return the entries of the list of digests: one a manifest, whatever repositories have it."""
    found: dict[str, dict[str, Any]] = {}
    assessment = {"vulnerable": UNSCANNED} if assessed else {}
    for one in images:
        view = found.setdefault(
            one.digest,
            {
                "id": one.digest,
                "created": one.created or 0,
                "manifestType": type_name(one.media_type),
                "size": one.size,
                "repoTags": {},
            },
        )
        repository = hosts.full(one.region, one.repository)
        view["repoTags"][repository] = dict.fromkeys(one.tags, assessment)
    return list(found.values())
