"""The OCI distribution conformance suite with everything on that the registry offers.

The suite writes ``report.html``, ``junit.xml`` and ``results.yaml`` to ``build/conformance``.
"""

from __future__ import annotations

import os
import subprocess
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.backends import every_backend
from tests.support.server import Server, Tenant
from tests.support.tools import ensure

RESULTS = Path(__file__).resolve().parents[2] / "build" / "conformance"
SUITE_SECONDS = 600
EXPECTED_CASES = 750
"""Fewer cases than this mean that part of the suite did not run."""

SWITCHES = (
    "API_PING",
    "API_PULL",
    "API_PUSH",
    "API_BLOBS_ATOMIC",
    "API_BLOBS_DELETE",
    "API_BLOBS_DIGEST_HEADER",
    "API_BLOBS_MOUNT_ANONYMOUS",
    "API_BLOBS_UPLOAD_CANCEL",
    "API_MANIFESTS_ATOMIC",
    "API_MANIFESTS_DELETE",
    "API_MANIFESTS_DIGEST_HEADER",
    "API_MANIFESTS_TAG_PARAM",
    "API_TAGS_ATOMIC",
    "API_TAGS_DELETE",
    "API_TAGS_LIST",
    "API_REFERRER",
    "DATA_IMAGE",
    "DATA_INDEX",
    "DATA_INDEX_LIST",
    "DATA_ARTIFACT",
    "DATA_SUBJECT",
    "DATA_SUBJECT_MISSING",
    "DATA_ARTIFACT_LIST",
    "DATA_SUBJECT_LIST",
    "DATA_DATA_FIELD",
    "DATA_NONDISTRIBUTABLE",
    "DATA_CUSTOM_FIELDS",
    "DATA_NO_LAYERS",
    "DATA_EMPTY_BLOB",
    "DATA_SHA512",
)


@dataclass(frozen=True)
class Outcome:
    """How many cases the suite ran, and those that did not pass: failed, skipped or disabled."""

    cases: int
    not_passed: tuple[str, ...]

    @classmethod
    def read(cls, junit: Path) -> Outcome:
        cases = list(ET.parse(junit).getroot().iter("testcase"))
        others = [case for case in cases if case.get("status") != "passed"]
        names = tuple(f"{case.get('status')}: {case.get('name')}" for case in others)
        return cls(len(cases), names)


@pytest.fixture(scope="module")
def results() -> Path:
    """The folder of the reports, without those of an earlier run."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    for old in RESULTS.iterdir():
        old.unlink()
    return RESULTS


@every_backend
def test_registry_conforms(server: Server, tenant: Tenant, results: Path) -> None:
    done = run_suite(server.registry, tenant, results)

    outcome = Outcome.read(results / "junit.xml")
    assert not outcome.not_passed, "\n".join(outcome.not_passed)
    assert outcome.cases >= EXPECTED_CASES
    assert done.returncode == 0, done.stdout[-4000:]


def run_suite(registry: str, tenant: Tenant, results: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ensure("conformance")],
        cwd=results,
        env=suite_environment(registry, tenant, results),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=SUITE_SECONDS,
        text=True,
        check=False,
    )


def suite_environment(registry: str, tenant: Tenant, results: Path) -> dict[str, str]:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("OCI_")}
    return {
        **inherited,
        **{f"OCI_{switch}": "true" for switch in SWITCHES},
        # A manifest is visible only once everything it references is, so this one stays off.
        "OCI_DATA_SPARSE": "false",
        "OCI_VERSION": "dev",
        "OCI_TLS": "disabled",
        "OCI_REGISTRY": registry,
        "OCI_REPO1": f"{tenant.namespace}/repo1",
        "OCI_REPO2": f"{tenant.namespace}/repo2",
        "OCI_USERNAME": "iamapikey",
        "OCI_PASSWORD": tenant.api_key,
        "OCI_RESULTS_DIR": str(results),
    }
