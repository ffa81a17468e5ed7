"""The facts of workers: from Node objects and events, and as the commands show them.

A worker is a mapping with the names that IBM's container service has for its facts; they are the
same on the wire, in JSON output and here.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

Worker = dict[str, str]
Json = Mapping[str, Any]

COLUMNS: Final = {
    "ID": "id",
    "Public IP": "publicIP",
    "Private IP": "privateIP",
    "Machine Type": "machineType",
    "State": "state",
    "Status": "status",
    "Zone": "location",
    "Version": "kubeVersion",
}
"""Heading to fact, in the order of 2018."""

_IDS: Final = ("ibm-cloud.kubernetes.io/worker-id",)
_ZONES: Final = (
    "topology.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/zone",
    "ibm-cloud.kubernetes.io/zone",
)
_TYPES: Final = (
    "node.kubernetes.io/instance-type",
    "beta.kubernetes.io/instance-type",
    "ibm-cloud.kubernetes.io/machine-type",
)
_POOLS: Final = (
    "ibm-cloud.kubernetes.io/worker-pool-name",
    "eks.amazonaws.com/nodegroup",
    "cloud.google.com/gke-nodepool",
    "kubernetes.azure.com/agentpool",
    "agentpool",
)
_VERSIONS: Final = ("ibm-cloud.kubernetes.io/worker-version",)
_GOING: Final = frozenset({"RemovingNode", "DeletingNode", "ScaleDown"})
"""Reasons of events about nodes that leave (node controllers, cluster autoscaler)."""

_UNSEEN: Final = re.compile(r"[^ -~\w]")
"""What terminals may do something else with than show it; the service refuses it, too."""

_SEEN: Final = 253
"""Characters that are kept of what a cluster says."""


def worker(node: Json, target: str) -> Worker:
    """Return the facts of a worker from a Node object (Kubernetes API, core/v1).

    ``target`` is the version of the cluster's API server, which the worker could be brought to.
    """
    meta, status = node.get("metadata", {}), node.get("status", {})
    labels = meta.get("labels", {})
    addresses = {one.get("type"): one.get("address", "") for one in status.get("addresses", [])}
    kubelet = str(status.get("nodeInfo", {}).get("kubeletVersion", ""))
    state, told = _condition(node)
    return {
        "id": _first(labels, _IDS) or meta.get("name", ""),
        "publicIP": addresses.get("ExternalIP", ""),
        "privateIP": addresses.get("InternalIP", ""),
        "machineType": _first(labels, _TYPES),
        "state": state,
        "status": told,
        "location": _first(labels, _ZONES),
        "kubeVersion": _first(labels, _VERSIONS) or plain_version(kubelet),
        "targetVersion": target,
        "poolName": _first(labels, _POOLS),
        "reasonForDelete": "",
    }


def gone(events: Iterable[Json], nodes: Iterable[Json]) -> list[Worker]:
    """Return the workers that events tell of and that are not among the nodes any more."""
    present = {str(node.get("metadata", {}).get("name", "")) for node in nodes}
    found: dict[str, Worker] = {}
    for event in events:
        name = str(event.get("involvedObject", {}).get("name", ""))
        if event.get("reason") in _GOING and name and name not in present:
            reason = _UNSEEN.sub("?", " ".join(str(event.get("message", "")).split()))[:_SEEN]
            found[name] = {"id": name, "state": "deleted", "reasonForDelete": reason}
    return list(found.values())


def known_as(deleted: Iterable[Worker], earlier: Iterable[Worker]) -> Iterator[Worker]:
    """Yield deleted workers under the ids of ``earlier`` facts, where those knew their addresses.

    Events name nodes; the nodes of some providers are named by their private address.
    """
    by_address = {one["privateIP"]: one["id"] for one in earlier if one.get("privateIP")}
    for one in deleted:
        yield {**one, "id": by_address.get(one["id"], one["id"])}


def plain_version(text: str) -> str:
    """Return ``1.10.7`` for ``v1.10.7+IKS``."""
    return text.removeprefix("v").partition("+")[0]


def outdated(one: Mapping[str, str]) -> bool:
    """Whether the worker could be brought to a newer version."""
    version, target = _numbers(one.get("kubeVersion", "")), _numbers(one.get("targetVersion", ""))
    return bool(version and target) and version < target


def cells(one: Mapping[str, str], names: Sequence[str]) -> list[str]:
    """Return the facts of these names as cells of a table; what is not known is a dash."""
    shown = dict(one)
    if outdated(one):
        shown["kubeVersion"] = f"{one['kubeVersion']}*"
    return [shown.get(name) or "-" for name in names]


def _condition(node: Json) -> tuple[str, str]:
    """Return state and status."""
    conditions = {
        one.get("type"): one.get("status") for one in node.get("status", {}).get("conditions", [])
    }
    ready = conditions.get("Ready", "Unknown")
    state = "unknown" if ready == "Unknown" else "normal"
    if node.get("metadata", {}).get("deletionTimestamp"):
        state = "deleting"
    told = "Ready" if ready == "True" else "NotReady"
    unschedulable = node.get("spec", {}).get("unschedulable")
    return state, f"{told},SchedulingDisabled" if unschedulable else told


def _first(labels: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((str(labels[name]) for name in names if labels.get(name)), "")


def _numbers(version: str) -> tuple[int, ...]:
    """Return major, minor and patch; the build behind them is a provider's own."""
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])
