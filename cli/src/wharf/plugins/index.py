"""A plug-in repository: a simple index of wheels (PEP 691 JSON, PEP 503 HTML, PEP 658 metadata)."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urljoin, urlsplit

from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import Version

from wharf.plugins.wheel import Metadatum, parse_metadata
from wharfinger_common.clients.errors import AnswerUnusable, NotThere

if TYPE_CHECKING:
    from wharfinger_common.clients.transport import Transport

JSON: Final = "application/vnd.pypi.simple.v1+json"
ACCEPT: Final = f"{JSON}, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"
OWN: Final = "wharfinger-"
"""What the names of the house's distributions begin with, and of its plug-ins do not."""
MAX_PAGE: Final = 16 * 1024 * 1024
MAX_METADATA: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Offer:
    """One version of a plug-in that a repository offers; hashes are hexadecimal SHA-256."""

    version: Version
    url: str
    sha256: str
    metadata_sha256: str
    size: int


class Repository:
    """The plug-in repository called ``name`` at ``url``.

    ``open_transport`` gives what carries requests to an address; `urljoin` of what the index says
    may lead to another host, whose answer the hashes vouch for.
    """

    def __init__(self, name: str, url: str, open_transport: Callable[[str], "Transport"]) -> None:
        self.name: Final = name
        self.url: Final = url.rstrip("/") + "/"
        self._open: Final = open_transport

    def plugins(self) -> dict[str, str]:
        """Return plug-in name to project name of all that is offered."""
        body, kind = self._page(self.url)
        if kind == JSON:
            names = [str(one["name"]) for one in _objects(_loads(body, self.url), "projects")]
        else:
            names = [text.strip() for _, text, _ in _links(body)]
        projects = [canonicalize_name(name) for name in names if name]
        return {project.removeprefix(OWN): project for project in projects}

    def offers(self, plugin: str) -> list[Offer]:
        """Return the pure-Python wheels of a plug-in, newest first; none where it is unknown.

        Those without a SHA-256 are left out: nothing would vouch for what arrives.
        """
        for project in dict.fromkeys((f"{OWN}{plugin}", plugin)):
            url = f"{self.url}{canonicalize_name(project)}/"
            try:
                body, kind = self._page(url)
            except NotThere:
                continue
            files = _json_files(body, url) if kind == JSON else _html_files(body, url)
            found = [offer for offer in files if offer]
            return sorted(found, key=lambda offer: offer.version, reverse=True)
        return []

    def metadata(self, offer: Offer) -> Metadatum | None:
        """Return what is known of an offer before it is downloaded, None where nothing is."""
        if not offer.metadata_sha256:
            return None
        import hashlib

        content = self._fetch(f"{offer.url}.metadata", MAX_METADATA)
        if hashlib.sha256(content).hexdigest() != offer.metadata_sha256:
            return None
        try:
            return parse_metadata(content)
        except ValueError:
            return None

    def open_file(self, offer: Offer) -> Any:
        """Return the stream of an offer's file (`Transport.stream`)."""
        place = urlsplit(offer.url)
        transport = self._open(f"{place.scheme}://{place.netloc}")
        return transport.stream(offer.url)

    def _page(self, url: str) -> tuple[bytes, str]:
        place = urlsplit(url)
        transport = self._open(f"{place.scheme}://{place.netloc}")
        with transport.stream(url, {"Accept": ACCEPT}) as (headers, pieces):
            body = _bounded(pieces, MAX_PAGE, transport.host)
        return body, headers.get("content-type", "").partition(";")[0].strip()

    def _fetch(self, url: str, limit: int) -> bytes:
        place = urlsplit(url)
        transport = self._open(f"{place.scheme}://{place.netloc}")
        with transport.stream(url) as (_headers, pieces):
            return _bounded(pieces, limit, transport.host)


def _bounded(pieces: Iterator[bytes], limit: int, host: str) -> bytes:
    read: list[bytes] = []
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > limit:
            raise AnswerUnusable(host=host, reason="too large")
        read.append(piece)
    return b"".join(read)


def _loads(body: bytes, url: str) -> dict[str, Any]:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise AnswerUnusable(host=urlsplit(url).netloc, reason="no JSON") from error
    if not isinstance(told, dict):
        raise AnswerUnusable(host=urlsplit(url).netloc, reason="no index")
    return told


def _objects(told: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = told.get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _json_files(body: bytes, url: str) -> Iterator[Offer | None]:
    for file in _objects(_loads(body, url), "files"):
        if file.get("yanked"):
            continue
        hashes = file.get("hashes") or {}
        extra = file.get("core-metadata") or file.get("dist-info-metadata") or {}
        size = file.get("size")
        yield _offer(
            str(file.get("filename", "")),
            urljoin(url, str(file.get("url", ""))),
            str(hashes.get("sha256", "")) if isinstance(hashes, dict) else "",
            str(extra.get("sha256", "")) if isinstance(extra, dict) else "",
            size if isinstance(size, int) else 0,
        )


def _html_files(body: bytes, url: str) -> Iterator[Offer | None]:
    for target, _text, attributes in _links(body):
        if "data-yanked" in attributes:
            continue
        place = urlsplit(urljoin(url, target))
        kind, _, value = place.fragment.partition("=")
        extra = attributes.get("data-core-metadata") or attributes.get("data-dist-info-metadata")
        yield _offer(
            unquote(place.path.rpartition("/")[2]),
            place._replace(fragment="").geturl(),
            value if kind == "sha256" else "",
            (extra or "").removeprefix("sha256=") if "=" in (extra or "") else "",
            0,
        )


def _offer(name: str, url: str, sha256: str, metadata: str, size: int) -> Offer | None:
    try:
        _project, version, _build, tags = parse_wheel_filename(name)
    except InvalidWheelFilename:
        return None
    pure = any(str(tag) == "py3-none-any" for tag in tags)
    if not pure or not sha256 or urlsplit(url).scheme not in {"http", "https"}:
        return None
    return Offer(version, url, sha256.lower(), metadata.lower(), size)


def _links(body: bytes) -> list[tuple[str, str, dict[str, str | None]]]:
    parser = _Links()
    parser.feed(body.decode("utf-8", "replace"))
    return parser.found


class _Links(HTMLParser):
    """Collects (target, text, attributes) of every link."""

    def __init__(self) -> None:
        super().__init__()
        self.found: Final[list[tuple[str, str, dict[str, str | None]]]] = []
        self._open: dict[str, str | None] | None = None
        self._text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self._open, self._text = dict(attrs), ""

    def handle_data(self, data: str) -> None:
        self._text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._open is not None:
            self.found.append((self._open.get("href") or "", self._text, self._open))
            self._open = None
