"""The trash over HTTP."""

from typing import Final

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from wharfinger.images.http_v1.names import DigestedPath, ImagePath, Names, NamespaceQuery
from wharfinger.images.http_v1.pages import Limit, Next, answer, cursor_of
from wharfinger.images.model.names import ImageNameInvalid
from wharfinger.images.service.trash import Trash
from wharfinger.web.context import Web
from wharfinger.web.control_route import caller_of
from wharfinger_common.languages import Text


class TrashedView(BaseModel):
    """An image in the trash."""

    daysUntilExpiry: int = Field(description="days that it stays, rounded up")  # noqa: N815 - the API's name
    tags: list[str] = Field(description="tags that it had, without the repository")


class RestoredView(BaseModel):
    """What became of the tags of a restored image."""

    successful: list[str]
    unsuccessful: list[str] = Field(description="tags that another image has by now")


class TrashRoutes:
    """``/trash`` and below."""

    def __init__(self, trash: Trash, web: Web, names: Names) -> None:
        self._trash: Final = trash
        self._run: Final = web.threads.run
        self._names: Final = names

    def mount(self, api: APIRouter) -> None:
        """Register the routes."""
        api.add_api_route(
            "/trash",
            self.list,
            methods=["GET"],
            operation_id="list_deleted_images",
            response_model=dict[str, TrashedView],
        )
        api.add_api_route(
            "/trash/{image:path}/restoretags",
            self.restore_tags,
            methods=["POST"],
            operation_id="restore_tags",
        )
        api.add_api_route(
            "/trash/{image:path}/restore",
            self.restore,
            methods=["POST"],
            operation_id="restore_image",
            response_class=Response,
        )

    async def list(
        self,
        request: Request,
        *,
        namespace: NamespaceQuery = "",
        limit: Limit = None,
        next: Next = "",
    ) -> Response:
        """List deleted images that can be restored (Reader or Writer)."""
        after = cursor_of(next)
        behind = (after.repository, after.digest) if after else ("", "")
        page = await self._run(self._trash.list, caller_of(request), namespace, limit, behind)
        hosts = self._names.hosts(request)
        content = {
            hosts.digested(hosts.region, one.repository, one.digest): {
                "daysUntilExpiry": days,
                "tags": one.tags,
            }
            for one, days in page.entries
        }
        last = page.entries[-1][0] if page.more else None
        return answer(request, content, last.cursor if last else None)

    async def restore_tags(self, request: Request, image: DigestedPath) -> RestoredView:
        """Restore an image by digest, with all its tags that are free (Writer)."""
        found, shown = self._names.image(request, image, default_tag="")
        if not found.digest:
            raise ImageNameInvalid(image=shown, reason=Text("it has no digest"))
        done = await self._run(self._trash.restore_tags, caller_of(request), found, shown)
        return RestoredView(successful=list(done.successful), unsuccessful=list(done.unsuccessful))

    async def restore(self, request: Request, image: ImagePath) -> Response:
        """Restore an image by tag, with that tag alone, or by digest (Writer)."""
        found, shown = self._names.image(request, image)
        await self._run(self._trash.restore, caller_of(request), found, shown)
        return Response(status_code=200)
