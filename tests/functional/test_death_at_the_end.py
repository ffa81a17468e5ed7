"""A server dies in the last request of an upload: what it acknowledged before goes on."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import httpx
import pytest
from sqlalchemy import create_engine

from tests.support.backends import SHARED_FOLDER, Backends
from tests.support.server import Operator, Server

WAIT_SECONDS = 30
FIRST = os.urandom(300_000)


@contextmanager
def no_blob_gets_its_row(server: Server) -> Iterator[None]:
    """Hold the only turn to write of SQLite, or the table of blobs: a last unit waits for it."""
    engine = create_engine(
        server.database_url.replace("postgresql://", "postgresql+psycopg://"),
        isolation_level="AUTOCOMMIT",
    )
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.exec_driver_sql("BEGIN; LOCK TABLE blobs IN EXCLUSIVE MODE")
        try:
            yield
        finally:
            connection.exec_driver_sql("ROLLBACK")
    engine.dispose()


def placed(data: Path) -> list[Path]:
    return [path for path in (data / "blobs" / "blobs").rglob("*") if path.is_file()]


def wait_for_a_blob(data: Path) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not placed(data):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def once_it_is_free(request: Callable[[], httpx.Response]) -> httpx.Response:
    """Ask again while the upload is leased to the request that died."""
    deadline = time.monotonic() + WAIT_SECONDS
    while (answer := request()).status_code == 409:
        assert time.monotonic() < deadline, answer.text
        time.sleep(0.1)
    return answer


@pytest.mark.parametrize("last", [b"", b"the last bytes"], ids=["no-body", "last-bytes"])
@pytest.mark.parametrize("backend", ["embedded", SHARED_FOLDER])
def test_an_upload_that_was_placed_and_has_no_row_goes_on(
    tmp_path: Path, backends: Backends, backend: str, last: bytes
) -> None:
    content, data = FIRST + last, tmp_path / "data"
    digest = f"sha256:{sha256(content).hexdigest()}"
    with (
        backends(backend) as settings,
        Server(data, settings={**settings, "WHARFINGER_UPLOAD_LEASE_SECONDS": "5"}) as server,
    ):
        tenant = Operator.of(server).create_tenant("death")
        path = f"/v2/{tenant.namespace}/app/blobs"

        def client() -> httpx.Client:
            token = tenant.registry_token([f"repository:{tenant.namespace}/app:pull,push"])
            headers = {"Authorization": f"Bearer {token}"}
            return httpx.Client(base_url=server.api, headers=headers, timeout=60)

        with client() as pushing:
            place = pushing.post(f"{path}/uploads/").headers["Location"]
            assert pushing.patch(place, content=FIRST).status_code == 202

            def end() -> httpx.Response:
                return pushing.put(place, params={"digest": digest}, content=last)

            def end_in_vain() -> None:
                with pytest.raises(httpx.TransportError):
                    end()

            with no_blob_gets_its_row(server):
                ending = threading.Thread(target=end_in_vain)
                ending.start()
                wait_for_a_blob(data)
                server.kill9()
                ending.join()
        (orphan,) = placed(data)
        server.restart()

        with client() as pushing:
            assert pushing.get(place).headers["Range"] == f"0-{len(FIRST) - 1}"
            answer = once_it_is_free(end)
            assert answer.status_code == 201, answer.text
            assert pushing.get(f"{path}/{digest}").content == content
        assert orphan.read_bytes() == content
        assert all(path.stat().st_nlink == 1 for path in placed(data))
        assert list((data / "blobs" / "uploads").iterdir()) == []
