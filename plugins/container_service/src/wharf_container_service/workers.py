"""``ks workers``: the workers of a cluster, from the user's kubectl or from what was registered.

The service never dials a cluster. Where the user's kubeconfig has none of the name, a colleague
may have registered it.
"""

from dataclasses import dataclass
from typing import Final

from wharf.plugin_api import Context, Text, UsageWrong
from wharf_container_service.facts import COLUMNS, Worker, cells
from wharf_container_service.kubectl import Kubectl
from wharf_container_service.refusals import ContextUnknown, KubectlMissing
from wharfinger_common.clients.transport import segment

POOL: Final = "Worker Pool"
REASON: Final = "Reason For Deletion"


@dataclass(frozen=True, slots=True)
class Found:
    """The workers of a cluster; ``registered`` and ``by`` are '' for what was read just now."""

    workers: list[Worker]
    deleted: list[Worker]
    registered: str = ""
    by: str = ""


def list_all(context: Context) -> None:
    """List the workers of the cluster that the argument or ``--cluster`` names."""
    cluster = named(context)
    found = _find(context, cluster)
    with_deleted = context.call.on("show-deleted")
    workers = [*found.workers, *(found.deleted if with_deleted else ())]
    if pool := context.call.text("worker-pool"):
        workers = [one for one in workers if one.get("poolName") == pool]
    if context.screen.machine:
        context.screen.json(workers)
    else:
        if not context.call.on("s"):
            context.ok()
        _table(context, workers, with_deleted=with_deleted)
    if found.registered:
        _tell_age(context, cluster, found)


def named(context: Context) -> str:
    """Return the cluster that the argument or ``--cluster`` names.

    Raises:
        UsageWrong: neither does.
    """
    cluster = context.call.text("cluster") or next(iter(context.call.arguments), "")
    if not cluster:
        raise UsageWrong
    return cluster


def _find(context: Context, cluster: str) -> Found:
    kubectl = Kubectl(context.environ)
    if context.call.on("registered"):
        return _registered(context, cluster)
    if kubectl.found and kubectl.knows(cluster):
        read = kubectl.read(cluster, deleted=context.call.on("show-deleted"))
        return Found(read.workers, read.deleted)
    if context.session.signed_in:
        return _registered(context, cluster)
    if not kubectl.found:
        raise KubectlMissing
    raise ContextUnknown(name=cluster)


def _registered(context: Context, cluster: str) -> Found:
    told = context.control().call("GET", f"/clusters/{segment(cluster)}")
    return Found(told["workers"], told["deleted"], told["registered"], told["registered_by"])


def _table(context: Context, workers: list[Worker], *, with_deleted: bool) -> None:
    columns = dict(COLUMNS)
    if context.call.on("show-pools"):
        columns[POOL] = "poolName"
    if with_deleted:
        columns[REASON] = "reasonForDelete"
    names = list(columns.values())
    context.screen.table(list(columns), [cells(one, names) for one in workers])


def _tell_age(context: Context, cluster: str, found: Found) -> None:
    """Say from when the facts are, where no program reads it."""
    text = Text(
        "These facts of '{cluster}' are from {time}, when {who} registered them.",
        cluster=cluster,
        time=found.registered,
        who=found.by,
    )
    if context.screen.machine or context.call.on("s"):
        context.screen.warn(context.words(text))
        return
    context.say()
    context.say(text)
