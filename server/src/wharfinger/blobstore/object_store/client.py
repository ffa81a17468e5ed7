"""The requests to the object store, through botocore; its errors are mapped here.

Every request is bounded in time and repeated, with growing waits, after timeouts, broken
connections, 500, 502, 503 and 504. Bodies are signed with their SHA-256, which the store verifies.
botocore is imported, and its client made, with the first request: after the fork, and only where
an object store is used. Any thread may call any method.
"""

import errno
import logging
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from msgspec import Struct

from wharfinger.blobstore.errors import RETRY_SECONDS, StoreUnavailable
from wharfinger.blobstore.object_store.admission import Admission
from wharfinger.blobstore.port import Look
from wharfinger.bucket import Bucket
from wharfinger.database.errors import StorageFull

if TYPE_CHECKING:
    from botocore.client import BaseClient
    from botocore.config import Config
    from botocore.session import Session

_FULL: Final = frozenset({"InsufficientStorage", "QuotaExceeded", "XMinioStorageFull", "507"})
_ABSENT: Final = frozenset({"NoSuchKey", "NotFound", "404"})
_BROKEN: Final = frozenset({"NoSuchUpload", "InvalidPart", "InvalidPartOrder", "EntityTooSmall"})
_UNREACHABLE: Final = "InvalidRange"
_CONTENT_RANGE: Final = re.compile(r"bytes (\d+)-\d+/(\d+)")
_PROBE_SECONDS: Final = 5.0
_PAGE: Final = 1000
_log: Final = logging.getLogger("wharfinger.blobstore")


class ObjectMissing(Exception):
    """There is no such object."""


class MultipartBroken(Exception):
    """The store does not have the multipart upload, or its parts, as they were acknowledged."""


class RangeBeyond(Exception):
    """The object ends before the range begins."""


class Patience(Struct, frozen=True):
    """Bounds of the requests: seconds of silence, attempts, and connections of this process.

    ``at_once`` requests may wait for an answer (`Admission`).
    """

    seconds: float = 20.0
    attempts: int = 5
    connections: int = 128
    at_once: int = 12


class Download(NamedTuple):
    """An object's bytes as they arrive, the size of the whole object, and its entity tag."""

    body: Any
    total: int
    etag: str


class Found(NamedTuple):
    """An object or multipart upload in a list; ``at`` in Unix seconds."""

    key: str
    at: float
    size: int = 0
    multipart: str = ""
    etag: str = ""


class Client:
    """The few requests that a blob store needs, on one bucket."""

    def __init__(self, bucket: Bucket, patience: Patience) -> None:
        self._bucket: Final = bucket
        self.patience: Final = patience
        self._admission: Final = Admission(patience.at_once, patience.seconds)
        self._lock: Final = threading.Lock()
        self._made: Final[dict[str, BaseClient]] = {}
        self._session: Session | None = None

    def put(self, key: str, body: bytes | bytearray) -> str:
        """Store an object and return its entity tag; once this returns it is durable."""
        with self._asking("PutObject"):
            return str(self._s3().put_object(**self._at(key), Body=body)["ETag"])

    def look(self, key: str) -> Look:
        """Return the bytes and the entity tag of an object, or raise ObjectMissing."""
        with self._asking("HeadObject"):
            answer = self._s3().head_object(**self._at(key))
            return Look(int(answer["ContentLength"]), answer["ETag"])

    def get(self, key: str, first: int, length: int | None, etag: str = "") -> Download:
        """Begin to read an object from byte ``first``; ``etag`` is what it has to be still.

        Raises:
            ObjectMissing: there is none, or another one.
            RangeBeyond: it has no byte ``first``.
        """
        asked: dict[str, str] = {"IfMatch": etag} if etag else {}
        if length is not None and length > 0:
            asked["Range"] = f"bytes={first}-{first + length - 1}"
        elif first:
            asked["Range"] = f"bytes={first}-"
        with self._asking("GetObject"):
            answer = self._s3().get_object(**self._at(key), **asked)
            return Download(answer["Body"], _total(answer, first), answer["ETag"])

    def delete(self, key: str) -> None:
        """Remove an object; nothing happens where there is none."""
        with self._asking("DeleteObject"):
            self._s3().delete_object(**self._at(key))

    def begin(self, key: str) -> str:
        """Begin a multipart upload that will become the object; return its id."""
        with self._asking("CreateMultipartUpload"):
            return str(self._s3().create_multipart_upload(**self._at(key))["UploadId"])

    def part(self, key: str, multipart: str, number: int, body: bytes | bytearray) -> str:
        """Store a part and return its ETag, or raise MultipartBroken."""
        with self._asking("UploadPart"):
            answer = self._s3().upload_part(
                **self._at(key), UploadId=multipart, PartNumber=number, Body=body
            )
            return str(answer["ETag"])

    def complete(self, key: str, multipart: str, etags: list[str]) -> str:
        """Make an object of exactly the parts with these ETags; return its own.

        Raises:
            MultipartBroken: the store does not have the upload, or a part, as it should be.
        """
        parts = [{"PartNumber": at, "ETag": etag} for at, etag in enumerate(etags, 1)]
        with self._asking("CompleteMultipartUpload"):
            answer = self._s3().complete_multipart_upload(
                **self._at(key), UploadId=multipart, MultipartUpload={"Parts": parts}
            )
            return str(answer["ETag"])

    def abort(self, key: str, multipart: str) -> None:
        """Drop a multipart upload with its parts; nothing happens where there is none."""
        try:
            with self._asking("AbortMultipartUpload"):
                self._s3().abort_multipart_upload(**self._at(key), UploadId=multipart)
        except MultipartBroken:
            return

    def objects(self, prefix: str, after: str) -> Iterator[Found]:
        """Yield the objects below ``prefix`` behind the key ``after``, by key."""
        asked = {"Prefix": self._key(prefix), "StartAfter": self._key(after)}
        for page in self._pages("list_objects_v2", asked):
            for one in page.get("Contents", ()):
                key, at = self._named(one["Key"]), one["LastModified"].timestamp()
                yield Found(key, at, int(one["Size"]), etag=one["ETag"])

    def multiparts(self, prefix: str) -> Iterator[Found]:
        """Yield the multipart uploads that are neither completed nor dropped."""
        for page in self._pages("list_multipart_uploads", {"Prefix": self._key(prefix)}):
            for one in page.get("Uploads", ()):
                key, at = self._named(one["Key"]), one["Initiated"].timestamp()
                yield Found(key, at, multipart=one["UploadId"])

    def url(self, key: str, seconds: int, content_type: str) -> str:
        """Return a URL with which anybody may get the object for that long."""
        asked = {**self._at(key), "ResponseContentType": content_type}
        with _told("presigning"):
            s3 = self._s3("public")
            return str(s3.generate_presigned_url("get_object", Params=asked, ExpiresIn=seconds))

    def check(self) -> None:
        """Return if the bucket answers within seconds."""
        with _told("HeadBucket"):
            self._s3("probe").head_bucket(Bucket=self._bucket.name)

    @contextmanager
    def _asking(self, operation: str) -> Iterator[None]:
        """Wait for a place among the requests under way, and tell what goes wrong as `_told`."""
        with self._admission.request(), _told(operation):
            yield

    def _at(self, key: str) -> dict[str, str]:
        return {"Bucket": self._bucket.name, "Key": self._key(key)}

    def _key(self, key: str) -> str:
        return f"{self._bucket.prefix}{key}"

    def _named(self, key: str) -> str:
        return key.removeprefix(self._bucket.prefix)

    def _pages(self, operation: str, asked: dict[str, str]) -> Iterator[Any]:
        with _told(operation):
            pages = self._s3().get_paginator(operation)
            sized = {"PageSize": _PAGE}
            yield from pages.paginate(Bucket=self._bucket.name, **asked, PaginationConfig=sized)

    def _s3(self, kind: str = "") -> Any:
        """Return botocore's client: the usual one, or that for the 'probe' or 'public' URLs."""
        with self._lock:
            if kind not in self._made:
                self._made[kind] = self._make(kind)
            return self._made[kind]

    def _make(self, kind: str) -> "BaseClient":
        from botocore.session import Session

        self._session = session = self._session or Session()
        bucket = self._bucket
        endpoint = bucket.public if kind == "public" and bucket.public else bucket.endpoint
        return session.create_client(
            "s3",
            endpoint_url=endpoint or None,
            region_name=bucket.region or _region(session),
            config=self._config(probe=kind == "probe"),
        )

    def _config(self, *, probe: bool) -> "Config":
        from botocore.config import Config

        seconds = min(_PROBE_SECONDS, self.patience.seconds) if probe else self.patience.seconds
        return Config(
            connect_timeout=seconds,
            read_timeout=seconds,
            max_pool_connections=self.patience.connections,
            retries={
                "mode": "standard",
                "total_max_attempts": 1 if probe else self.patience.attempts,
            },
            tcp_keepalive=True,
            signature_version="s3v4",
            s3={"addressing_style": self._bucket.addressing, "payload_signing_enabled": True},
            # The signed SHA-256 protects bodies already; not every store knows the newer ones.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )


def _region(session: "Session") -> str:
    """Return the region that the environment names; stores outside AWS rarely mind."""
    return str(session.get_config_variable("region") or "us-east-1")


def _total(answer: Any, first: int) -> int:
    """Return the size of the whole object, of which an answer may hold a part.

    Raises:
        OSError: the part is not the one that was asked for.
    """
    given = _CONTENT_RANGE.fullmatch(answer.get("ContentRange", ""))
    if first != (int(given[1]) if given else 0):
        answer["Body"].close()
        raise OSError(errno.EPROTO, "the store answered with another range")
    return int(given[2] if given else answer["ContentLength"])


@contextmanager
def _told(operation: str) -> Iterator[None]:
    """Turn botocore's errors into ours; what is no answer of the store to us is unavailability."""
    from botocore.exceptions import BotoCoreError, ClientError
    from urllib3.exceptions import HTTPError

    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code in _FULL:
            raise StorageFull from error
        if code in _ABSENT or code == "PreconditionFailed":
            raise ObjectMissing from error
        if code in _BROKEN:
            raise MultipartBroken from error
        if code == _UNREACHABLE:
            raise RangeBeyond from error
        raise unavailable(operation, error) from error
    except (BotoCoreError, HTTPError, OSError) as error:
        raise unavailable(operation, error) from error


def unavailable(operation: str, error: Exception) -> StoreUnavailable:
    """Log why the store did not do what was asked, and return the refusal."""
    fields = {"operation": operation, "error": f"{type(error).__name__}: {error}"[:300]}
    _log.warning("object store failed", extra={"fields": fields})
    return StoreUnavailable.after(RETRY_SECONDS)
