"""Reading the configs of images that are pushed, for lists that come later."""

from collections import OrderedDict
from typing import Final

from wharfinger.blobstore.errors import BlobMissing, StoreUnavailable
from wharfinger.blobstore.port import BlobStore
from wharfinger.registry.model.configs import UNDATED, ConfigFacts, facts_of
from wharfinger.registry.model.descriptors import Reference
from wharfinger.registry.ports import ConfigRecords

REMEMBERED: Final = 10_000
"""Digests of configs that a process knows to be described."""


class Configs:
    """Blocking; any thread may call. ``size`` and ``labels`` bound a config and its labels, bytes.

    Costs one read of the database and one of the store for a config that is new to the process.
    """

    def __init__(self, records: ConfigRecords, store: BlobStore, size: int, labels: int) -> None:
        self._records: Final = records
        self._store: Final = store
        self._size: Final = size
        self._labels: Final = labels
        self._known: Final[OrderedDict[str, None]] = OrderedDict()

    def facts(self, config: Reference | None) -> ConfigFacts | None:
        """Return what a config says, to be written down with the manifest that has it.

        None if that was done before, or there is none to read now: `describe` makes up for it.
        """
        if config is None or config.digest in self._known:
            return None
        try:
            location = self._records.undescribed(config.digest)
            if location == "":
                self.described(config.digest)
            return self._read(config.size, location) if location else None
        except (BlobMissing, StoreUnavailable):
            return None

    def described(self, config: str) -> None:
        """Remember that the facts of the config of this digest are written down."""
        self._known[config] = None
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)

    def describe(self, after: int, limit: int) -> int:
        """Write down the facts of configs that a push could not read; return where to go on.

        Goes through ``limit`` manifests behind the key ``after``; 0 when there are no more.

        Raises:
            StoreUnavailable: the store does not answer; nothing of this batch is lost.
        """
        batch = self._records.without_facts(after, limit)
        for manifest in batch:
            try:
                facts = self._read(manifest.size, manifest.location)
            except BlobMissing:
                facts = UNDATED
            self._records.add(manifest.config, facts)
        return batch[-1].key if batch else 0

    def _read(self, size: int, location: str) -> ConfigFacts:
        if size > self._size:
            return UNDATED
        with self._store.open(location) as reader:
            content = b"".join(reader.read(0, min(reader.size, self._size)))
        return facts_of(content, self._labels)
