"""`/metrics` as Prometheus sees it: right over several processes, bounded, and not for all."""

from __future__ import annotations

import contextlib
import os
import random
import re
import secrets
import signal
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from tests.support.figures import Figures, scrape, scrape_until
from tests.support.processes import children
from tests.support.rawhttp import exchange, request
from tests.support.server import Server, Tenant, free_ports
from wharfinger.metrics import names

ROOT = Path(__file__).resolve().parents[3]
MANIFESTS = "/v2/{name}/manifests/{reference}"
BLOBS = "/v2/{name}/blobs/{digest}"
CONTENT = b"0123456789" * 500


@pytest.fixture(scope="module")
def client(watched: Server, guest: Tenant) -> Iterator[httpx.Client]:
    token = guest.registry_token(["repository:observed/app:pull,push"])
    headers = {"Authorization": f"Bearer {token}"}
    # Each request on a connection of its own: they spread over the workers.
    limits = httpx.Limits(max_keepalive_connections=0)
    with httpx.Client(base_url=watched.api, headers=headers, limits=limits, timeout=30) as made:
        yield made


@pytest.fixture(scope="module")
def blob(client: httpx.Client) -> str:
    digest = f"sha256:{sha256(CONTENT).hexdigest()}"
    path = "/v2/observed/app/blobs/uploads/"
    client.post(path, params={"digest": digest}, content=CONTENT).raise_for_status()
    return f"/v2/observed/app/blobs/{digest}"


def _requests(figures: Figures, **labels: str) -> float:
    return figures.total("wharfinger_http_requests_total", **labels)


def test_numbers_add_up_over_workers(watched: Server, client: httpx.Client, blob: str) -> None:
    before = scrape_until(
        watched.api,
        lambda now: now.total("wharfinger_http_received_bytes_total") >= len(CONTENT),
        "the push is counted",
    )
    for _ in range(40):
        assert client.get(blob).content == CONTENT
        assert client.head(blob).status_code == 200
        assert client.get(blob, headers={"Range": "bytes=0-9"}).status_code == 206
        assert client.head(f"{blob[:-1]}x").status_code == 400

    def gained(now: Figures, name: str, **labels: str) -> float:
        return now.total(name, **labels) - before.total(name, **labels)

    requests = "wharfinger_http_requests_total"
    after = scrape_until(
        watched.api, lambda now: gained(now, requests, route=BLOBS) >= 160, "all reads are counted"
    )

    assert gained(after, requests, route=BLOBS, method="GET", status="2xx") == 80
    assert gained(after, requests, route=BLOBS, method="HEAD", status="2xx") == 40
    assert gained(after, requests, route=BLOBS, method="HEAD", status="4xx") == 40
    assert gained(after, "wharfinger_http_request_seconds_count", route=BLOBS) == 160
    assert gained(after, "wharfinger_http_request_seconds_bucket", route=BLOBS, le="+Inf") == 160
    assert gained(after, "wharfinger_http_sent_bytes_total", route=BLOBS) == 40 * (
        len(CONTENT) + 10
    )
    assert gained(after, "wharfinger_refusals_total", code="WHF0101") == 40
    assert after.values("process") == {"http-0", "http-1", "http-2", "jobs"}


def test_a_killed_worker_takes_no_numbers_along(
    watched: Server, client: httpx.Client, blob: str
) -> None:
    gone = "wharfinger_process_starts_total"
    before = scrape(watched.api)
    for _ in range(30):
        client.head(blob)
    reads = _requests(before, route=BLOBS) + 30
    counted = scrape_until(
        watched.api, lambda now: _requests(now, route=BLOBS) >= reads, "reads are counted"
    )
    # The last of the supervisor's children is the jobs process, the others serve.
    for pid in children(watched.pid):
        os.kill(pid, signal.SIGKILL)
        _wait(lambda pid=pid: pid not in children(watched.pid))  # type: ignore[misc]
        _wait(lambda: len(children(watched.pid)) == 4)
    after = scrape_until(
        watched.api, lambda now: now.total(gone) == before.total(gone) + 4, "all are replaced"
    )

    assert _requests(after, route=BLOBS) == _requests(counted, route=BLOBS) == reads
    for _ in range(10):
        _insist(lambda: client.head(blob))
    scrape_until(
        watched.api, lambda now: _requests(now, route=BLOBS) >= reads + 10, "counting goes on"
    )


def _wait(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _insist(call: Callable[[], object]) -> None:
    """Call until a connection that a dying worker had accepted is no longer in the way."""
    for _ in range(50):
        with contextlib.suppress(httpx.TransportError):
            call()
            return
    raise AssertionError("no answer")


def test_probing_adds_no_series(watched: Server, client: httpx.Client) -> None:
    words = random.Random(4)

    def probe() -> None:
        name = "".join(words.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=12))
        client.get(f"/{name}")
        client.get(f"/v2/{name}/app/manifests/{name}")
        client.head(f"/v2/{name}/app/blobs/sha256:{words.randbytes(32).hex()}")
        client.get(f"/api/v1/{name}/{name}")
        client.delete(f"/identity/v1/users/{name}")
        exchange(watched.port, request("PROPFIND", f"/{name}"))
        exchange(watched.port, request("GET", f"/v2/%{name}/x y"))

    for _ in range(5):
        probe()
    sent = "wharfinger_http_requests_total"
    known = scrape_until(
        watched.api, lambda now: now.total(sent, route="other", method="other") >= 5, "counted"
    )
    for _ in range(25):
        probe()
    after = scrape_until(
        watched.api, lambda now: now.total(sent, route="other", method="other") >= 30, "counted"
    )

    documented = {label for metric in names.ALL for label in metric.label_names} | {"le"}
    assert {name for _, labels in after.samples for name, _ in labels} <= documented
    assert {key for key in after.samples if "seconds" not in key[0]} - set(known.samples) <= {
        key for key in after.samples if "/metrics" in str(key[1])
    }
    assert all(re.fullmatch(r"(/[a-z0-9_.{}/]*|other)", route) for route in after.values("route"))
    assert after.values("method") <= {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "other"}


def test_every_metric_is_documented(watched: Server) -> None:
    page = (ROOT / "docs/reference/metrics.md").read_text()
    shown = {name for name, _ in scrape(watched.api).samples}

    bare = {re.sub(r"_(bucket|sum|count|total)$", "", name) for name in shown}
    assert bare <= {metric.name for metric in names.ALL}
    missing = [metric.shown for metric in names.ALL if f"`{metric.shown}`" not in page]
    assert not missing


def test_figures_are_not_shown_through_an_unknown_proxy(watched: Server) -> None:
    for name in ("X-Forwarded-For", "Forwarded", "Via", "X-Real-IP"):
        refused = httpx.get(f"{watched.api}/metrics", headers={name: "127.0.0.1"})
        assert refused.status_code == 403
        assert refused.json()["errors"][0]["detail"]["code"] == "WHF0020"


def test_openmetrics_is_spoken_to_who_asks(watched: Server) -> None:
    accept = {"Accept": "application/openmetrics-text; version=1.0.0"}
    answer = httpx.get(f"{watched.api}/metrics", headers=accept)

    assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")


def test_a_token_on_a_port_of_its_own(tmp_path: Path) -> None:
    token, file = secrets.token_urlsafe(24), tmp_path / "token"
    file.write_text(f"{token}\n")
    (port,) = free_ports(1)
    settings = {
        "WHARFINGER_METRICS_PORT": str(port),
        "WHARFINGER_METRICS_TOKEN_FILE": str(file),
        "WHARFINGER_METRICS_FOLDER": str(tmp_path / "figures"),
    }
    with Server(tmp_path / "data", settings=settings) as server:
        alone = f"http://localhost:{port}"
        bearer = {"Authorization": f"Bearer {token}"}
        figures = scrape(alone, headers=bearer)

        assert figures.total("wharfinger_process_starts_total", process="http-0") == 1
        assert httpx.get(f"{alone}/metrics").status_code == 403
        wrong = {"Authorization": f"Bearer {token}x"}
        assert httpx.get(f"{alone}/metrics", headers=wrong).status_code == 403
        assert httpx.get(f"{alone}/v2/", headers=bearer).status_code == 404
        assert httpx.get(f"{server.api}/metrics", headers=bearer).status_code == 404
        assert not (server.data / "metrics").exists()
