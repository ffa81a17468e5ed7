"""Image names as people type them, and as the service takes them."""

from dataclasses import dataclass
from typing import Final

from wharf.plugin_api import Context
from wharf_container_registry.refusals import ImageNameWrong, RegistryForeign

DEFAULT_TAG: Final = "latest"
_SHORT_DIGEST: Final = 12


@dataclass(frozen=True, slots=True)
class ImageName:
    """A full name: host, repository below it, and tag or digest, '' for neither."""

    host: str
    repository: str
    tag: str = ""
    digest: str = ""

    @property
    def namespace(self) -> str:
        """The first part of the repository."""
        return self.repository.partition("/")[0]

    def __str__(self) -> str:
        """Return the name as docker takes it."""
        behind = f"@{self.digest}" if self.digest else f":{self.tag}" if self.tag else ""
        return f"{self.host}/{self.repository}{behind}"


def read_name(context: Context, text: str, *, default_tag: str = DEFAULT_TAG) -> ImageName:
    """Return the image that ``text`` names; host and tag are added where it has none.

    Raises:
        ImageNameWrong: it is no image name.
        RegistryForeign: it names an image of another registry.
    """
    head, at, digest = text.partition("@")
    host, path = _host_of(context, head)
    repository, colon, tag = path.partition(":")
    if not repository or "/" not in repository or (colon and not tag) or (at and not digest):
        raise ImageNameWrong(name=text)
    if host != context.registry:
        raise RegistryForeign(host=host, registry=context.registry)
    return ImageName(host, repository, tag or ("" if digest else default_tag), digest)


def _host_of(context: Context, head: str) -> tuple[str, str]:
    first, slash, rest = head.partition("/")
    # As docker reads it: a host has a dot or a port, or is localhost.
    if slash and ("." in first or ":" in first or first == "localhost"):
        return first, rest
    return context.registry, head


def read_scope(context: Context, text: str) -> tuple[str, str]:
    """Return namespace and repository (below it, '' for all) of ``NAMESPACE[/REPOSITORY]``.

    Raises:
        ImageNameWrong, RegistryForeign: as `read_name`.
    """
    host, path = _host_of(context, text)
    if host != context.registry:
        raise RegistryForeign(host=host, registry=context.registry)
    namespace, _, repository = path.partition("/")
    if not namespace or ":" in path or "@" in path:
        raise ImageNameWrong(name=text)
    return namespace, f"{namespace}/{repository}" if repository else ""


def short_digest(digest: str) -> str:
    """Return the first digits of a digest, without its algorithm."""
    return digest.partition(":")[2][:_SHORT_DIGEST]
