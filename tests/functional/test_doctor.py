"""``wharfd doctor`` beside a running service, as people and programs call it."""

import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import httpx

from tests.support.server import Server, wharfd


def doctor(
    data: Path, *words: str, locale: str = "C", **settings: str
) -> subprocess.CompletedProcess[str]:
    variables = {f"WHARFINGER_{name.upper()}": value for name, value in settings.items()}
    return subprocess.run(
        [wharfd(), "--data", str(data), "doctor", *words],
        env={"PATH": os.environ["PATH"], "WHARF_LOCALE": locale, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def beside(server: Server, *words: str) -> subprocess.CompletedProcess[str]:
    """Run it with the settings of the running service."""
    ports = {"port": str(server.port), "tls_port": str(server.tls_port)}
    return doctor(server.data, *words, trust_port=str(server.trust_port), **ports)


def findings(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(done.stdout)["findings"]
    return found


def test_a_running_service_is_well(server: Server) -> None:
    done = beside(server, "--output", "json")
    ports = [one["message"] for one in findings(done) if one["check"] == "ports"]

    assert done.returncode == 0, done.stdout
    assert not [one for one in findings(done) if one["severity"] == "error"]
    assert ports == [
        f"the service is ready on 127.0.0.1:{server.port}",
        f"the service is ready on 127.0.0.1:{server.tls_port}",
    ]


def test_a_service_that_is_not_ready_is_told_with_the_part(
    tmp_path_factory: Any,
) -> None:
    data = tmp_path_factory.mktemp("ill") / "data"
    with Server(data, tls=True) as server:
        server.wait_for_jobs()
        shutil.rmtree(data / "blobs")
        deadline = time.monotonic() + 60
        while httpx.get(f"{server.api}/health/ready").status_code != 503:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        done = beside(server)

    assert done.returncode == 1
    assert "error: blob store: The blob store cannot be used" in done.stdout
    assert "WHF1167" in done.stdout
    assert "blobs: A part of the service is not available: blob store" in done.stdout


def test_settings_that_are_wrong_are_a_finding(tmp_path: Path) -> None:
    done = doctor(tmp_path, "--output", "json", port="99999999")
    (finding,) = findings(done)

    assert done.returncode == 1
    assert (finding["code"], finding["severity"]) == ("WHF1102", "error")
    assert "port" in finding["message"]
    assert finding["cure"]


def test_the_doctor_speaks_chinese(tmp_path: Path) -> None:
    done = doctor(tmp_path / "nowhere", locale="zh_CN.UTF-8")

    assert "错误: database: " in done.stdout
    assert "中还没有服务" in done.stdout
