"""Access fails behind a custom firewall, until it lets the region through (guide, section 9)."""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.functional.clients.commands import Result, run
from tests.functional.clients.drivers import Endpoint, Skopeo
from tests.functional.clients.engine import DockerEngine
from tests.functional.clients.images import Image
from tests.support.command_line import CommandLine
from tests.support.doctor import findings, last
from tests.support.kubernetes import Kubernetes
from tests.support.netns import Machine
from tests.support.server import Operator, Server, Tenant
from tests.support.tools import ensure

HOST = "registry.eu-de.test"
IMPATIENT = {"IBMCLOUD_HTTP_TIMEOUT": "3"}
"""For when nobody answers."""
REJECTING = ('outbound oifname "eth0" reject', 'inbound iifname "eth0" reject')
CLOSED = ('outbound oifname "eth0" drop', 'inbound iifname "eth0" drop')


@dataclass
class Worker:
    """A machine behind the firewall, somebody who works there, and an image to pull."""

    machine: Machine
    server: Server
    tenant: Tenant
    user: CommandLine
    image: str
    engine: DockerEngine

    def pull_with_docker(self) -> Result:
        """What a pull by the machine's own Docker engine brings."""
        command = ["docker", "--host", self.engine.host, "pull", self.image]
        return run(command, home=self.user.home)

    def pull(self, patience: str = "120s") -> Result:
        """What a pull on the machine brings."""
        skopeo = (
            str(ensure("skopeo")),
            "--insecure-policy",
            f"--command-timeout={patience}",
            "copy",
        )
        command = [*self.machine.prefix, *skopeo]
        options = ["--src-tls-verify=false", f"--authfile={self.user.home.parent / 'auth.json'}"]
        target = f"dir:{self.user.home / 'pulled'}"
        return run([*command, *options, f"docker://{self.image}", target], home=self.user.home)


@contextlib.contextmanager
def docker_at(machine: Machine, registry: str) -> Iterator[DockerEngine]:
    """The engine of that machine, which may call the registry in the open."""
    # The sockets of an engine need a short path.
    folder = Path(tempfile.mkdtemp(prefix="whf-"))
    options = [f"--insecure-registry={registry}"]
    try:
        with DockerEngine(folder, options=options, prefix=machine.prefix) as engine:
            yield engine
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def machine() -> Iterator[Machine]:
    with Machine() as made:
        yield made


@pytest.fixture
def worker(
    machine: Machine,
    tmp_path: Path,
    ibmcloud: CommandLine,
    image: Image,
    house_wheels: dict[str, Path],
) -> Iterator[Worker]:
    """Everything is set up while the firewall is open: it is closed by the tests."""
    server = Server(tmp_path / "data", settings={"WHARFINGER_HOST": "0.0.0.0"})
    registry = f"{HOST}:{server.port}"
    region = {
        "name": "eu-central",
        "hosts": [registry, server.registry],
        "networks": [{"cidrs": [f"{machine.neighbour}/32"], "ports": [server.port]}],
    }
    server.settings["WHARFINGER_REGIONS"] = json.dumps([region])
    machine.know(**{HOST: machine.neighbour})
    with server:
        operator = Operator.of(server)
        tenant = operator.create_tenant("harbour")
        user = replace(ibmcloud, prefix=machine.prefix)
        user.ok("login", "-a", f"http://{registry}", "--apikey", tenant.api_key)
        user.ok("plugin", "install", str(house_wheels["container-registry"]))
        pusher = Skopeo(Endpoint(server.registry), tmp_path / "pusher")
        pusher.login("iamapikey", tenant.api_key).succeeded()
        pusher.push(image, f"{server.registry}/harbour/app:1").succeeded()
        auth = tmp_path / "auth.json"
        credentials = ("cr", "login", "--client", "podman", "--credentials-only")
        done = user(*credentials, variables={"REGISTRY_AUTH_FILE": str(auth)})
        assert done.code == 0, done
        name = f"{registry}/harbour/app:1"
        with docker_at(machine, registry) as engine:
            user.variables["DOCKER_HOST"] = engine.host
            user.ok("cr", "login")
            yield Worker(machine, server, tenant, user, name, engine)
        tenant.close()
        operator.close()


@pytest.fixture
def colleague(tmp_path: Path, worker: Worker, house_wheels: dict[str, Path]) -> CommandLine:
    """Who runs the cluster, at another machine; what to open is told without a sign-in."""
    home = tmp_path / "colleague"
    home.mkdir()
    path = f"{ensure('kubectl').parent}:/usr/bin:/bin"
    user = CommandLine(home, variables={"KUBECONFIG": str(home / "kubeconfig"), "PATH": path})
    user.ok("api", worker.server.api)
    for name in ("container-registry", "container-service"):
        user.ok("plugin", "install", str(house_wheels[name]))
    return user


@pytest.fixture
def cluster(tmp_path: Path, worker: Worker, colleague: CommandLine) -> Iterator[str]:
    """A cluster, whose one worker is the machine behind the firewall, in their kubeconfig."""
    with Kubernetes(tmp_path / "kubernetes") as kubernetes:
        addresses = {"InternalIP": "10.0.0.1", "ExternalIP": worker.machine.address}
        kubernetes.add_node("worker-1", addresses=addresses, version="v1.10.7")
        kubernetes.kubeconfig(colleague.home / "kubeconfig", "harbour")
        yield "harbour"


def public_addresses(table: str) -> list[str]:
    """What `ks workers` has in its second column."""
    rows = [
        [cell.strip() for cell in line.split("   ") if cell.strip()] for line in table.split("\n")
    ]
    (at,) = (number for number, row in enumerate(rows) if row[:2] == ["ID", "Public IP"])
    return [row[1] for row in rows[at + 1 :] if len(row) > 1]


def rules_of(table: str, address: str) -> list[str]:
    """Firewall rules for a machine from the rows that `cr region --network` prints."""
    rules = []
    for line in table.splitlines():
        cells = line.split()
        if cells and cells[0] == "outbound":
            _, protocol, network, ports = cells
            ports = f"{{ {ports} }}"
            rules.append(f"outbound ip daddr {network} {protocol} dport {ports} accept")
        elif cells and cells[0] == "inbound":
            _, protocol, network, ports = cells
            place = f"ip saddr {network} ip daddr {address}"
            rules.append(f"inbound {place} {protocol} sport {{ {ports} }} accept")
    return rules


def test_the_networks_of_the_region_are_closed_and_then_opened(
    worker: Worker, colleague: CommandLine, cluster: str
) -> None:
    machine = worker.machine
    machine.firewall(*CLOSED)
    assert not worker.pull("6s").ok
    assert last(worker.user, worker.image, **IMPATIENT) == (13, "tcp", "WHF0813")
    page = worker.user("doctor", worker.image, variables=IMPATIENT).out
    assert "Open the firewall for the networks of the region, both ways" in page
    assert "防火墙" in worker.user.in_chinese()("doctor", worker.image, variables=IMPATIENT).out

    (address,) = public_addresses(colleague.ok("ks", "workers", cluster))
    # The other kind of firewall, with which docker need not wait until its patience ends.
    machine.firewall(*REJECTING)
    worker.pull_with_docker().refused("Error response from daemon", "connect: ")

    opened = rules_of(colleague.ok("cr", "region", "--network"), address)
    assert len(opened) == 2
    machine.firewall(*(rule for rule in opened if rule.startswith("outbound")), *CLOSED)
    assert not worker.pull("6s").ok, "the answers are not let in"

    machine.firewall(*opened, *CLOSED)
    worker.pull().succeeded()
    worker.pull_with_docker().succeeded()
    code, told = findings(worker.user, worker.image)
    assert (code, told[-1]["check"]) == (0, "credentials")
