"""Image names as people type them (OCI distribution 1.1, Pulling manifests)."""

from dataclasses import dataclass
from typing import Final

from wharfinger_common.catalogue import client_doctor as entries
from wharfinger_common.digests import Digest, DigestInvalid
from wharfinger_common.names import NameInvalid, TagInvalid, require_repository, require_tag
from wharfinger_common.refusals import Refusal

LATEST: Final = "latest"


class ImageNameWrong(Refusal):
    """The text is no image name."""

    entry = entries.IMAGE_NAME_WRONG


@dataclass(frozen=True, slots=True)
class Reference:
    """An image: registry host, repository, and a tag, or a digest that is not ''."""

    host: str
    repository: str
    tag: str
    digest: str

    @classmethod
    def read(cls, text: str, registry: str) -> "Reference":
        """Return the image that ``text`` names; host and tag are added where it has none.

        Raises:
            ImageNameWrong: it is no image name.
        """
        head, _, digest = text.partition("@")
        first, slash, rest = head.partition("/")
        # As docker reads it: a host has a dot or a port, or is localhost.
        named = slash and ("." in first or ":" in first or first == "localhost")
        host, path = (first, rest) if named else (registry, head)
        repository, colon, tag = path.partition(":")
        if (colon and not tag) or text.endswith("@"):
            raise ImageNameWrong(name=text)
        try:
            require_repository(repository)
            require_tag(tag or LATEST)
            if digest:
                Digest.parse(digest)
        except (NameInvalid, TagInvalid, DigestInvalid) as error:
            raise ImageNameWrong(name=text) from error
        return cls(host, repository, tag or LATEST, digest)

    @property
    def namespace(self) -> str:
        """The first part of the repository."""
        return self.repository.partition("/")[0]

    @property
    def target(self) -> str:
        """Digest, or else tag: what a manifest is asked for by."""
        return self.digest or self.tag
