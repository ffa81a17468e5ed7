"""How the processes end, and what is there after the next start."""

from __future__ import annotations

import functools
import os
import signal
from pathlib import Path

import httpx

from tests.functional.operator.support import (
    Transfer,
    alive,
    children,
    gone,
    listens,
    ready,
    wait_for,
)
from tests.support.server import Operator, Server


def test_stop_drains(own: Server) -> None:
    own.settings["WHARFINGER_DRAIN_SECONDS"] = "300"
    own.restart()
    who = Operator.of(own)
    transfer = Transfer(own, who)
    # Sent is not received: what the server has not looked at yet it may refuse.
    wait_for(transfer.is_received, "the transfer is under way")

    os.kill(own.pid, signal.SIGTERM)
    wait_for(lambda: httpx.get(f"{own.api}/health/ready").status_code == 503, "readiness fails")

    live = httpx.get(f"{own.api}/health/live")
    draining = httpx.get(f"{own.api}/health/ready")
    assert draining.json()["code"] == "WHF0002"
    assert int(draining.headers["Retry-After"]) >= 1
    refused = httpx.get(f"{own.api}/v2/")
    assert live.status_code == 200
    assert refused.status_code == 503
    assert int(refused.headers["Retry-After"]) >= 1
    assert refused.json()["errors"][0]["detail"]["code"] == "WHF0002"

    # A second signal ends the waiting, not the transfer.
    os.kill(own.pid, signal.SIGTERM)
    wait_for(lambda: not listens(own), "listeners closed")
    assert transfer.finish() == 201
    own.stop()
    assert "stopped" in own.log_tail()

    own.settings["WHARFINGER_DRAIN_SECONDS"] = "0"
    own.start()
    token = who.registry_token(["repository:drain/app:pull"])
    headers = {"Authorization": f"Bearer {token}"}
    kept = httpx.get(f"{own.api}/v2/drain/app/blobs/{transfer.digest}", headers=headers)
    assert kept.content == transfer.content
    who.close()


def test_a_transfer_that_does_not_end_holds_up_a_stop_no_longer_than_its_setting(
    own: Server,
) -> None:
    own.settings |= {"WHARFINGER_DRAIN_SECONDS": "0", "WHARFINGER_SHUTDOWN_SECONDS": "1"}
    own.restart()
    who = Operator.of(own)
    transfer = Transfer(own, who)
    wait_for(transfer.is_received, "the transfer is under way")

    os.kill(own.pid, signal.SIGTERM)
    wait_for(lambda: '"stopped"' in own.log_tail(1), "the end, though somebody still sends")

    assert transfer.finish() != 201
    own.stop()
    own.start()
    token = who.registry_token(["repository:drain/app:pull"])
    headers = {"Authorization": f"Bearer {token}"}
    path = f"{own.api}/v2/drain/app/blobs/{transfer.digest}"
    assert httpx.get(path, headers=headers).status_code == 404
    who.close()


def test_killed_worker_is_replaced(own: Server) -> None:
    for worker in children(own.pid):
        os.kill(worker, signal.SIGKILL)
        wait_for(functools.partial(gone, own.pid, worker), "the worker is gone")
        wait_for(lambda: len(children(own.pid)) == 2, "its successor")

    wait_for(lambda: ready(own), "readiness")


def test_workers_are_as_many_as_the_command_says(tmp_path: Path) -> None:
    settings = {"WHARFINGER_WORKERS": "1"}
    with Server(tmp_path / "data", settings=settings, arguments=["--workers", "3"]) as server:
        assert len(children(server.pid)) == 4


def test_workers_end_with_a_killed_supervisor_and_a_start_succeeds(own: Server) -> None:
    before = own.operator
    workers = children(own.pid)
    assert len(workers) == 2

    os.kill(own.pid, signal.SIGKILL)
    wait_for(lambda: not any(alive(worker) for worker in workers), "the workers end")
    own.kill9()
    own.start()

    assert own.operator == before
    assert Operator.of(own).iam_token()


def test_restart_keeps_the_key(own: Server) -> None:
    before = own.operator
    token = Operator.of(own).registry_token()

    own.restart()

    assert own.operator == before
    assert Operator.of(own).iam_token()
    headers = {"Authorization": f"Bearer {token}"}
    assert httpx.get(f"{own.api}/v2/", headers=headers).status_code == 200
