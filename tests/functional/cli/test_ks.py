"""The `ks` commands against a real API server, and what colleagues see of a registered cluster."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import NewTenant
from tests.support.command_line import CHINESE, CommandLine
from tests.support.kubernetes import Kubernetes
from tests.support.server import Server, Tenant
from tests.support.tools import ensure

IBM = "ibm-cloud.kubernetes.io"
WORKERS = (
    "kube-dal10-cr0123456789abcdef0123456789abcdef-w1",
    "kube-dal10-cr0123456789abcdef0123456789abcdef-w2",
)
HEADINGS = ["ID", "Public IP", "Private IP", "Machine Type", "State", "Status", "Zone", "Version"]


@pytest.fixture(scope="session")
def kubernetes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kubernetes]:
    with Kubernetes(tmp_path_factory.mktemp("kubernetes")) as running:
        yield running


@pytest.fixture
def cluster(kubernetes: Kubernetes) -> Iterator[Kubernetes]:
    """A cluster of three: two workers as IBM's service labels them, one as others do."""
    for number, (name, address) in enumerate(
        (("10.177.184.220", "169.47.252.42"), ("10.177.184.221", "169.47.252.43"))
    ):
        kubernetes.add_node(
            name,
            labels={
                f"{IBM}/worker-id": WORKERS[number],
                f"{IBM}/worker-version": "1.10.7_1520",
                f"{IBM}/worker-pool-name": "default",
                f"{IBM}/machine-type": "u2c.2x4.encrypted",
                "failure-domain.beta.kubernetes.io/zone": "dal10",
            },
            addresses={"InternalIP": name, "ExternalIP": address},
            version="v1.10.7+IKS",
        )
    kubernetes.add_node(
        "node-3",
        labels={
            "node.kubernetes.io/instance-type": "m5.large",
            "topology.kubernetes.io/zone": "eu-de-1",
            "eks.amazonaws.com/nodegroup": "spare",
        },
        addresses={"InternalIP": "10.0.0.3"},
        ready="False",
        version=f"v{kubernetes.version}",
        unschedulable=True,
    )
    yield kubernetes
    kubernetes.forget_nodes()


@pytest.fixture
def user(ibmcloud: CommandLine, house_wheels: dict[str, Path]) -> CommandLine:
    """Somebody with the plug-in, signed in nowhere, whose kubeconfig is empty."""
    ibmcloud.variables["KUBECONFIG"] = str(ibmcloud.home / "kubeconfig")
    ibmcloud.variables["PATH"] = f"{ensure('kubectl').parent}:/usr/bin:/bin"
    ibmcloud.ok("plugin", "install", str(house_wheels["container-service"]))
    return ibmcloud


@pytest.fixture
def owner(user: CommandLine, cluster: Kubernetes) -> CommandLine:
    """Somebody whose kubeconfig has the cluster."""
    cluster.kubeconfig(user.home / "kubeconfig", "shop")
    return user


@pytest.fixture
def tenant(new_tenant: NewTenant) -> Tenant:
    return new_tenant()


@pytest.fixture
def registrar(owner: CommandLine, server: Server, tenant: Tenant) -> CommandLine:
    """The owner, signed in to the registry."""
    owner.ok("login", "-a", server.api, "--apikey", tenant.api_key)
    return owner


@pytest.fixture
def colleague(
    tmp_path: Path, server: Server, tenant: Tenant, house_wheels: dict[str, Path]
) -> CommandLine:
    """A Reader of the same account on another machine, which has no kubectl."""
    home = tmp_path / "colleague"
    home.mkdir()
    other = CommandLine(home, variables={"PATH": str(home)})
    other.ok("plugin", "install", str(house_wheels["container-service"]))
    key = tenant.service_key("colleague", "Reader")
    other.ok("login", "-a", server.api, "--apikey", key)
    return other


def table(text: str) -> list[list[str]]:
    return [
        [cell.strip() for cell in line.split("   ") if cell.strip()] for line in text.splitlines()
    ]


def test_the_table_is_that_of_2018(owner: CommandLine, cluster: Kubernetes) -> None:
    told = owner.ok("ks", "workers", "shop")

    first, *rows = told.splitlines()
    assert first == "OK"
    assert re.split(r" {3,}", rows[0].rstrip()) == HEADINGS
    assert rows[1].split() == [
        WORKERS[0],
        "169.47.252.42",
        "10.177.184.220",
        "u2c.2x4.encrypted",
        "normal",
        "Ready",
        "dal10",
        "1.10.7_1520*",
    ]
    assert rows[3].split() == [
        "node-3",
        "-",
        "10.0.0.3",
        "m5.large",
        "normal",
        "NotReady,SchedulingDisabled",
        "eu-de-1",
        cluster.version,
    ]
    assert len(rows) == 4
    # Every column is padded, the last too: scripts cut at the same place in each line.
    assert len({len(row) for row in rows}) == 1
    for words in (("cs", "workers", "shop"), ("ks", "workers", "--cluster", "shop")):
        assert owner.named("bx").ok(*words) == told
    assert owner.ok("ks", "workers", "shop", "-s") == told.removeprefix("OK\n")
    assert owner.in_chinese().ok("ks", "workers", "shop").startswith("确定\n")


def test_pools_and_json(owner: CommandLine) -> None:
    shown = table(owner.ok("ks", "workers", "shop", "--show-pools", "--worker-pool", "spare"))
    assert shown[1] == [*HEADINGS, "Worker Pool"]
    assert [row[0] for row in shown[2:]] == ["node-3"]
    assert shown[2][-1] == "spare"

    told = json.loads(owner.ok("ks", "workers", "shop", "--json"))
    assert [one["id"] for one in told] == [*WORKERS, "node-3"]
    assert told[0]["publicIP"] == "169.47.252.42"
    assert told[0]["kubeVersion"] == "1.10.7_1520"
    assert told[0]["poolName"] == "default"
    assert told[1]["targetVersion"] == told[2]["kubeVersion"]


def test_deleted_workers_and_why(owner: CommandLine, cluster: Kubernetes) -> None:
    cluster.remove_node("node-3", "it does not exist in the cloud provider \x1b[2J")

    assert "node-3" not in owner.ok("ks", "workers", "shop")
    shown = table(owner.ok("ks", "workers", "shop", "--show-deleted"))
    assert shown[1] == [*HEADINGS, "Reason For Deletion"]
    assert shown[-1][0] == "node-3"
    assert "deleted" in shown[-1]
    # What would act on the terminal is shown as what it is: nothing.
    assert shown[-1][-1] == "it does not exist in the cloud provider ?[2J"


def test_who_may_see_nodes_alone_sees_workers(user: CommandLine, cluster: Kubernetes) -> None:
    cluster.kubeconfig(user.home / "kubeconfig", "arn:aws:eks:x:1:cluster/shop", "viewer")

    told = user.ok("ks", "workers", "arn:aws:eks:x:1:cluster/shop", "--show-deleted")
    assert WORKERS[0] in told


def test_clusters_that_cannot_be_read(
    user: CommandLine, kubernetes: Kubernetes, tmp_path: Path
) -> None:
    kubernetes.kubeconfig(user.home / "kubeconfig", "shop", "viewer")
    assert user.failed("ks", "workers", "other").splitlines()[0] == (
        "Your kubeconfig has no context named 'other'."
    )
    assert (
        user.in_chinese()
        .failed("ks", "workers", "other")
        .startswith("您的 kubeconfig 中没有名为“other”的上下文。\n")
    )
    assert user("ks", "workers").code == 2
    user.variables["PATH"] = str(tmp_path)
    assert user.failed("ks", "workers", "shop").splitlines()[0] == (
        "kubectl is not installed, or not in the PATH."
    )


def test_a_cluster_that_refuses_the_user(user: CommandLine, kubernetes: Kubernetes) -> None:
    path = kubernetes.kubeconfig(user.home / "kubeconfig", "shop")
    path.write_text(path.read_text().replace(kubernetes.tokens["admin"], "ended"))

    said = user.failed("ks", "workers", "shop")
    assert said.startswith("The cluster could not be read: ")
    assert "must be logged in" in said or "Unauthorized" in said


def test_a_colleague_sees_what_was_registered(
    registrar: CommandLine, colleague: CommandLine, tenant: Tenant, cluster: Kubernetes
) -> None:
    missing = colleague.failed("ks", "workers", "shop").splitlines()
    assert missing[0] == "No cluster named 'shop' is registered in this account"
    assert "ks cluster-register" in missing[1]

    said = registrar.ok("ks", "cluster-register", "shop")
    assert said.splitlines()[:3] == [
        "Reading the workers of cluster 'shop'...",
        "Registering cluster 'shop' with 3 workers...",
        "OK",
    ]

    live = registrar.ok("ks", "workers", "shop")
    told = colleague.ok("ks", "workers", "shop")
    assert told.startswith(live)
    moment = re.fullmatch(
        r"\nThese facts of 'shop' are from (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ), when "
        rf"{tenant.namespace}@example\.com registered them\.\n",
        told.removeprefix(live),
    )
    assert moment
    assert registrar.ok("ks", "workers", "shop", "--registered") == told
    machine = colleague("ks", "workers", "shop", "--json")
    assert json.loads(machine.out) == json.loads(registrar.ok("ks", "workers", "shop", "--json"))
    assert moment[1] in machine.err

    uid = cluster.call("GET", "/api/v1/namespaces/kube-system")["metadata"]["uid"]
    listed = table(colleague.ok("ks", "clusters"))
    assert listed[1] == ["Name", "ID", "Workers", "Registered", "Registered By"]
    assert listed[2] == ["shop", uid, "3", moment[1], f"{tenant.namespace}@example.com"]
    assert json.loads(colleague.ok("ks", "clusters", "--json"))[0]["worker_count"] == 3
    colleague.locale = CHINESE
    assert "的这些信息由" in colleague.ok("ks", "workers", "shop")


def test_workers_that_went_are_remembered(
    registrar: CommandLine, colleague: CommandLine, cluster: Kubernetes
) -> None:
    registrar.ok("ks", "cluster-register", "shop", "--name", "the shop")
    # The event names the node, which IBM calls by its private address.
    cluster.remove_node("10.177.184.221", "scaled down")
    registrar.ok("ks", "cluster-register", "--cluster", "shop", "--name", "the shop")

    assert WORKERS[1] not in colleague.ok("ks", "workers", "the shop")
    told = json.loads(colleague.ok("ks", "workers", "the shop", "--show-deleted", "--json"))
    gone = told[-1]
    assert (gone["id"], gone["state"], gone["reasonForDelete"]) == (
        WORKERS[1],
        "deleted",
        "scaled down",
    )
    assert gone["publicIP"] == "169.47.252.43"
    assert len(told) == 3


def test_registrations_are_removed_and_are_the_accounts_alone(
    registrar: CommandLine,
    colleague: CommandLine,
    server: Server,
    new_tenant: NewTenant,
) -> None:
    registrar.ok("ks", "cluster-register", "shop")
    refused = colleague.refused("ks", "cluster-rm", "shop", "-f")
    assert "Writer" in refused

    asked = registrar("ks", "cluster-rm", "shop", stdin="n\n")
    assert asked.code == 0
    assert "[y/N]> " in asked.out
    assert "shop" in colleague.ok("ks", "clusters")
    assert registrar.ok("ks", "cluster-rm", "shop", "-f") == (
        "Removing the registration of cluster 'shop'...\nOK\n"
    )
    assert "shop" not in colleague.ok("ks", "clusters")

    registrar.ok("ks", "cluster-register", "shop")
    colleague.ok("login", "-a", server.api, "--apikey", new_tenant().api_key)
    assert "shop" not in colleague.ok("ks", "clusters")
    assert colleague.failed("ks", "workers", "shop").startswith("No cluster named 'shop'")
