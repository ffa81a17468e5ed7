"""Gets plug-ins: which repositories there are, which version fits, and the download itself."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from packaging.version import InvalidVersion, Version

from wharf.context import Context
from wharf.folder import make_folder
from wharf.plugins.index import Offer, Repository
from wharf.plugins.installed import Installed, Plugins
from wharf.plugins.progress import Progress
from wharf.plugins.wheel import MAX_WHEEL
from wharf.refusals import (
    ChecksumWrong,
    NoneCompatible,
    PluginNotFound,
    RepositoryUnknown,
    VersionNotFound,
)
from wharf.text import Text
from wharfinger_common.clients.errors import AnswerUnusable, CallFailed

DEFAULT_NAMES: Final = frozenset({"bluemix", "ibm cloud", "wharfinger"})
INDEX_PATH: Final = "/plugins/simple/"
ALIASES: Final = {"kubernetes-service": "container-service"}
CACHE: Final = ".cache"


class Repositories:
    """The repositories that plug-ins may come from: the targeted service's, and those added."""

    def __init__(self, context: Context) -> None:
        self._context: Final = context

    def rows(self) -> list[tuple[str, str]]:
        """Return (name, URL) of each; the service's own first."""
        endpoint = self._context.config.text("APIEndpoint")
        own = [(self._context.brand.repository, endpoint + INDEX_PATH)] if endpoint else []
        return own + [(one["Name"], one["URL"]) for one in self.added()]

    def added(self) -> list[dict[str, str]]:
        """Return those that somebody added, as the configuration keeps them."""
        kept = self._context.config.values.get("PluginRepos")
        return [
            one
            for one in (kept if isinstance(kept, list) else [])
            if isinstance(one, dict) and {"Name", "URL"} <= set(one)
        ]

    def wanted(self, name: str) -> list[Repository]:
        """Return the repository called ``name``, or all of them where it is ''.

        Raises:
            RepositoryUnknown: there is none of this name.
            NoEndpoint: there is none at all, because no service is targeted.
        """
        rows = self.rows()
        if not self._context.config.text("APIEndpoint") and (
            name.lower() in DEFAULT_NAMES or not (name or rows)
        ):
            # Asking for it says that there is none, and how to set one.
            rows = [(self._context.brand.repository, self._context.session.endpoint)]
        found = [row for row in rows if not name or _same(row[0], name)]
        if not found:
            raise RepositoryUnknown(repository=name)
        return [Repository(*row, self._context.transport) for row in found]


def choose(plugin: str, version: str, repositories: list[Repository]) -> tuple[Repository, Offer]:
    """Return the newest version that this host can run, or the one wanted.

    Raises:
        PluginNotFound, VersionNotFound, NoneCompatible: there is none.
    """
    for repository in repositories:
        offers = repository.offers(plugin)
        if offers and version:
            return repository, _of_version(plugin, version, repository, offers)
        for offer in offers:
            told = repository.metadata(offer)
            if told is None or told.compatible:
                return repository, offer
        if offers:
            raise NoneCompatible(plugin=plugin)
    raise PluginNotFound(plugin=plugin, repository=repositories[0].name)


def newest(installed: Installed, repositories: list[Repository]) -> tuple[Repository, Offer] | None:
    """Return the newest version of a plug-in that runs here, None unless newer than installed."""
    try:
        repository, offer = choose(installed.name, "", repositories)
    except (PluginNotFound, NoneCompatible):
        return None
    return (repository, offer) if offer.version > Version(installed.version) else None


@contextmanager
def downloaded(context: Context, repository: Repository, offer: Offer) -> Iterator[Path]:
    """Give the file of an offer, its hash checked; it is gone afterwards, however that ends.

    Raises:
        ChecksumWrong: what arrived is something else.
        CallFailed: it did not arrive.
    """
    with _space(context) as folder:
        path = folder / offer.url.rpartition("/")[2]
        if _receive(context, repository, offer, path) != offer.sha256:
            raise ChecksumWrong
        yield path


@contextmanager
def downloaded_from(context: Context, url: str) -> Iterator[Path]:
    """Give the file at a URL that somebody typed; a ``#sha256=`` at its end is checked."""
    place, _, fragment = url.partition("#")
    wanted = fragment.removeprefix("sha256=") if fragment.startswith("sha256=") else ""
    offer = Offer(Version("0"), place, wanted, "", 0)
    with _space(context) as folder:
        path = folder / (place.rpartition("/")[2].partition("?")[0][-100:] or "plug-in")
        digest = _receive(context, Repository("", place, context.transport), offer, path)
        if wanted and digest != wanted.lower():
            raise ChecksumWrong
        yield path


def present(context: Context, name: str) -> Installed | None:
    """Return the installed plug-in of this name."""
    return Plugins(context.config.folder).get(ALIASES.get(name, name))


@contextmanager
def _space(context: Context) -> Iterator[Path]:
    """Give a new folder for a download; it, and what killed commands left there, is removed."""
    cache = make_folder(context.config.folder / "plugins" / CACHE)
    for left in cache.iterdir():
        if not _runs(left.name.partition("-")[0]):
            shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=f"{os.getpid()}-", dir=cache) as folder:
        yield Path(folder)


def _runs(process: str) -> bool:
    if not process.isdigit():
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _receive(context: Context, repository: Repository, offer: Offer, path: Path) -> str:
    """Write the file of an offer to ``path`` and return its hash."""
    context.say(Text("Attempting to download the binary file..."))
    digest, size = hashlib.sha256(), 0
    with repository.open_file(offer) as (headers, pieces), path.open("wb") as file:
        length = headers.get("content-length", "")
        progress = Progress(context.screen, int(length) if length.isdigit() else offer.size)
        for piece in pieces:
            size += len(piece)
            if size > MAX_WHEEL:
                raise AnswerUnusable(host=repository.name, reason="too large")
            digest.update(piece)
            file.write(piece)
            progress.show(size)
        progress.end()
    context.say(Text("{size} bytes downloaded", size=size))
    return digest.hexdigest()


def _of_version(plugin: str, version: str, repository: Repository, offers: list[Offer]) -> Offer:
    try:
        wanted = Version(version)
    except InvalidVersion:
        wanted = None
    for offer in offers:
        if offer.version == wanted:
            return offer
    raise VersionNotFound(plugin=plugin, version=version, repository=repository.name)


def _same(name: str, wanted: str) -> bool:
    name, wanted = name.lower(), wanted.lower()
    return name == wanted or (name in DEFAULT_NAMES and wanted in DEFAULT_NAMES)


def reachable(repository: Repository, plugin: Installed) -> tuple[Repository, Offer] | None:
    """Return what `newest` does, None where the repository does not answer."""
    try:
        return newest(plugin, [repository])
    except CallFailed:
        return None
