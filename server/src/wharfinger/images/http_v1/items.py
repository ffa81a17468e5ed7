"""One image: inspection, manifest, deletion, tags; and the deletion of several."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Query, Request, Response
from pydantic import Field

from wharfinger.identity.model import Caller
from wharfinger.images.http_v1 import views
from wharfinger.images.http_v1.names import (
    IMAGE,
    TAGGED,
    ImagePath,
    Names,
    TaggedPath,
    full_name,
)
from wharfinger.images.model.names import MAX_NAME, Hosts, ImageNameInvalid
from wharfinger.images.service.inspecting import Inspecting
from wharfinger.images.service.removing import Removing
from wharfinger.images.service.tagging import Tagging
from wharfinger.registry.model.manifests import ManifestReferenced
from wharfinger.web.context import Web
from wharfinger.web.control_route import caller_of
from wharfinger.web.errors import language_of, told_in_part
from wharfinger_common.languages import Language, Text
from wharfinger_common.refusals import Refusal

Reference = Annotated[str, Field(max_length=MAX_NAME, pattern="^[^\\x00]*$")]
From = Annotated[
    str,
    Query(
        max_length=MAX_NAME,
        description="image that is there, by tag or digest",
        json_schema_extra=IMAGE,
    ),
]
To = Annotated[str, Query(max_length=MAX_NAME, description="its new tag", json_schema_extra=TAGGED)]


class Items:
    """The routes below ``/images/{image}`` and ``/tags/{image}``, and those of several images."""

    def __init__(
        self,
        inspecting: Inspecting,
        removing: Removing,
        tagging: Tagging,
        web: Web,
        names: Names,
    ) -> None:
        self._inspecting: Final = inspecting
        self._removing: Final = removing
        self._tagging: Final = tagging
        self._web: Final = web
        self._run: Final = web.threads.run
        self._names: Final = names

    def mount(self, api: APIRouter) -> None:
        """Register the routes; fixed paths before those that a variable would take."""
        most = self._web.settings.bulk_images

        async def delete_several(
            request: Request, images: Annotated[list[Reference], Body(max_length=most)]
        ) -> views.BulkDeletion:
            """Delete several images by digest (Writer); tells of each what became of it."""
            language = language_of(request)
            hosts = self._names.hosts(request)
            return await self._run(self._delete, caller_of(request), images, hosts, language)

        api.add_api_route(
            "/images/bulkdelete",
            delete_several,
            methods=["POST"],
            operation_id="bulk_delete_images",
        )
        api.add_api_route(
            "/images/tags",
            self.tag,
            methods=["POST"],
            operation_id="tag_image",
            status_code=201,
            response_class=Response,
        )
        api.add_api_route(
            "/images/{image:path}/json",
            self.inspect,
            methods=["GET"],
            operation_id="inspect_image",
            response_model=views.Inspection,
        )
        api.add_api_route(
            "/images/{image:path}/manifest",
            self.manifest,
            methods=["GET"],
            operation_id="get_image_manifest",
            response_model=dict[str, Any],
        )
        api.add_api_route(
            "/images/{image:path}", self.delete, methods=["DELETE"], operation_id="delete_image"
        )
        api.add_api_route(
            "/tags/{image:path}", self.untag, methods=["DELETE"], operation_id="delete_image_tag"
        )

    async def inspect(self, request: Request, image: ImagePath) -> dict[str, Any]:
        """Inspect an image (Reader)."""
        found, shown = self._names.image(request, image)
        return await self._run(self._inspecting.inspect, caller_of(request), found, shown)

    async def manifest(self, request: Request, image: ImagePath) -> Response:
        """Show the manifest of an image, byte for byte (Reader or Writer)."""
        found, shown = self._names.image(request, image)
        content = await self._run(self._inspecting.manifest, caller_of(request), found, shown)
        return Response(content, media_type="application/json")

    async def delete(self, request: Request, image: ImagePath) -> views.Untagged:
        """Delete an image with all its tags in the repository (Writer)."""
        found, shown = self._names.image(request, image)
        gone = await self._run(self._removing.delete, caller_of(request), found, shown)
        return views.Untagged(Untagged=gone)

    async def untag(self, request: Request, image: TaggedPath) -> views.Untagged:
        """Take a tag away; the image stays, by its digest (Writer)."""
        found, shown = self._names.image(request, image, default_tag="")
        if not found.tag:
            raise ImageNameInvalid(image=shown, reason=Text("it has no tag"))
        await self._run(self._removing.untag, caller_of(request), found, shown)
        return views.Untagged(Untagged=shown)

    async def tag(self, request: Request, fromimage: From, toimage: To) -> Response:
        """Give an image another tag, also in another repository (Writer there)."""
        source, source_name = self._names.image(request, fromimage)
        target, target_name = self._names.image(request, toimage)
        if not target.tag:
            raise ImageNameInvalid(image=target_name, reason=Text("it has no tag"))
        shown = (source_name, target_name)
        await self._run(self._tagging.tag, caller_of(request), source, target, shown)
        return Response(status_code=201)

    def _delete(
        self, caller: Caller, images: list[str], hosts: Hosts, language: Language
    ) -> views.BulkDeletion:
        named = list(dict.fromkeys(images))
        refusals: dict[str, Refusal | None] = {}
        waiting = named
        while waiting:
            found = {text: self._refusal(caller, text, hosts) for text in waiting}
            refusals |= found
            # What an index listed can go once that index has, in whatever order they are named.
            held = [text for text, one in found.items() if isinstance(one, ManifestReferenced)]
            waiting = held if None in found.values() else []
        error = {
            text: views.PartView(**told_in_part(one, language))
            for text, one in refusals.items()
            if one is not None
        }
        return views.BulkDeletion(success=[one for one in named if one not in error], error=error)

    def _refusal(self, caller: Caller, text: str, hosts: Hosts) -> Refusal | None:
        """Delete an image; return why it could not be.

        Raises:
            Refusal: what would fail for all others too.
        """
        try:
            image = hosts.image(text, default_tag="")
            if not image.digest:
                raise ImageNameInvalid(image=text, reason=Text("it has no digest"))
            self._removing.delete(caller, image, full_name(hosts, image))
        except Refusal as refusal:
            if refusal.entry.status >= 500:
                raise
            return refusal
        return None
