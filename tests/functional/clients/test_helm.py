"""Helm charts in the registry (OCI): sign-in, push, pull, show, and the refusals."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from tests.conftest import NewTenant
from tests.functional.clients.commands import Result, run
from tests.functional.clients.drivers import Endpoint
from tests.support.backends import every_backend
from tests.support.server import Tenant
from tests.support.tools import ensure

USER = "iamapikey"
CHART = {
    "Chart.yaml": "apiVersion: v2\nname: greeting\nversion: 1.2.3\ndescription: Says hello\n",
    "values.yaml": "text: hello\n",
    "templates/configmap.yaml": (
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: greeting\n"
        "data:\n  text: {{ .Values.text }}\n"
    ),
}


class Helm:
    """Helm with a home folder, and so a sign-in, of its own."""

    def __init__(self, endpoint: Endpoint, home: Path) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.endpoint = endpoint
        self.home = home

    def __call__(self, *arguments: str | Path, given: str | None = None) -> Result:
        return run([ensure("helm"), *arguments], home=self.home, given=given)

    def login(self, password: str) -> Result:
        options = ["--username", USER, "--password-stdin", *self._options()]
        return self("registry", "login", *options, self.endpoint.registry, given=password)

    def push(self, archive: Path, namespace: str) -> Result:
        return self("push", archive, self._url(namespace), *self._options())

    def pull(self, namespace: str, version: str = "1.2.3") -> Result:
        return self._read("pull", namespace, version)

    def show(self, namespace: str) -> Result:
        return self._read("show", namespace, "1.2.3", "values")

    def template(self, namespace: str) -> Result:
        return self._read("template", namespace, "1.2.3")

    def _read(self, verb: str, namespace: str, version: str, *further: str) -> Result:
        chart = f"{self._url(namespace)}/greeting"
        return self(verb, *further, chart, "--version", version, *self._options())

    def _url(self, namespace: str) -> str:
        return f"oci://{self.endpoint.registry}/{namespace}"

    def _options(self) -> list[str]:
        if self.endpoint.certificates is None:
            return ["--plain-http"]
        return [f"--ca-file={self.endpoint.certificates / 'ca.crt'}"]


@pytest.fixture
def helm(endpoint: Endpoint, tmp_path: Path) -> Helm:
    return Helm(endpoint, tmp_path / "helm")


@pytest.fixture
def archive(helm: Helm, tmp_path: Path) -> Path:
    """A packaged chart."""
    for name, text in CHART.items():
        file = tmp_path / "greeting" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    helm("package", tmp_path / "greeting", "--destination", tmp_path).succeeded()
    return tmp_path / "greeting-1.2.3.tgz"


@every_backend
def test_chart_arrives_as_it_was_pushed(helm: Helm, tenant: Tenant, archive: Path) -> None:
    helm.login(tenant.api_key).succeeded()
    pushed = helm.push(archive, tenant.namespace).succeeded()

    pulled = helm.pull(tenant.namespace).succeeded()

    assert printed_digest(pulled) == printed_digest(pushed)
    assert printed_digest(pushed) == tenant.manifest(f"{tenant.namespace}/greeting", "1.2.3").digest
    assert sha256(helm.home / archive.name) == sha256(archive)


def test_chart_is_shown_and_rendered(helm: Helm, tenant: Tenant, archive: Path) -> None:
    helm.login(tenant.api_key).succeeded()
    helm.push(archive, tenant.namespace).succeeded()

    assert "text: hello" in helm.show(tenant.namespace).succeeded().output
    assert "kind: ConfigMap" in helm.template(tenant.namespace).succeeded().output


def test_chart_layer_has_the_media_type_of_charts(
    helm: Helm, tenant: Tenant, archive: Path
) -> None:
    helm.login(tenant.api_key).succeeded()
    helm.push(archive, tenant.namespace).succeeded()

    manifest = tenant.manifest(f"{tenant.namespace}/greeting", "1.2.3").document

    assert manifest["config"]["mediaType"] == "application/vnd.cncf.helm.config.v1+json"
    types = [layer["mediaType"] for layer in manifest["layers"]]
    assert types == ["application/vnd.cncf.helm.chart.content.v1.tar+gzip"]


def test_wrong_password_is_told(helm: Helm, tenant: Tenant) -> None:
    helm.login(f"{tenant.api_key}x").refused("401", "unauthorized")


def test_version_that_does_not_exist_is_named(helm: Helm, tenant: Tenant, archive: Path) -> None:
    helm.login(tenant.api_key).succeeded()
    helm.push(archive, tenant.namespace).succeeded()

    helm.pull(tenant.namespace, "9.9.9").refused("9.9.9", "not found")


def test_other_tenant_is_refused(helm: Helm, new_tenant: NewTenant, archive: Path) -> None:
    owner, other = new_tenant(), new_tenant()
    helm.login(owner.api_key).succeeded()
    helm.push(archive, owner.namespace).succeeded()
    intruder = Helm(helm.endpoint, helm.home / "intruder")
    intruder.login(other.api_key).succeeded()

    intruder.pull(owner.namespace).refused("requested access to the resource is denied")
    intruder.push(archive, owner.namespace).refused("requested access to the resource is denied")


def test_missing_namespace_tells_how_to_add_it(helm: Helm, tenant: Tenant, archive: Path) -> None:
    helm.login(tenant.api_key).succeeded()

    helm.push(archive, f"{tenant.namespace}x").refused(f"{tenant.namespace}x", "namespace-add")


def test_unknown_authority_is_refused(
    tls_endpoint: Endpoint, tenant: Tenant, tmp_path: Path
) -> None:
    stranger = Helm(tls_endpoint, tmp_path / "stranger")
    options = ["--username", USER, "--password-stdin"]

    answer = stranger("registry", "login", *options, tls_endpoint.registry, given=tenant.api_key)

    answer.refused("certificate signed by unknown authority")


def printed_digest(answer: Result) -> str:
    found = re.search(r"Digest: (sha256:[0-9a-f]{64})", answer.output)
    assert found, answer.output
    return found.group(1)


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
