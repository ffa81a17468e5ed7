"""Image names as callers write them: with or without a host, with a tag, a digest, or neither.

Control API, section 4: both forms are accepted, hosts of other registries refused, and answers
always begin with the host.
"""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct, field

from wharfinger.registry.model.repositories import Place
from wharfinger_common.catalogue import images as entries
from wharfinger_common.digests import Digest
from wharfinger_common.languages import Text
from wharfinger_common.names import namespace_of, require_repository, require_tag
from wharfinger_common.refusals import Refusal

LATEST: Final = "latest"
MAX_NAME: Final = 700
"""Characters: a host, a repository of 255, a tag of 128, a sha512 digest."""

_SHOWN: Final = 200


class ImageNameInvalid(Refusal):
    """The text names no image, or not in the form that the call needs."""

    entry = entries.IMAGE_NAME_INVALID


class HostForeign(Refusal):
    """The image's host is another registry's, or another region's."""

    entry = entries.HOST_FOREIGN


class ImageName(Struct, frozen=True):
    """An image in a region, by tag or by digest: one of the two is ''."""

    region: str
    repository: str
    tag: str = ""
    digest: str = ""

    @property
    def place(self) -> Place:
        """The repository."""
        return Place(self.region, self.repository)

    @property
    def namespace(self) -> str:
        """The repository's namespace."""
        return namespace_of(self.repository)

    @property
    def reference(self) -> str:
        """The tag or digest, as the registry takes it."""
        return self.digest or self.tag


class Hosts(Struct, frozen=True):
    """How a request and its answer name images: the hosts that are known, and whose they are.

    ``known`` maps hosts in lower case to regions; ``preferred`` maps a region to the host that
    answers begin with.
    """

    region: str
    preferred: Mapping[str, str]
    known: Mapping[str, str] = field(default_factory=dict)

    def full(self, region: str, repository: str) -> str:
        """Return the repository's name with its host."""
        return f"{self.preferred.get(region, self.preferred[self.region])}/{repository}"

    def tagged(self, region: str, repository: str, tag: str) -> str:
        """Return the full name of a tag."""
        return f"{self.full(region, repository)}:{tag}"

    def digested(self, region: str, repository: str, digest: str) -> str:
        """Return the full name of a digest."""
        return f"{self.full(region, repository)}@{digest}"

    def image(self, text: str, default_tag: str = LATEST) -> ImageName:
        """Return the image that ``text`` names; where both stand, the digest counts.

        Raises:
            ImageNameInvalid: it names none, or has neither tag nor digest and there is no default.
            HostForeign: its host is none of ours.
            NameInvalid, TagInvalid, DigestInvalid: a part of it breaks its grammar.
        """
        rest, at, digest = text[: MAX_NAME + 1].partition("@")
        # A colon behind the last slash begins a tag, one before it a port.
        path, slash, last = rest.rpartition("/")
        name, colon, tag = last.partition(":")
        region, repository = self._split(path + slash + name, text)
        if at:
            return ImageName(region, repository, digest=str(Digest.parse(digest)))
        if not colon and not default_tag:
            raise ImageNameInvalid(
                image=text[:_SHOWN], reason=Text("it has neither tag nor digest")
            )
        return ImageName(region, repository, require_tag(tag) if colon else default_tag)

    def repository(self, text: str) -> tuple[str, str]:
        """Return region and name of the repository that ``text`` names, with or without host.

        Raises:
            ImageNameInvalid, HostForeign, NameInvalid: as `image`.
        """
        return self._split(text[: MAX_NAME + 1], text)

    def _split(self, name: str, text: str) -> tuple[str, str]:
        if len(text) > MAX_NAME:
            raise ImageNameInvalid(image=text[:_SHOWN], reason=Text("it is too long"))
        host, slash, rest = name.partition("/")
        known = self.known.get(host.lower())
        # One component is no image: a namespace may be called as a host is.
        if slash and known is not None and "/" in rest:
            return known, require_repository(rest)
        if "." in host or ":" in host:
            if known is None:
                own = self.preferred[self.region]
                raise HostForeign(image=text[:_SHOWN], host=host[:_SHOWN], own=own)
            raise ImageNameInvalid(image=text[:_SHOWN], reason=Text("it has no namespace"))
        return self.region, require_repository(name)
