"""``wharfd plan|usage`` and ``wharfd account set-plan``: plans, and what was used."""

import csv
import json
import re
import sys

import click

from wharfinger.commands.telling import OUTPUT, opened_rooms
from wharfinger.commands.tenants import account, print_fields
from wharfinger.plans import UNLIMITED
from wharfinger.quotas.model import MONTH_PATTERN
from wharfinger.settings import Settings


@click.group()
def plan() -> None:
    """Plans: how much accounts may store and have downloaded."""


@plan.command("list")
@OUTPUT
@click.pass_obj
def plan_list(settings: Settings, output: str) -> None:
    """List the plans with their limits in megabytes of 2^20."""
    plans = settings.offered_plans
    rows = [
        {
            "plan": one.name,
            "storage_megabytes": one.storage_megabytes,
            "traffic_megabytes": one.traffic_megabytes,
            "default": one is plans.default,
        }
        for one in plans
    ]
    if output == "json":
        click.echo(json.dumps(rows))
        return
    for row in rows:
        storage, traffic = _shown(row["storage_megabytes"]), _shown(row["traffic_megabytes"])
        default = "   for new accounts" if row["default"] else ""
        click.echo(f"{row['plan']:<16} storage {storage:>12}   traffic {traffic:>12}{default}")


@account.command("set-plan")
@click.argument("account_id", metavar="ACCOUNT")
@click.argument("plan_name", metavar="PLAN")
@click.option("--region", "region_name", metavar="NAME", help="Region; default: the first.")
@OUTPUT
@click.pass_obj
def account_set_plan(
    settings: Settings, account_id: str, plan_name: str, region_name: str | None, output: str
) -> None:
    """Put an account on a plan in a region, also on one that allows less."""
    regions = settings.served
    region = regions.named(region_name) if region_name else regions.first
    if region is None:
        raise click.BadParameter(f"there is no region '{region_name}'", param_hint="--region")
    with opened_rooms(settings) as rooms:
        found = rooms.quotas.quotas.operator_set_plan(account_id, region.name, plan_name)
        fields: dict[str, object] = {"account": account_id, "region": region.name}
        print_fields(output, fields | {"plan": found.name})


@click.group()
def usage() -> None:
    """Usage: what accounts stored and had downloaded."""


@usage.command("export")
@click.argument("month", metavar="YYYY-MM")
@click.pass_obj
def usage_export(settings: Settings, month: str) -> None:
    """Write a month of every account, as CSV, to standard output."""
    if not re.fullmatch(MONTH_PATTERN, month):
        raise click.BadParameter("a month is written YYYY-MM", param_hint="YYYY-MM")
    writer = csv.writer(sys.stdout)
    writer.writerow(("region", "account", "month", "storage_gb_months", "traffic_bytes"))
    with opened_rooms(settings) as rooms:
        for line in rooms.quotas.quotas.operator_usage(month):
            # As in `quotas.http_v1`: programs that read tables know no 1e-08.
            stored = f"{line.month.gigabyte_months:.9f}"
            writer.writerow((*line.holder, month, stored, line.month.traffic))


def _shown(megabytes: object) -> str:
    return "unlimited" if megabytes == UNLIMITED else f"{megabytes} MB"
