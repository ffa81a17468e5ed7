"""Reading an object: as it arrives, never a byte less than it has."""

import random
import time
from collections.abc import Callable, Iterator
from typing import Any, Final, Self

from wharfinger.blobstore.errors import BlobMissing
from wharfinger.blobstore.object_store.client import (
    Client,
    Download,
    ObjectMissing,
    RangeBeyond,
    unavailable,
)
from wharfinger.blobstore.port import CHUNK

_ATTEMPTS: Final = 5
_FIRST_WAIT: Final = 0.1
_LONGEST_WAIT: Final = 5.0


class Truncated(Exception):
    """The store sent less than it announced."""


class ObjectReader:
    """The `BlobReader` port over a download that goes on where it broke off."""

    def __init__(
        self,
        client: Client,
        key: str,
        free: Callable[[], None] = lambda: None,
        first: int = 0,
        length: int | None = None,
    ) -> None:
        self._client: Final = client
        self._key: Final = key
        self._free: Final = free
        self._body: Any = None
        self._at = first
        self._end = 0
        self._etag = ""
        self._size = self._begin(first, length)

    @property
    def size(self) -> int:
        """The bytes of the blob; see the port."""
        return self._size

    @property
    def seal(self) -> str:
        """The object's entity tag; see the port."""
        return self._etag

    def read(self, offset: int, length: int) -> Iterator[bytes]:
        """Yield the bytes; see the port.

        Raises:
            StoreUnavailable: the store failed again and again; bytes yielded so far are right.
        """
        end = min(offset + length, self._size)
        failures = 0
        while offset < end:
            try:
                piece = self._piece(offset, end)
            except Truncated as error:
                failures += 1
                self._drop()
                if failures >= _ATTEMPTS:
                    raise unavailable("GetObject", error) from error
                _wait(failures)
                continue
            failures = 0
            offset += len(piece)
            yield piece

    def close(self) -> None:
        """Give up the connection; see the port."""
        self._drop()
        self._free()

    def __enter__(self) -> Self:
        """Return the reader."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the reader."""
        self.close()

    def _begin(self, first: int, length: int | None) -> int:
        try:
            return self._opened(self._client.get(self._key, first, length), first, length)
        except RangeBeyond:
            size, self._etag = self._client.look(self._key)
            return size
        except ObjectMissing:
            raise BlobMissing(self._key) from None

    def _opened(self, download: Download, first: int, length: int | None) -> int:
        self._body, self._etag = download.body, download.etag
        self._at = first
        self._end = min(download.total, download.total if not length else first + length)
        return download.total

    def _piece(self, offset: int, end: int) -> bytes:
        """Return the next bytes from ``offset`` on."""
        from botocore.exceptions import BotoCoreError
        from urllib3.exceptions import HTTPError

        if self._body is None or self._at != offset or self._end < end:
            self._again(offset, end)
        try:
            piece: bytes = self._body.read(min(CHUNK, end - offset))
        except (BotoCoreError, HTTPError, OSError, ValueError) as error:
            raise Truncated(repr(error)) from error
        if not piece:
            raise Truncated(f"the answer ended at byte {offset} of {self._size}")
        self._at += len(piece)
        return piece

    def _again(self, offset: int, end: int) -> None:
        self._drop()
        try:
            download = self._client.get(self._key, offset, end - offset, self._etag)
        except (ObjectMissing, RangeBeyond) as error:
            raise unavailable("GetObject", error) from error
        self._opened(download, offset, end - offset)

    def _drop(self) -> None:
        """Close the answer: whole, its connection is kept; broken off, it is closed."""
        body, self._body = self._body, None
        if body is not None:
            body.close()


def _wait(failures: int) -> None:
    longest = min(_LONGEST_WAIT, _FIRST_WAIT * 2**failures)
    time.sleep(random.uniform(0, longest))  # noqa: S311 - spreads load, hides nothing
