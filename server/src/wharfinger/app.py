"""The HTTP application of one worker: the rooms, and their routes on the surfaces."""

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.server import ServerState

from wharfinger import __version__
from wharfinger.database import migrate
from wharfinger.database.commit_mark import CommitMark
from wharfinger.database.sqlite import connect
from wharfinger.database.urls import embedded_path, libpq_url
from wharfinger.explain.http import HttpWitness
from wharfinger.identity import http as identity_http
from wharfinger.metrics import http as metrics_http
from wharfinger.metrics import names
from wharfinger.metrics.figures import Figures
from wharfinger.metrics.observers import DamageFigures
from wharfinger.metrics.requests import RequestMeter
from wharfinger.namespaces.store import hold_owner
from wharfinger.quotas.http import QuotaAdviser
from wharfinger.registry.fastpath import FastPath
from wharfinger.registry.fastpath_awaited import AwaitedFastPath
from wharfinger.registry.fastreads import SqliteFastReads
from wharfinger.registry.fastwrites import FastWrites
from wharfinger.registry.http import blobs as blobs_http
from wharfinger.registry.http import catalog as catalog_http
from wharfinger.registry.http import manifests as manifests_http
from wharfinger.registry.http import ping as ping_http
from wharfinger.registry.http import referrers as referrers_http
from wharfinger.registry.http import tags as tags_http
from wharfinger.registry.http import uploads as uploads_http
from wharfinger.registry.http.transfer import BUFFER
from wharfinger.registry.model.blobs import Blob
from wharfinger.registry.model.manifests import ManifestLimits
from wharfinger.registry.remembered import Remembered
from wharfinger.registry.service.blobs import Blobs
from wharfinger.registry.service.catalog import Catalogue
from wharfinger.registry.service.manifests import Manifests
from wharfinger.registry.service.proofs import Proofs
from wharfinger.registry.service.referrers import Referrers
from wharfinger.registry.service.tags import Tags
from wharfinger.registry.store.blobs import SqlBlobRecords
from wharfinger.registry.store.catalog import SqlCatalog
from wharfinger.registry.store.manifests import SqlManifestStore
from wharfinger.registry.store.referrers import SqlReferrerLists
from wharfinger.registry.store.tags import SqlTagLists
from wharfinger.repairs import record_fence
from wharfinger.rooms import Rooms, build_rooms
from wharfinger.serve.worker import Service
from wharfinger.settings import Settings
from wharfinger.web.access_log import AccessLog
from wharfinger.web.at_once import Short
from wharfinger.web.authentication import Gate
from wharfinger.web.context import Web
from wharfinger.web.health import Health
from wharfinger.web.lazy import LazyApp
from wharfinger.web.log import EventLog
from wharfinger.web.methods import KnownMethods
from wharfinger.web.surface import Surface
from wharfinger.web.threads import Threads
from wharfinger.web.urls import Urls

if TYPE_CHECKING:
    from wharfinger.clusters.service import Clusters

WARM_AFTER_SECONDS: Final = 0.25
CONTROL_PATHS: Final = ("/api/", "/va/", "/identity/v1/")
PAGE_PATHS: Final = ("/help/", "/plugins/", "/identity/passcode", "/identity/oidc/")
_blob_log: Final = EventLog("wharfinger.blobs")


def build_service(settings: Settings, draining: Callable[[], bool], process: str) -> Service:
    """Return the HTTP application of one worker, in its event loop; ``process`` is its place."""
    figures = Figures(settings, process, __version__)
    rooms = build_rooms(settings, figures=figures)
    meter = RequestMeter(figures.tallies, process)
    web = Web(
        settings=settings,
        threads=Threads(settings.threads),
        urls=Urls(settings.public_urls, settings.trusted_proxies, settings.served),
        clock=rooms.clock,
        draining=draining,
        witness=HttpWitness(rooms.explain.recorder.note, rooms.clock),
        adviser=QuotaAdviser(rooms.owners, rooms.quotas.storage, rooms.quotas.traffic),
        meter=meter,
        access=AccessLog(settings.access_log),
        private=rooms.images.private,
    )
    state = ServerState()
    _watch(figures, meter, web, state)
    gate = Gate(web, rooms.identity.tokens, rooms.identity.access, rooms.owners)
    control = LazyApp(lambda: _control(rooms, web, gate), web.threads)
    pages = LazyApp(lambda: _pages(rooms, web, meter), web.threads)
    plain = routes(rooms, web, gate)
    meter.templates.add(plain)
    app = Surface(_Surfaces(plain, {CONTROL_PATHS: control, PAGE_PATHS: pages}), web)

    async def warm() -> None:
        figures.start()
        # Loading takes most of a second of the interpreter: who waits for readiness comes first.
        await asyncio.sleep(WARM_AFTER_SECONDS)
        tokens = web.threads.run(rooms.identity.tokens.warm)
        await asyncio.gather(control.warm(), pages.warm(), tokens)

    def close() -> None:
        web.threads.close()
        rooms.close()
        figures.close()

    apart = _figures_app(rooms, web, meter)
    fast = _fast(app, rooms, web)
    writes = FastWrites(web, rooms.identity.tokens, rooms.uploads)
    short = Short(fast.at_once, writes.intake, web.threads.begin, BUFFER)
    return Service(fast, short, apart, warm, close, meter.malformed, state)


def _watch(figures: Figures, meter: RequestMeter, web: Web, state: ServerState) -> None:
    figures.watch(meter.sample)
    figures.show(names.THREADS_BUSY, web.threads.under_way)
    figures.show(names.HTTP_CONNECTIONS, lambda: len(state.connections))


def _figures_app(rooms: Rooms, web: Web, meter: RequestMeter) -> ASGIApp:
    """Return what the port for metrics serves."""
    alone = metrics_http.routes(web, rooms.figures)
    meter.templates.add(alone)
    return Surface(KnownMethods(Router(alone), alone), web)


class _Surfaces:
    """Sends what begins with certain paths to their applications, and all else to the router."""

    def __init__(
        self, others: list[Route], applications: Mapping[tuple[str, ...], ASGIApp]
    ) -> None:
        self._others: Final = KnownMethods(Router(others), others)
        self._applications: Final = tuple(applications.items())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        fitting = (app for begins, app in self._applications if path.startswith(begins))
        await next(fitting, self._others)(scope, receive, send)


def routes(rooms: Rooms, web: Web, gate: Gate) -> list[Route]:
    """Return the routes that are there from the start: all but the control API's and the pages."""
    health = Health(
        web,
        {
            "database": rooms.database.check,
            "migrations": _schema_check(rooms),
            "blobs": rooms.blobs.check,
        },
    )
    # With a port of its own they are served there alone.
    figures = [] if web.settings.metrics_port else metrics_http.routes(web, rooms.figures)
    return [
        *_registry_routes(rooms, web, gate),
        *identity_http.routes(rooms.identity, web),
        *health.routes(),
        *figures,
    ]


def page_routes(rooms: Rooms, web: Web) -> list[Route]:
    """Return the routes of what is seldom asked for, all below `PAGE_PATHS`; imports it."""
    from wharfinger.identity import http_pages as identity_pages
    from wharfinger.plugin_index import http as plugin_index_http
    from wharfinger.plugin_index.service import PluginIndex
    from wharfinger.plugin_index.store import WheelFolder
    from wharfinger.web.help_pages import HelpPages

    return [
        *identity_pages.routes(rooms.identity.passcodes, rooms.identity.single_sign_on, web),
        *HelpPages().routes(),
        *plugin_index_http.routes(PluginIndex(WheelFolder(rooms.settings.plugins_path)), web),
    ]


def _pages(rooms: Rooms, web: Web, meter: RequestMeter) -> ASGIApp:
    found = page_routes(rooms, web)
    meter.templates.add(found)
    return KnownMethods(Router(found), found)


def _registry_routes(rooms: Rooms, web: Web, gate: Gate) -> list[Route]:
    settings, database, owners = rooms.settings, rooms.database, rooms.owners
    limits = ManifestLimits(
        size=settings.manifest_bytes,
        references=settings.manifest_references,
        depth=settings.manifest_depth,
        tags=settings.request_tags,
    )
    pages = settings.page_entries
    charges, traffic = rooms.quotas.charges, rooms.quotas.traffic
    manifest_store = SqlManifestStore(database, hold_owner, rooms.images.retire, charges)
    manifests = Manifests(
        manifest_store, owners, rooms.configs, limits, rooms.clock, rooms.quotas.storage
    )
    referrers = Referrers(
        SqlReferrerLists(database), owners, maximum=pages, size=settings.manifest_bytes
    )
    catalogue = Catalogue(SqlCatalog(database), rooms.identity.access, pages)
    records = SqlBlobRecords(database, charges, record_fence)
    proofs = Proofs(
        records,
        rooms.blobs,
        clock=rooms.clock,
        observer=DamageFigures(rooms.figures.tallies, _DamageLog()),
        streams=settings.blobs_verify_streams,
    )
    blobs = Blobs(
        records,
        rooms.blobs,
        clock=rooms.clock,
        grace=settings.collection_grace_seconds,
        traffic=traffic,
        proofs=proofs,
    )
    # Those that are asked for most come first: each is tried in turn.
    return [
        *uploads_http.routes(rooms.uploads, gate, web),
        *blobs_http.routes(blobs, gate, web),
        *manifests_http.routes(manifests, gate, web),
        *ping_http.routes(gate),
        *catalog_http.routes(catalogue, gate, web),
        *tags_http.routes(Tags(SqlTagLists(database), owners, pages), gate, web),
        *referrers_http.routes(referrers, gate, web),
    ]


def _fast(app: ASGIApp, rooms: Rooms, web: Web) -> FastPath | AwaitedFastPath:
    settings, tokens = rooms.settings, rooms.identity.tokens
    files, traffic = rooms.blobs, rooms.quotas.traffic
    path = embedded_path(settings.database)
    if path is not None:
        connection = connect(path)
        at_once, remembered = SqliteFastReads(connection), Remembered(CommitMark(connection))
        return FastPath(app, web, tokens, at_once, remembered, files, traffic, rooms.uploads)
    from wharfinger.registry.fastreads_postgres import PostgresFastReads

    connections = settings.database_read_connections
    reads = PostgresFastReads(libpq_url(settings.database), connections)
    return AwaitedFastPath(app, web, tokens, reads, files, traffic)


def control_routers(rooms: Rooms, web: Web, gate: Gate) -> list[Any]:
    """Return the routers of the control API; imports its framework."""
    from wharfinger.audit import http as audit_http
    from wharfinger.audit.service import AuditService
    from wharfinger.audit.store import SqlAuditTrail
    from wharfinger.clusters import http_v1 as clusters_v1
    from wharfinger.explain import http_v1 as explain_v1
    from wharfinger.identity import http_tokens as tokens_v1
    from wharfinger.identity import http_v1 as identity_v1
    from wharfinger.images.http_v1 import figures as figures_v1
    from wharfinger.images.http_v1.options import messages
    from wharfinger.images.http_v1.router import router as images_router
    from wharfinger.namespaces import http_v1 as namespaces_v1
    from wharfinger.quotas import http_v1 as quotas_v1
    from wharfinger.web import region_list, service_info

    audit = AuditService(SqlAuditTrail(rooms.database), rooms.identity.access)
    return [
        identity_v1.router(rooms.identity, web, gate),
        identity_v1.bearer_router(rooms.identity, web, gate),
        namespaces_v1.router(rooms.namespaces, web, gate),
        images_router(rooms.images, web, gate),
        tokens_v1.router(rooms.identity.registry_tokens, web, gate),
        quotas_v1.router(rooms.quotas.quotas, web, gate),
        figures_v1.router(rooms.images.options, rooms.quotas.quotas, web, gate),
        messages(web),
        audit_http.router(audit, web, gate),
        region_list.router(web),
        explain_v1.router(
            rooms.explain.explanations, web, gate, flush=rooms.explain.recorder.flush
        ),
        service_info.router(web),
        clusters_v1.router(_clusters(rooms), web, gate),
    ]


def _clusters(rooms: Rooms) -> "Clusters":
    from wharfinger.audit.store import record
    from wharfinger.clusters.service import Clusters
    from wharfinger.clusters.service import Limits as ClusterLimits
    from wharfinger.clusters.store import SqlClusterStore

    settings = rooms.settings
    store = SqlClusterStore(rooms.database, record=record, clock=rooms.clock)
    limits = ClusterLimits(settings.clusters_per_account, settings.cluster_workers)
    return Clusters(store, rooms.identity.access, limits, rooms.clock)


def _control(rooms: Rooms, web: Web, gate: Gate) -> ASGIApp:
    from wharfinger.identity import http_described
    from wharfinger.web.control import control_application

    routers = control_routers(rooms, web, gate)
    return control_application(web, routers, __version__, http_described.description())


def _schema_check(rooms: Rooms) -> Callable[[], None]:
    def check() -> None:
        # Where there is no database, reading would wait for one.
        rooms.database.check()
        with rooms.database.reading() as connection:
            migrate.require_head(connection)

    return check


class _DamageLog:
    """Tells the log what readers found damaged (``registry.service.proofs.DamageObserver``)."""

    def damaged(self, blob: Blob, what: str) -> None:
        _blob_log.error("blob damaged", digest=blob.digest, location=blob.location, what=what)
