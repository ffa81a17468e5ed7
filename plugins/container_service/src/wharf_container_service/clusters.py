"""``ks cluster-register``, ``clusters``, ``cluster-rm``: what the account knows of its clusters."""

from typing import Any

from wharf.plugin_api import Context, Text
from wharf_container_service.facts import Worker, known_as
from wharf_container_service.kubectl import Kubectl
from wharf_container_service.refusals import ContextUnknown, KubectlMissing
from wharf_container_service.workers import named
from wharfinger_common.clients.control import ControlApi
from wharfinger_common.clients.errors import NotThere
from wharfinger_common.clients.transport import segment


def register(context: Context) -> None:
    """Tell the service what the user's kubectl tells of a cluster."""
    cluster = named(context)
    name = context.call.text("name") or cluster
    control, kubectl = context.control(), Kubectl(context.environ)
    if not kubectl.found:
        raise KubectlMissing
    if not kubectl.knows(cluster):
        raise ContextUnknown(name=cluster)
    context.say(Text("Reading the workers of cluster '{cluster}'...", cluster=cluster))
    read = kubectl.read(cluster, deleted=True)
    count = len(read.workers)
    context.say(
        Text("Registering cluster '{name}' with {count} workers...", name=name, count=count)
    )
    deleted = list(known_as(read.deleted, _earlier(control, name)))
    body = {"id": kubectl.ident(cluster), "workers": read.workers, "deleted": deleted}
    control.call("PUT", f"/clusters/{segment(name)}", body=body)
    context.ok()
    context.say()
    context.say(
        Text(
            "Everybody in account '{account}' can see them now: {command} ks workers {name}",
            account=context.session.account_name,
            name=name,
        )
    )


def _earlier(control: ControlApi, name: str) -> list[Worker]:
    try:
        told = control.call("GET", f"/clusters/{segment(name)}")
    except NotThere:
        return []
    return [*told["workers"], *told["deleted"]]


def list_all(context: Context) -> None:
    """List the clusters that are registered."""
    told: list[dict[str, Any]] = context.control().call("GET", "/clusters")
    if context.screen.machine:
        context.screen.json(told)
        return
    context.ok()
    headers = (
        Text("Name"),
        Text("ID"),
        Text("Workers"),
        Text("Registered"),
        Text("Registered By"),
    )
    rows = [
        (
            one["name"],
            one["id"] or "-",
            one["worker_count"],
            one["registered"],
            one["registered_by"],
        )
        for one in told
    ]
    context.screen.table([context.words(each) for each in headers], rows)


def remove(context: Context) -> None:
    """Remove a registration."""
    (name,) = context.call.arguments
    context.session.require()
    question = Text(
        "Are you sure you want to remove the registration of cluster '{name}'?", name=name
    )
    if not context.call.on("force") and not context.prompts.confirm(question):
        return
    context.say(Text("Removing the registration of cluster '{name}'...", name=name))
    context.control().call("DELETE", f"/clusters/{segment(name)}")
    context.ok()
