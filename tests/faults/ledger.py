"""What the server has acknowledged, and what therefore has to be there afterwards."""

from __future__ import annotations

import collections
import json
import random
import threading
from dataclasses import dataclass, field
from hashlib import sha256

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"


def digest_of(content: bytes) -> str:
    return f"sha256:{sha256(content).hexdigest()}"


@dataclass(frozen=True)
class Image:
    """A manifest and its blobs; the first blob is the config."""

    tag: str
    blobs: tuple[bytes, ...]

    @property
    def manifest(self) -> bytes:
        config, *layers = (
            {"mediaType": LAYER, "digest": digest_of(blob), "size": len(blob)}
            for blob in self.blobs
        )
        document = {"schemaVersion": 2, "mediaType": MANIFEST, "layers": layers}
        return json.dumps(document | {"config": config | {"mediaType": CONFIG}}).encode()

    @property
    def digest(self) -> str:
        return digest_of(self.manifest)


class Layers:
    """A few layers that many images share, so that one's garbage is another's content."""

    def __init__(self, seed: int, count: int = 6, size: int = 60_000) -> None:
        source = random.Random(seed)
        self._layers = [source.randbytes(source.randint(1, size)) for _ in range(count)]

    def image(self, source: random.Random, tag: str) -> Image:
        """A new image: a config and a layer of its own, and one that others may have."""
        own = source.randbytes(source.randint(1, 20_000))
        config = json.dumps({"architecture": "amd64", "own": source.random()}).encode()
        return Image(tag, (config, own, source.choice(self._layers)))


@dataclass
class Repository:
    """What the server said it has in one repository; only one client changes it."""

    name: str
    images: dict[str, Image] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    untagged: set[str] = field(default_factory=set)
    unlinked: set[str] = field(default_factory=set)

    def pushed(self, image: Image, tag: str) -> None:
        self.images[image.digest] = image
        self.tags[tag] = image.digest
        self.untagged.discard(tag)

    def deleted(self, digest: str) -> None:
        del self.images[digest]
        self.removed.add(digest)
        self.tags = {tag: found for tag, found in self.tags.items() if found != digest}

    def tag_deleted(self, tag: str) -> None:
        del self.tags[tag]
        self.untagged.add(tag)


class Tally:
    """Counts what happened, for the report; any thread."""

    def __init__(self) -> None:
        self._counts: collections.Counter[str] = collections.Counter()
        self._lock = threading.Lock()

    def add(self, what: str, count: int = 1) -> None:
        with self._lock:
            self._counts[what] += count

    def __getitem__(self, what: str) -> int:
        return self._counts[what]

    def told(self) -> dict[str, int]:
        with self._lock:
            return dict(sorted(self._counts.items()))
