"""Writing an upload: as parts of a multipart upload, its tail as an object of its own.

An object store takes parts of 5 MiB and more, save the last one. What is acknowledged beyond the
last whole part is therefore an object by itself, until enough follows for a part, or the upload
ends. An upload that ends before its first part becomes a plain object; where all of it is one
tail, that tail is the blob.
"""

from collections.abc import Iterator
from concurrent.futures import Executor, Future
from contextlib import suppress
from typing import Final, NoReturn, Protocol, Self

from msgspec.structs import replace

from wharfinger.blobstore.errors import BlobMissing, StoreUnavailable, UploadShort
from wharfinger.blobstore.object_store.client import Client, MultipartBroken, ObjectMissing
from wharfinger.blobstore.object_store.keys import key_of, new_location
from wharfinger.blobstore.object_store.reader import ObjectReader
from wharfinger.blobstore.object_store.state import Piece, State, part_bytes, without
from wharfinger.blobstore.port import CHUNK, Placed, Standing
from wharfinger_common.digests import Digest

_TAILS: Final = 16
"""Tails that an upload may have; with one more they are joined."""


class Depot(Protocol):
    """What a writer needs of its store."""

    @property
    def client(self) -> Client:
        """The requests to the store."""

    @property
    def pool(self) -> Executor:
        """Runs what sends the parts."""

    @property
    def first_part(self) -> int:
        """The bytes of an upload's first part."""

    @property
    def largest_blob(self) -> int:
        """The bytes that an upload may have in all."""

    def remove(self, state: State) -> None:
        """Remove from the store what ``state`` names."""


class ObjectWriter:
    """The `UploadWriter` port. One part is on its way while the next one is collected.

    ``_state`` is replaced as a whole, in whichever thread, once the store has what it names.
    """

    def __init__(self, depot: Depot, upload: str, state: State) -> None:
        self._depot: Final = depot
        self._client: Final = depot.client
        self._upload: Final = upload
        self._opened: Final = state
        self._state = state
        self._size = state.size
        self._buffer = bytearray()
        self._flight: Future[None] | None = None
        self._failure: BaseException | None = None
        self._etag = ""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Append ``data``; see the port. After a failure nothing more can be written."""
        self._require_sound()
        rest = memoryview(data)
        try:
            while rest:
                rest = self._fill(rest)
        except BaseException as error:
            self._failure = error
            raise

    def tell(self) -> int:
        """Return the bytes of the upload; see the port."""
        return self._size

    def standing(self) -> Standing:
        """Return from where to go on; see the port."""
        state = self._state
        return Standing(state.size, state.encoded())

    def save(self) -> None:
        """Store the tail; see the port."""
        self._land()
        self._clean()
        if not self._buffer:
            return
        state, content = self._state, self._buffer
        if len(state.tails) >= _TAILS:
            content, state = self._loose(), replace(state, tails=(), stale=state.objects)
        location, etag = self._put(content)
        tail = Piece(location, len(content), etag)
        self._state = replace(state, tails=(*state.tails, tail))
        self._buffer = bytearray()

    def revert(self) -> None:
        """Give up what was written since; see the port."""
        with suppress(Exception):
            self._flown()
        made, self._state = self._state, self._opened
        self._size, self._buffer = self._opened.size, bytearray()
        # Not what was committed: it may have its row, where a database did not answer in time.
        with suppress(StoreUnavailable):
            self._depot.remove(without(made, self._opened))

    def read(self) -> Iterator[bytes]:
        """Yield all bytes; see the port. Parts can only be read as an object, so they become it."""
        self._land()
        if self._state.multipart:
            self._seal()
            yield from self._stored(Piece(self._state.location, self._size))
            return
        for tail in self._state.tails:
            yield from self._stored(tail)
        for start in range(0, len(self._buffer), CHUNK):
            yield bytes(self._buffer[start : start + CHUNK])

    def commit(self, digest: Digest) -> Placed:
        """Make it a blob; see the port. The object's key does not depend on the digest."""
        del digest
        self._land()
        if self._state.multipart:
            self._seal()
            placed, stale = Placed(self._state.location, self._etag), self._state.objects
        else:
            placed, stale = self._whole()
        self._state = State(stale=stale)
        self.close()
        return placed

    def close(self) -> None:
        """Forget what is in memory; see the port."""
        self._buffer = bytearray()

    def __enter__(self) -> Self:
        """Return the writer."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the writer."""
        self.close()

    # --- Parts ---------------------------------------------------------------------------------

    def _fill(self, rest: memoryview) -> memoryview:
        """Take what the next part has room for, send it if it is full, return what is left."""
        # The part on its way holds all tails that there were.
        tails = self._state.tails if self._flight is None else ()
        number = len(self._state.parts) + 1 + (self._flight is not None)
        size = part_bytes(number, self._depot.first_part, self._depot.largest_blob)
        room = max(1, size - len(self._buffer) - sum(tail.size for tail in tails))
        taken = rest[:room]
        self._buffer += taken
        self._size += len(taken)
        if len(taken) == room:
            self._ship()
        return rest[len(taken) :]

    def _ship(self) -> None:
        """Send tails and buffer as the next part; it is under way when this returns."""
        self._land()
        body = self._loose()
        if not self._state.multipart:
            location = new_location(self._upload)
            multipart = self._client.begin(key_of(location))
            self._state = replace(self._state, location=location, multipart=multipart)
        self._buffer = bytearray()
        self._flight = self._depot.pool.submit(self._send, self._state, body)

    def _send(self, state: State, body: bytearray) -> None:
        number = len(state.parts) + 1
        etag = self._client.part(key_of(state.location), state.multipart, number, body)
        parts = (*state.parts, Piece(etag, len(body)))
        self._state = replace(state, parts=parts, tails=(), stale=state.objects)

    def _flown(self) -> None:
        """Wait for the part on its way and raise what went wrong."""
        flight, self._flight = self._flight, None
        if flight is not None:
            flight.result()

    def _land(self) -> None:
        """Do as `_flown`; once a part failed, nothing more can follow."""
        self._require_sound()
        try:
            self._flown()
        except MultipartBroken:
            self._lose()
        except BaseException as error:
            self._failure = error
            raise

    def _require_sound(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _seal(self) -> None:
        """Complete the multipart upload. Nobody sees the object before a row names it."""
        if self._etag:
            return
        try:
            if self._buffer or self._state.tails:
                self._ship()
                self._flown()
        except MultipartBroken:
            # A former holder may have completed it and died. The object is what this writer
            # would make of it only if it has nothing to add.
            if self._size != self._opened.size:
                self._lose()
            self._etag = self._completed()
        else:
            self._etag = self._complete()
        self._state = replace(self._state, sealed=True)

    def _complete(self) -> str:
        state = self._state
        etags = [part.name for part in state.parts]
        try:
            return self._client.complete(key_of(state.location), state.multipart, etags)
        except MultipartBroken:
            # Where its answer was lost on the way, the store knows of no upload when asked again.
            return self._completed()

    def _completed(self) -> str:
        """Return the entity tag of the object that the upload has become, or raise UploadShort."""
        try:
            size, etag = self._client.look(key_of(self._state.location))
        except ObjectMissing:
            self._lose()
        if size != self._size:
            self._lose()
        return etag

    def _lose(self) -> NoReturn:
        """Raise UploadShort: what stood before is not there any more."""
        lost, self._state = self._state, State()
        self._failure = UploadShort(0)
        with suppress(StoreUnavailable):
            self._depot.remove(lost)
        raise self._failure

    # --- Objects -------------------------------------------------------------------------------

    def _whole(self) -> tuple[Placed, tuple[str, ...]]:
        """Store an upload without parts; return where, and the locations left to be removed."""
        tails, stale = self._state.tails, self._state.stale
        if len(tails) == 1 and not self._buffer:
            return Placed(tails[0].name, tails[0].etag), stale
        return self._put(self._loose()), self._state.objects

    def _put(self, content: bytearray) -> Placed:
        location = new_location(self._upload)
        return Placed(location, self._client.put(key_of(location), content))

    def _loose(self) -> bytearray:
        """Return the bytes that no part holds; no part may be on its way."""
        if not self._state.tails:
            return self._buffer
        content = bytearray()
        for tail in self._state.tails:
            for piece in self._stored(tail):
                content += piece
        content += self._buffer
        return content

    def _stored(self, piece: Piece) -> Iterator[bytes]:
        try:
            reader = ObjectReader(self._client, key_of(piece.name), length=piece.size)
        except BlobMissing:
            self._lose()
        with reader:
            if reader.size != piece.size:
                self._lose()
            yield from reader.read(0, piece.size)

    def _clean(self) -> None:
        """Remove what did not count any more when this writer was opened."""
        gone = set(self._opened.stale) & set(self._state.stale)
        if not gone:
            return
        with suppress(StoreUnavailable):
            self._depot.remove(State(stale=tuple(gone)))
            stale = tuple(name for name in self._state.stale if name not in gone)
            self._state = replace(self._state, stale=stale)
