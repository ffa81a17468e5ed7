"""``ks workers``: the nodes of a cluster, read with the user's own kubectl.

The service is not asked and never dials a cluster: kubectl knows how its user signs in to it.
"""

import json
import subprocess
from typing import Any, Final

from wharf.plugin_api import Context, Text, UsageWrong
from wharf_container_service.refusals import KubectlFailed, KubectlMissing

SECONDS: Final = 60
COLUMNS: Final = (
    "ID",
    "Public IP",
    "Private IP",
    "Machine Type",
    "State",
    "Status",
    "Zone",
    "Version",
)
_ZONES: Final = ("topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone")
_TYPES: Final = ("node.kubernetes.io/instance-type", "beta.kubernetes.io/instance-type")


def list_all(context: Context) -> None:
    """List the workers of the cluster that the argument or ``--cluster`` names."""
    cluster = context.call.text("cluster") or next(iter(context.call.arguments), "")
    if not cluster:
        raise UsageWrong
    workers = [worker(node) for node in _nodes(cluster)]
    if context.screen.machine:
        context.screen.json(workers)
        return
    if not context.call.on("s"):
        context.ok()
    context.screen.table(COLUMNS, [[each[name] for name in COLUMNS] for each in workers])


def worker(node: dict[str, Any]) -> dict[str, str]:
    """Return the facts of a worker from a Node object (Kubernetes API, core/v1)."""
    meta, status = node.get("metadata", {}), node.get("status", {})
    labels = meta.get("labels", {})
    addresses = {one.get("type"): one.get("address", "") for one in status.get("addresses", [])}
    conditions = {one.get("type"): one.get("status") for one in status.get("conditions", [])}
    return {
        "ID": meta.get("name", ""),
        "Public IP": addresses.get("ExternalIP", "-"),
        "Private IP": addresses.get("InternalIP", "-"),
        "Machine Type": _first(labels, _TYPES),
        "State": "normal" if "Ready" in conditions else "unknown",
        "Status": "Ready" if conditions.get("Ready") == "True" else "NotReady",
        "Zone": _first(labels, _ZONES),
        "Version": status.get("nodeInfo", {}).get("kubeletVersion", "").removeprefix("v"),
    }


def _first(labels: dict[str, str], names: tuple[str, ...]) -> str:
    return next((labels[name] for name in names if labels.get(name)), "-")


def _nodes(cluster: str) -> list[dict[str, Any]]:
    command = ["kubectl", "--context", cluster, "get", "nodes", "-o", "json"]
    try:
        # The user's own kubectl, as the user's PATH finds it: that is the point.
        done = subprocess.run(command, capture_output=True, check=False, timeout=SECONDS)  # noqa: S603
    except FileNotFoundError as error:
        raise KubectlMissing from error
    except subprocess.TimeoutExpired as error:
        raise KubectlFailed(
            reason=Text("no answer within {seconds} seconds", seconds=SECONDS)
        ) from error
    if done.returncode:
        raise KubectlFailed(reason=done.stderr.decode(errors="replace").strip()[-500:])
    try:
        return list(json.loads(done.stdout)["items"])
    except (ValueError, KeyError, TypeError) as error:
        raise KubectlFailed(reason=Text("its answer is no list of nodes")) from error
