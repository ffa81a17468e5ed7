"""``cr api``, ``info``, ``plan``, ``plan-upgrade``, ``quota``, ``quota-set``."""

from typing import Any

from wharf.plugin_api import Context, Text, UsageWrong
from wharf_container_registry.show import quota_size


def api(context: Context) -> None:
    """Show where the registry's API is."""
    context.session.require()
    context.screen.pairs({context.words(Text("Registry API endpoint")): _endpoint(context)})
    _end(context)


def info(context: Context) -> None:
    """Show which registry and which account are targeted."""
    session = context.session
    session.require()
    rows = (
        (Text("Container Registry"), context.registry),
        (Text("Container Registry API endpoint"), _endpoint(context)),
        (Text("{product} API endpoint"), session.endpoint),
        (Text("{product} account details"), f"{session.account_name} ({session.account})"),
        (Text("{product} organization details"), context.config.text("Organization")),
    )
    context.screen.pairs([(context.words(name), value) for name, value in rows])
    _end(context)


def plan(context: Context) -> None:
    """Show the plan."""
    told = context.control().call("GET", "/plans")
    if context.screen.machine:
        context.screen.json({"plan": told["plan"]})
        return
    context.say(Text("You are using the '{plan}' plan.", plan=told["plan"]))
    _end(context)


def upgrade(context: Context) -> None:
    """Change to another plan, standard unless one is named."""
    wanted = next(iter(context.call.arguments), "standard")
    context.say(
        Text(
            "Upgrading account to '{plan}' plan in registry '{registry}'...",
            plan=wanted,
            registry=context.registry,
        )
    )
    context.control().call("PATCH", "/plans", body={"plan": wanted})
    _end(context)


def quota(context: Context) -> None:
    """Show limits and what is used."""
    context.say(
        Text(
            "Getting quotas and usage for the current month, for account '{account}'...",
            account=context.session.account_name,
        )
    )
    told = context.control().quotas()
    if context.screen.machine:
        context.screen.json({part: _amounts(told[part]) for part in ("usage", "limit")})
        return
    context.say()
    limit, usage = told["limit"], told["usage"]
    rows = [
        (
            context.words(name),
            context.words(quota_size(limit[key])),
            context.words(quota_size(usage[key])),
        )
        for name, key in (
            (Text("Pull traffic"), "traffic_bytes"),
            (Text("Storage"), "storage_bytes"),
        )
    ]
    headers = (Text("QUOTA"), Text("LIMIT"), Text("USED"))
    context.screen.table([context.words(each) for each in headers], rows)
    _end(context)


def set_quota(context: Context) -> None:
    """Set limits of one's own, in megabytes."""
    traffic, storage = context.call.number("traffic"), context.call.number("storage")
    if traffic is None and storage is None:
        raise UsageWrong(Text("give --traffic, --storage, or both"))
    wanted = {"storage_megabytes": storage, "traffic_megabytes": traffic}
    context.say(
        Text(
            "Setting quotas: 'storage: {storage} , traffic: {traffic}'...",
            storage="-" if storage is None else storage,
            traffic="-" if traffic is None else traffic,
        )
    )
    body = {name: value for name, value in wanted.items() if value is not None}
    context.control().call("PATCH", "/quotas", body=body)
    _end(context)


def _amounts(told: dict[str, Any]) -> dict[str, int]:
    return {"traffic": told["traffic_bytes"], "store": told["storage_bytes"]}


def _endpoint(context: Context) -> str:
    return f"{context.region_endpoint.rstrip('/')}/api"


def _end(context: Context) -> None:
    context.say()
    context.ok()
