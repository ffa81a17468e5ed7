"""The service with its blobs on a real S3 server: as a client, an operator and a thief see it."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TypeVar

import httpx
import pytest

from tests.support.faults import Fault, FaultProxy
from tests.support.postgres import fresh_database
from tests.support.processes import children
from tests.support.pushing import MIB, WAYS, Repository, Way, digest_of, pieces, streamed
from tests.support.s3 import BUCKET, S3Server
from tests.support.server import Operator, Server

PART = 5 * MIB
SMALL = random.Random(3).randbytes(70_000)
LARGE = random.Random(4).randbytes(2 * PART + 1_234_567)
SECONDS = 60.0
_T = TypeVar("_T")


def settings_of(s3: S3Server, endpoint: str = "", **more: str) -> dict[str, str]:
    return {
        **s3.environment,
        "WHARFINGER_BLOBS_URL": s3.blobs_url(endpoint=endpoint),
        "WHARFINGER_S3_PART_BYTES": str(PART),
        "WHARFINGER_S3_TIMEOUT_SECONDS": "4",
        "WHARFINGER_S3_ATTEMPTS": "4",
        "WHARFINGER_REGISTRY_TOKEN_SECONDS": "3600",
        # The most that a log can give away.
        "WHARFINGER_LOG_LEVEL": "debug",
        **more,
    }


@contextmanager
def running(data: Path, settings: Mapping[str, str]) -> Iterator[tuple[Server, Repository]]:
    with Server(data, settings=settings) as server:
        operator = Operator.of(server)
        tenant = operator.create_tenant("harbour")
        with Repository.of(server, tenant) as repository:
            yield server, repository
        tenant.close()
        operator.close()


@pytest.fixture(scope="module")
def proxy(s3: S3Server) -> Iterator[FaultProxy]:
    with FaultProxy(s3.port) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def place(
    s3: S3Server, proxy: FaultProxy, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, Repository]]:
    """A server whose object store is behind the proxy, with few connections to it."""
    settings = settings_of(s3, proxy.endpoint, WHARFINGER_S3_CONNECTIONS="4")
    with running(tmp_path_factory.mktemp("objects") / "data", settings) as made:
        yield made


@pytest.fixture
def server(place: tuple[Server, Repository]) -> Server:
    return place[0]


@pytest.fixture
def repository(place: tuple[Server, Repository]) -> Repository:
    return place[1]


@pytest.fixture
def faults(proxy: FaultProxy) -> Iterator[FaultProxy]:
    proxy.clear()
    yield proxy
    proxy.clear()


def fresh(content: bytes) -> bytes:
    """Content as long as this that nobody has pushed before."""
    return os.urandom(16) + content[16:]


# --- Pushing and pulling -------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"", b"x", SMALL, LARGE], ids=["empty", "1", "small", "large"])
@pytest.mark.parametrize("way", WAYS)
def test_what_is_pushed_is_pulled(repository: Repository, way: Way, content: bytes) -> None:
    content = fresh(content) if len(content) > 16 else content
    digest = digest_of(content)
    assert way(repository, content).status_code == 201
    got = repository.blob(digest)
    assert (got.status_code, got.content) == (200, content)
    assert int(repository.head(digest).headers["Content-Length"]) == len(content)
    # Known by now, which costs no second copy.
    assert way(repository, content).status_code == 201


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("bytes=0-0", slice(0, 1)),
        (f"bytes={PART - 1}-{PART + 1}", slice(PART - 1, PART + 2)),
        ("bytes=100-", slice(100, None)),
        ("bytes=-5", slice(-5, None)),
    ],
)
def test_ranges(repository: Repository, header: str, part: slice) -> None:
    streamed(repository, LARGE).raise_for_status()
    got = repository.blob(digest_of(LARGE), Range=header)
    assert (got.status_code, got.content) == (206, LARGE[part])


def test_chunks_are_asked_for_that_are_parts_as_they_come(repository: Repository) -> None:
    answer = repository.http.post(f"/v2/{repository.name}/blobs/uploads/")
    assert answer.headers["OCI-Chunk-Min-Length"] == str(PART)


def test_an_upload_that_breaks_off_is_resumed(repository: Repository) -> None:
    content = fresh(LARGE)
    upload = repository.open()
    repository.append(upload, content[:1000]).raise_for_status()
    repository.break_off(upload, content[1000 : PART + 3000], len(content))
    stands = _eventually(lambda: _more_than(repository, upload, 1000))
    assert PART < stands <= PART + 3000
    repository.append(upload, pieces(content[stands:], 50_000)).raise_for_status()
    assert repository.finish(upload, digest_of(content)).status_code == 201
    assert repository.blob(digest_of(content)).content == content


def test_another_content_than_was_promised_leaves_nothing(
    repository: Repository, faults: FaultProxy
) -> None:
    content = fresh(LARGE)
    upload = repository.open()
    repository.append(upload, content).raise_for_status()
    answer = repository.finish(upload, digest_of(b"else"))
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "DIGEST_INVALID")
    assert repository.blob(digest_of(content)).status_code == 404
    assert faults.count("DELETE", "uploadId=") == 1


def test_bytes_come_to_rest_once(repository: Repository, faults: FaultProxy) -> None:
    """A small layer that docker pushes is one object, put once; the end of it asks nothing."""
    content = fresh(SMALL)
    upload = repository.open()
    repository.append(upload, pieces(content, 10_000)).raise_for_status()
    assert [one.method for one in faults.seen] == ["PUT"]
    assert repository.finish(upload, digest_of(content)).status_code == 201
    assert [one.method for one in faults.seen] == ["PUT"]


def test_large_blobs_take_little_memory(server: Server, repository: Repository) -> None:
    content = random.Random(5).randbytes(MIB) * 64
    streamed(repository, fresh(LARGE)).raise_for_status()
    for pid in children(server.pid):
        Path(f"/proc/{pid}/clear_refs").write_text("5")  # the peak is now what there is
    before = _peak(server)
    assert streamed(repository, content).status_code == 201
    with repository.http.stream("GET", f"/v2/{repository.name}/blobs/{digest_of(content)}") as got:
        assert sum(len(piece) for piece in got.iter_raw()) == len(content)
    assert _peak(server) - before < 40 * MIB


def test_clients_that_leave_do_not_hold_connections(server: Server, repository: Repository) -> None:
    streamed(repository, LARGE).raise_for_status()
    path = f"/v2/{repository.name}/blobs/{digest_of(LARGE)}"
    for _ in range(8):
        with repository.http.stream("GET", path) as got:
            assert got.status_code == 200
            next(got.iter_raw(1000))
        # The server notices on its own time; until then the connection may be taken.
        got = _eventually(lambda: _answered(repository.blob(digest_of(LARGE))))
        assert got.content == LARGE


# --- Faults --------------------------------------------------------------------------------


def test_pushes_and_pulls_through_a_storm(repository: Repository, faults: FaultProxy) -> None:
    """What is acknowledged is there and whole; what fails says so, and succeeds when repeated."""
    faults.storm(0.25)
    pushed: list[bytes] = []
    for number, way in enumerate(WAYS * 2):
        content = fresh(LARGE if number % 2 else SMALL)
        _until_done(partial(way, repository, content))
        pushed.append(content)
    for content in pushed:
        got = _until_done(partial(repository.blob, digest_of(content)))
        assert got.content == content
    assert any(one.fault for one in faults.seen)
    faults.clear()
    for content in pushed:
        assert repository.blob(digest_of(content)).content == content


@pytest.mark.parametrize("fault", [Fault.SLOW_DOWN, Fault.INTERNAL_ERROR, Fault.RESET])
def test_a_store_that_fails_for_good_is_told_and_nothing_partial_shows(
    repository: Repository, faults: FaultProxy, fault: Fault
) -> None:
    content = fresh(SMALL)
    faults.fail(fault, times=float("inf"), method="PUT")
    answer = WAYS[0](repository, content)
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert "blob store" in answer.json()["errors"][0]["message"]
    faults.clear()
    assert repository.blob(digest_of(content)).status_code == 404
    assert WAYS[0](repository, content).status_code == 201


def test_a_full_store_is_told(repository: Repository, faults: FaultProxy) -> None:
    faults.fail(Fault.FULL, times=float("inf"), method="PUT")
    assert WAYS[0](repository, fresh(SMALL)).status_code == 507


def test_a_truncated_answer_never_looks_whole(repository: Repository, faults: FaultProxy) -> None:
    streamed(repository, LARGE).raise_for_status()
    faults.fail(Fault.TRUNCATE, times=float("inf"), method="GET")
    with pytest.raises(httpx.RemoteProtocolError):
        repository.blob(digest_of(LARGE))
    faults.clear()
    faults.fail(Fault.TRUNCATE, times=2, method="GET")
    assert repository.blob(digest_of(LARGE)).content == LARGE


def test_a_store_that_fails_before_the_first_byte_is_an_error_not_a_broken_answer(
    repository: Repository, faults: FaultProxy
) -> None:
    streamed(repository, LARGE).raise_for_status()
    faults.fail(Fault.SLOW_DOWN, times=float("inf"), method="GET")
    assert repository.blob(digest_of(LARGE)).status_code == 503


def test_a_store_that_falls_silent_does_not_silence_what_needs_no_blobs(
    s3: S3Server, faults: FaultProxy, tmp_path: Path
) -> None:
    """More pulls than the worker has threads wait for the store, each for its many attempts."""
    more = {"WHARFINGER_THREADS": "4", "WHARFINGER_S3_ATTEMPTS": "20"}
    settings = settings_of(s3, faults.endpoint, **more)
    settings["WHARFINGER_S3_TIMEOUT_SECONDS"] = "3"
    with running(tmp_path / "data", settings) as (server, repository):
        assert WAYS[0](repository, SMALL).status_code == 201
        faults.fail(Fault.STALL, times=float("inf"), method="GET")
        refused: list[httpx.Response] = []

        def pull() -> None:
            with suppress(httpx.HTTPError):  # some wait until the server ends
                refused.append(repository.blob(digest_of(SMALL)))

        pulls = [threading.Thread(target=pull) for _ in range(8)]
        for one in pulls:
            one.start()
        _eventually(lambda: sum(one.fault is Fault.STALL for one in faults.seen) >= 3 or None)

        with Operator.of(server).http as http:
            answer = http.get("/oauth/token?service=registry", timeout=20)

        assert answer.status_code == 200
        _eventually(lambda: len(refused) >= 5 or None)
        assert {answer.status_code for answer in refused} == {503}
        assert all(int(answer.headers["Retry-After"]) for answer in refused)
        faults.clear()
    for one in pulls:
        one.join()


def test_readiness_names_the_part_that_is_missing(server: Server, faults: FaultProxy) -> None:
    faults.fail(Fault.RESET, times=float("inf"))

    def ready(status: int) -> httpx.Response | None:
        answer = httpx.get(f"{server.api}/health/ready", timeout=30)
        return answer if answer.status_code == status else None

    # What was found is remembered for a moment.
    assert "blob store" in str(_eventually(partial(ready, 503)).json())
    chinese = httpx.get(f"{server.api}/health/ready", headers={"Accept-Language": "zh-CN"})
    assert chinese.json()["parts"]["blobs"]["message"].endswith("blob 存储")
    faults.clear()
    _eventually(partial(ready, 200))


def test_keys_are_neither_logged_nor_told(
    s3: S3Server, server: Server, repository: Repository, faults: FaultProxy
) -> None:
    faults.fail(Fault.DENIED, times=1, method="PUT")
    answer = WAYS[0](repository, fresh(SMALL))
    assert answer.status_code == 503
    log = server.log.read_text()
    assert "AccessDenied" in log
    arguments = [Path(f"/proc/{pid}/cmdline").read_text() for pid in children(server.pid)]
    for text in (log, answer.text, *arguments):
        assert s3.secret_key not in text
        assert s3.access_key not in text


# --- Redirects -----------------------------------------------------------------------------


def test_downloads_straight_from_the_store(s3: S3Server, tmp_path: Path) -> None:
    settings = settings_of(s3, WHARFINGER_BLOBS_REDIRECT="true")
    with running(tmp_path / "data", settings) as (_, repository):
        streamed(repository, LARGE).raise_for_status()
        digest = digest_of(LARGE)
        answer = repository.blob(digest)
        assert answer.status_code == 307
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert answer.headers["Docker-Content-Digest"] == digest
        location = answer.headers["Location"]
        assert "X-Amz-Expires=600&" in location
        assert httpx.get(location).content == LARGE
        got = httpx.get(location, headers={"Range": "bytes=5-9"})
        assert (got.status_code, got.content) == (206, LARGE[5:10])
        assert repository.head(digest).status_code == 200
        assert repository.blob(digest, **{"If-None-Match": f'"{digest}"'}).status_code == 304
        assert repository.blob(digest_of(b"unknown")).status_code == 404
        anonymous = httpx.get(str(answer.url))
        assert anonymous.status_code == 401

        # Nobody is sent to other bytes than those that were pushed.
        s3.client().put_object(Bucket=BUCKET, Key=_key(answer), Body=LARGE[::-1])
        replaced = repository.blob(digest)
        assert replaced.status_code == 404
        assert "WHF0144" in replaced.text
        streamed(repository, LARGE).raise_for_status()
        s3.client().delete_object(Bucket=BUCKET, Key=_key(repository.blob(digest)))
        assert "WHF0144" in repository.blob(digest).text


def _key(redirect: httpx.Response) -> str:
    """The key of the object that a client is sent to."""
    return httpx.URL(redirect.headers["Location"]).path.partition(f"/{BUCKET}/")[2]


# --- Nodes ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def nodes(
    s3: S3Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, Server, Repository]]:
    """Two nodes over one database and one bucket, each with a data folder of its own."""
    folder = tmp_path_factory.mktemp("nodes")
    with fresh_database("template1") as url:
        more = {"WHARFINGER_DATABASE_URL": url, "WHARFINGER_UPLOAD_LEASE_SECONDS": "3"}
        settings = settings_of(s3, **more)
        with running(folder / "one", settings) as (one, repository):
            (folder / "two").mkdir()
            key = (folder / "one" / "master.key").read_bytes()
            (folder / "two" / "master.key").write_bytes(key)
            with Server(folder / "two", settings=settings) as two:
                yield one, two, repository


def test_an_upload_goes_on_at_another_node(nodes: tuple[Server, Server, Repository]) -> None:
    _, two, repository = nodes
    content = fresh(LARGE)
    with repository.at(two.api) as other:
        upload = repository.open()
        turns = [repository, other]
        for number, chunk in enumerate(pieces(content, 3 * MIB + 11)):
            turns[number % 2].append(upload, chunk).raise_for_status()
            assert turns[(number + 1) % 2].stands(upload) % (3 * MIB + 11) in {0, len(chunk)}
        assert other.finish(upload, digest_of(content)).status_code == 201
        assert repository.blob(digest_of(content)).content == content


def test_a_node_that_is_killed_while_it_holds_an_upload_is_taken_over(
    nodes: tuple[Server, Server, Repository],
) -> None:
    one, two, repository = nodes
    content = fresh(LARGE)
    upload = repository.open()
    repository.append(upload, content[:1000]).raise_for_status()
    sent, over = threading.Event(), threading.Event()

    def body() -> Iterator[bytes]:
        yield from pieces(content[1000 : PART + MIB], 100_000)
        sent.set()
        over.wait(SECONDS)

    def push() -> None:
        with pytest.raises(httpx.TransportError), repository.at(one.api) as doomed:
            doomed.append(upload, body())

    pusher = threading.Thread(target=push)
    pusher.start()
    assert sent.wait(SECONDS)
    with repository.at(two.api) as other:
        # Its signs of life tell how much of what it takes is safe in the store.
        stands = _eventually(lambda: _more_than(other, upload, 1000))
        assert other.append(upload, b"x").status_code == 409
        for pid in children(one.pid):
            os.kill(pid, signal.SIGKILL)
        one.kill9()
        over.set()
        after = _eventually(lambda: _free(other, upload, content))
        assert after >= stands
        assert other.finish(upload, digest_of(content)).status_code == 201
        assert other.blob(digest_of(content)).content == content
    pusher.join(SECONDS)
    one.start()


def _free(repository: Repository, upload: str, content: bytes) -> int | None:
    """Go on with the upload once its dead holder's lease has ended; where it stood."""
    stands = repository.stands(upload)
    answer = repository.append(upload, content[stands:])
    if answer.status_code == 409:
        return None
    answer.raise_for_status()
    return stands


def _more_than(repository: Repository, upload: str, size: int) -> int | None:
    stands = repository.stands(upload)
    return stands if stands > size else None


def _answered(answer: httpx.Response) -> httpx.Response | None:
    return answer if answer.status_code == 200 else None


def _eventually(look: Callable[[], _T | None]) -> _T:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        if (found := look()) is not None:
            return found
        time.sleep(0.05)
    raise AssertionError(f"not within {SECONDS:.0f} s")


def _until_done(call: Callable[[], httpx.Response]) -> httpx.Response:
    """Repeat, as clients do, what fails with an error that allows it or with a cut connection."""
    for _ in range(40):
        try:
            answer = call()
        except (httpx.RemoteProtocolError, httpx.HTTPStatusError) as error:
            failed = getattr(error, "response", None)
            assert failed is None or failed.status_code in {409, 503}, failed.text
            continue
        if answer.is_success:
            return answer
        assert answer.status_code in {409, 503}, answer.text
    raise AssertionError("never done")


def _peak(server: Server) -> int:
    """The most memory that any worker has had so far, in bytes."""
    peaks = []
    for pid in children(server.pid):
        status = Path(f"/proc/{pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
        peaks.append(int(line.split()[1]) * 1024)
    return max(peaks)
