"""Every hot route while PostgreSQL is away, stops, starts, or ends sessions in mid-statement.

Whoever asks in such a moment is answered, or told to come back (503 with ``Retry-After`` and its
entry of the catalogue); nobody ever meets a 500, and nobody is told that something is not there.
"""

from __future__ import annotations

import collections
import itertools
import json
import tempfile
import threading
from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psycopg
import pytest

from tests.faults.killer import wait_for
from tests.faults.ledger import MANIFEST, Image, digest_of
from tests.support.postgres import Cluster
from tests.support.server import Operator, Server, Tenant

SETTINGS = {
    "WHARFINGER_WORKERS": "2",
    "WHARFINGER_DATABASE_WAIT_SECONDS": "0.3",
    "WHARFINGER_REGISTRY_TOKEN_SECONDS": "3600",
}
CLIENTS = 6
STOPS = 4
ENDINGS = 500
"""How often all sessions of the service are ended under its requests."""

READS = ("namespaces", "images", "quotas", "plans", "tokens", "trash", "usage", "settings", "auth")
# After a crash (not a stop) of PostgreSQL uploads of the last half second may be gone (ADR 0014).
LOST = {("PATCH uploads", 404), ("PATCH uploads", 409)} | {
    ("PUT uploads", status) for status in (400, 404, 409)
}
IMAGE = Image("v1", (b'{"architecture": "amd64"}', b"layer" * 1000))
UPLOADED = b"0123456789" * 100


@dataclass
class Seen:
    """What was answered, by route; and every answer that nobody may see.

    ``borne`` are answers that are the price of what is done to the database.
    """

    borne: Set[tuple[str, int]] = frozenset()
    answers: collections.Counter[tuple[str, int]] = field(default_factory=collections.Counter)
    wrong: list[str] = field(default_factory=list)

    def add(self, route: str, answer: httpx.Response, good: int) -> httpx.Response:
        """Note an answer, which is ``good`` or tells to come back."""
        self.answers[route, answer.status_code] += 1
        borne = (route, answer.status_code) in self.borne
        if answer.status_code not in {good, 503} and not borne:
            self.wrong.append(f"{route}: {answer.status_code} {answer.text}")
        if answer.status_code == 503 and not self._is_told(answer):
            self.wrong.append(f"{route}: {dict(answer.headers)} {answer.text}")
        return answer

    def count(self, status: int) -> int:
        # A copy: clients go on adding.
        return sum(count for (_, seen), count in self.answers.copy().items() if seen == status)

    @staticmethod
    def _is_told(answer: httpx.Response) -> bool:
        told = answer.request.method == "HEAD" or "WHF00" in answer.text
        return told and answer.headers["Retry-After"].isdigit()


@dataclass(frozen=True)
class Visitor:
    """A client that walks over all hot routes, again and again."""

    http: httpx.Client
    tenant: Tenant
    seen: Seen
    registry: dict[str, str]
    control: dict[str, str]

    @property
    def base(self) -> str:
        return f"/v2/{self.tenant.namespace}/app"

    def round(self) -> None:
        """Call every route once."""
        self._tokens()
        for method, reference in itertools.product(("GET", "HEAD"), (IMAGE.tag, IMAGE.digest)):
            self._ask(method, "manifests", f"{self.base}/manifests/{reference}")
        for method, blob in itertools.product(("GET", "HEAD"), IMAGE.blobs):
            self._ask(method, "blobs", f"{self.base}/blobs/{digest_of(blob)}")
        self._ask("GET", "tags", f"{self.base}/tags/list")
        self._ask("PUT", "manifests", f"{self.base}/manifests/v2", 201, content=IMAGE.manifest)
        self._push()
        for name in READS:
            answer = self.http.get(f"/api/v1/{name}", headers=self.control)
            self.seen.add(f"GET {name}", answer, 200)

    def _tokens(self) -> None:
        basic = httpx.BasicAuth("iamapikey", self.tenant.api_key)
        answer = self.http.get("/oauth/token", params={"service": "registry"}, auth=basic)
        self.seen.add("GET token", answer, 200)
        form = {"grant_type": "urn:ibm:params:oauth:grant-type:apikey"}
        answer = self.http.post("/identity/token", data=form | {"apikey": self.tenant.api_key})
        self.seen.add("POST identity", answer, 200)

    def _push(self) -> None:
        opened = self._ask("POST", "uploads", f"{self.base}/blobs/uploads/", 202)
        if opened.status_code != 202:
            return
        place = opened.headers["Location"]
        sent = self._ask("PATCH", "uploads", place, 202, content=UPLOADED)
        if sent.status_code == 202:
            query = {"digest": digest_of(UPLOADED)}
            self._ask("PUT", "uploads", sent.headers["Location"], 201, params=query)

    def _ask(
        self, method: str, route: str, path: str, good: int = 200, **options: object
    ) -> httpx.Response:
        headers = self.registry | ({"Content-Type": MANIFEST} if method == "PUT" else {})
        answer = self.http.request(method, path, headers=headers, **options)  # type: ignore[arg-type]
        return self.seen.add(f"{method} {route}", answer, good)


@dataclass
class Scene:
    """A service over a PostgreSQL of its own, with one image in it."""

    cluster: Cluster
    url: str
    server: Server
    tenant: Tenant

    def visited(self, meanwhile: Callable[[], None], seen: Seen | None = None) -> Seen:
        """Let clients call all routes until ``meanwhile`` is done; what they saw."""
        seen, over = seen or Seen(), threading.Event()
        threads = [threading.Thread(target=self._visit, args=(seen, over)) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        try:
            meanwhile()
        finally:
            over.set()
            for thread in threads:
                thread.join()
        return seen

    def _visit(self, seen: Seen, over: threading.Event) -> None:
        with httpx.Client(base_url=self.server.api, timeout=60) as http:
            visitor = Visitor(http, self.tenant, seen, self._registry, self._control)
            try:
                while not over.is_set():
                    visitor.round()
            except httpx.TransportError as error:
                seen.wrong.append(repr(error))

    def sign_in(self) -> None:
        """Make the tokens that the clients use: they end later than the play."""
        scope = f"repository:{self.tenant.namespace}/app:pull,push"
        self._registry = {"Authorization": f"Bearer {self.tenant.registry_token([scope])}"}
        iam = self.tenant.iam_token()
        self._control = {"Authorization": f"Bearer {iam}", "Account": self.tenant.account}

    def push(self) -> None:
        base = f"{self.server.api}/v2/{self.tenant.namespace}/app"
        with httpx.Client(headers=self._registry) as http:
            for blob in IMAGE.blobs:
                query = {"digest": digest_of(blob)}
                answer = http.post(f"{base}/blobs/uploads/", params=query, content=blob)
                assert answer.status_code == 201, answer.text
            kind = {"Content-Type": MANIFEST}
            place = f"{base}/manifests/{IMAGE.tag}"
            assert http.put(place, content=IMAGE.manifest, headers=kind).status_code == 201

    def ready(self) -> bool:
        return httpx.get(f"{self.server.api}/health/ready", timeout=30).status_code == 200


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A cluster of its own: others of this process do not bear its being stopped."""
    folder = tmp_path_factory.mktemp("away")
    with Cluster(Path(tempfile.mkdtemp(prefix="wharfinger-pg-"))) as cluster:
        cluster.make_template()
        url = cluster.create()
        settings = {**SETTINGS, "WHARFINGER_DATABASE_URL": url}
        with Server(folder / "data", settings=settings) as server:
            tenant = Operator.of(server).create_tenant("visited")
            scene = Scene(cluster, url, server, tenant)
            scene.sign_in()
            scene.push()
            yield scene


def test_no_route_answers_500_while_the_database_is_away(scene: Scene) -> None:
    seen = Seen()
    scene.visited(lambda: _restarts(scene, "fast", seen), seen)
    assert not seen.wrong, _told(scene, seen)
    assert seen.count(200) > 0


def test_no_route_answers_500_when_the_database_crashes(scene: Scene) -> None:
    seen = Seen(borne=LOST)
    scene.visited(lambda: _restarts(scene, "immediate", seen), seen)
    assert not seen.wrong, _told(scene, seen)
    assert seen.count(200) > 0


def test_no_route_answers_500_when_sessions_end_under_it(scene: Scene) -> None:
    seen = scene.visited(lambda: _endings(scene))
    assert not seen.wrong, _told(scene, seen)
    assert seen.count(200) > 0


def _restarts(scene: Scene, mode: str, seen: Seen) -> None:
    for _ in range(STOPS):
        before = seen.count(503)
        scene.cluster.stop(mode)
        wait_for(lambda: not scene.ready(), "health names the database")
        wait_for(lambda before=before: seen.count(503) > before, "somebody is told to come back")  # type: ignore[misc]
        scene.cluster.start()
        wait_for(scene.ready, "health is good again")


def _endings(scene: Scene) -> None:
    name = scene.url.rpartition("/")[2]
    with psycopg.connect(scene.cluster.url("postgres"), autocommit=True) as connection:
        for _ in range(ENDINGS):
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
            )
            connection.execute("SELECT pg_sleep(0.02)")


def _told(scene: Scene, seen: Seen) -> str:
    unforeseen = [line for line in scene.server.log_tail(5000).splitlines() if "unexpected" in line]
    return json.dumps(seen.wrong[:10], indent=1) + "\n".join(unforeseen[-5:])
