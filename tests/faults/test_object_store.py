"""The object store failing, slow, cut short, silent and gone, beneath clients that push on."""

from __future__ import annotations

import time
from pathlib import Path

import httpx

from tests.faults.killer import wait_for
from tests.faults.ledger import Tally
from tests.faults.stage import QUICKLY, Stage, apart, reported
from tests.support.faults import Fault, FaultProxy
from tests.support.s3 import S3Server

SEED = 20265
EVERY = 10**9
PATIENCE = {"WHARFINGER_S3_TIMEOUT_SECONDS": "2", "WHARFINGER_S3_ATTEMPTS": "3"}


def test_clients_outlive_what_an_object_store_does(tmp_path: Path, s3: S3Server) -> None:
    with (
        FaultProxy(s3.port) as proxy,
        apart(tmp_path, s3, proxy.endpoint, **QUICKLY, **PATIENCE) as stage,
    ):
        crew = stage.crew(SEED, clients=4)
        with reported("object-store", SEED, stage, crew):
            crew.run(20, lambda: _torment(proxy, stage, s3, crew.tally))
            crew.run(20)
            stage.require_whole()
        crew.close()
        assert crew.tally["push: acknowledged"] >= 40


def _torment(proxy: FaultProxy, stage: Stage, s3: S3Server, tally: Tally) -> None:
    # Now and then, of every kind: repeating hides it from clients.
    proxy.storm(0.1, SEED)
    time.sleep(4)
    _relent(proxy, tally)
    for fault in (Fault.INTERNAL_ERROR, Fault.SLOW_DOWN, Fault.TRUNCATE, Fault.STALL):
        proxy.fail(fault, times=EVERY)
        if fault is not Fault.TRUNCATE:
            wait_for(lambda: not _ready(stage), f"health tells of {fault.name}")
        time.sleep(1)
        _relent(proxy, tally)
        wait_for(lambda: _ready(stage), f"health is good after {fault.name}")
        time.sleep(0.5)
    proxy.fail(Fault.DRIP, times=200)
    time.sleep(1)
    _relent(proxy, tally)
    s3.stop()
    wait_for(lambda: not _ready(stage), "health tells that the store is gone")
    s3.start()
    wait_for(lambda: _ready(stage), "health is good again")


def _relent(proxy: FaultProxy, tally: Tally) -> None:
    for one in proxy.seen:
        if one.fault is not None:
            tally.add(f"requests to the store: {one.fault.name}")
    proxy.clear()


def _ready(stage: Stage) -> bool:
    return httpx.get(f"{stage.server.api}/health/ready", timeout=30).status_code == 200
