"""One image in detail, in the words of docker's inspection (control API, Shapes)."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from wharfinger.registry.model.manifests import INDEXES
from wharfinger_common.catalogue import images as entries
from wharfinger_common.refusals import Refusal

CONFIGS: Final = frozenset(
    {
        "application/vnd.oci.image.config.v1+json",
        "application/vnd.docker.container.image.v1+json",
    }
)
_TEXTS: Final = {
    "Parent": "parent",
    "Comment": "comment",
    "Created": "created",
    "Container": "container",
    "DockerVersion": "docker_version",
    "Author": "author",
    "Architecture": "architecture",
    "Os": "os",
    "OsVersion": "os.version",
}


class ImageUnknown(Refusal):
    """The repository has no such image."""

    entry = entries.IMAGE_UNKNOWN


class NotAnImage(Refusal):
    """The manifest has no config that an inspection could show."""

    entry = entries.NOT_AN_IMAGE


class _Descriptor(msgspec.Struct, rename="camel"):
    media_type: str = ""


class _Manifest(msgspec.Struct):
    config: _Descriptor | None = None


class Stored(Struct, frozen=True):
    """A manifest and where its config's bytes lie ('' where it has none here); sizes in bytes."""

    digest: str
    media_type: str
    content: bytes
    layers_size: int
    config: str
    config_size: int
    config_location: str

    def require_config(self, image: str) -> None:
        """Let the manifest pass if its config is one of an image.

        Raises:
            NotAnImage: it is an index, or an artifact of another kind.
        """
        if self.media_type in INDEXES or not self.config_location:
            raise NotAnImage(image=image, type=self.media_type)
        try:
            manifest = msgspec.json.decode(self.content, type=_Manifest)
        except msgspec.MsgspecError:
            manifest = _Manifest()
        kind = manifest.config.media_type if manifest.config else self.media_type
        if kind not in CONFIGS:
            raise NotAnImage(image=image, type=kind)


def inspection(stored: Stored, content: bytes, image: str) -> dict[str, Any]:
    """Return docker's inspection of an image from its config ``content``.

    Fields of a wrong type are left as if they were missing: a config is anybody's JSON.

    Raises:
        NotAnImage: the config is no JSON object.
    """
    try:
        config = msgspec.json.decode(content, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise NotAnImage(image=image, type=stored.media_type) from None
    texts = {name: _text(config.get(key)) for name, key in _TEXTS.items()}
    return {
        "Id": stored.config,
        **texts,
        "ContainerConfig": _object(config.get("container_config")),
        "Config": _object(config.get("config")),
        "Size": stored.layers_size,
        "VirtualSize": stored.layers_size,
        "RootFS": _root(config.get("rootfs")),
        "ManifestType": stored.media_type,
    }


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _root(value: object) -> dict[str, Any]:
    root = _object(value)
    layers = root.get("diff_ids")
    found = layers if isinstance(layers, list) else []
    return {
        "Type": _text(root.get("type")),
        "Layers": [layer for layer in found if isinstance(layer, str)],
        "BaseLayer": _text(root.get("base_layer")),
    }
