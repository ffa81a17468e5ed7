"""Which bucket, and how it is reached: the URL of the setting ``blobs_url``."""

import re
from typing import Final, Literal, cast
from urllib.parse import parse_qsl, urlsplit

from msgspec import Struct

SCHEME: Final = "s3"
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_PREFIX: Final = re.compile(r"[A-Za-z0-9!_.*'()-]+(?:/[A-Za-z0-9!_.*'()-]+)*")
_KNOWN: Final = frozenset({"endpoint", "public", "region", "addressing"})

Addressing = Literal["path", "virtual"]


class BucketInvalid(ValueError):
    """The URL does not name a bucket; the text says why."""


class Bucket(Struct, frozen=True):
    """A bucket, and the prefix in it ('' or ending with '/').

    ``endpoint`` is the store's URL ('' for AWS), ``public`` the one that clients reach it by.
    """

    name: str
    prefix: str
    endpoint: str
    public: str
    region: str
    addressing: Addressing


def parse_bucket(url: str) -> Bucket:
    """Return the bucket of ``s3://BUCKET/PREFIX?endpoint=URL&public=URL&region=R&addressing=path``.

    Everything behind the bucket may be left out. Addressing is 'path' where an endpoint is
    named, else 'virtual'. Credentials have no place in it.

    Raises:
        BucketInvalid: it is not of that form.
    """
    parts = urlsplit(url)
    if "@" in parts.netloc:
        raise BucketInvalid("credentials do not belong into the URL; see the guide")
    if parts.scheme != SCHEME or not _NAME.fullmatch(parts.netloc):
        raise BucketInvalid("it is not s3://BUCKET/PREFIX?endpoint=URL&region=REGION")
    prefix = parts.path.strip("/")
    if prefix and not _PREFIX.fullmatch(prefix):
        raise BucketInvalid(
            "the prefix may hold letters, digits and !_.*'()-, parted by single '/'"
        )
    query = _query(parts.query)
    endpoint = _endpoint(query, "endpoint")
    addressing = query.get("addressing", "path" if endpoint else "virtual")
    if addressing not in {"path", "virtual"}:
        raise BucketInvalid("addressing is 'path' or 'virtual'")
    return Bucket(
        name=parts.netloc,
        prefix=f"{prefix}/" if prefix else "",
        endpoint=endpoint,
        public=_endpoint(query, "public"),
        region=query.get("region", ""),
        addressing=cast("Addressing", addressing),
    )


def _query(text: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=True) if text else []
    except ValueError:
        raise BucketInvalid("what follows '?' is not NAME=VALUE&NAME=VALUE") from None
    query = dict(pairs)
    if len(query) != len(pairs) or not query.keys() <= _KNOWN:
        raise BucketInvalid(f"behind '?' may stand, once each: {', '.join(sorted(_KNOWN))}")
    return query


def _endpoint(query: dict[str, str], name: str) -> str:
    url = query.get(name, "")
    parts = urlsplit(url)
    if url and (parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc):
        raise BucketInvalid(f"{name} is an http:// or https:// URL without credentials")
    return url.rstrip("/")
