"""``wharfd account|user|apikey|namespace``: tenants, administered on the service's own machine.

They act on the database directly, also while the service runs; every write is audited with the
actor ``operator``.
"""

import json
import sys

import click

from wharfinger.commands.telling import OUTPUT, opened_rooms
from wharfinger.settings import Settings


def print_fields(output: str, fields: dict[str, object]) -> None:
    """Print ``fields`` as a line each, or as JSON."""
    if output == "json":
        click.echo(json.dumps(fields))
        return
    width = max(map(len, fields))
    for name, value in fields.items():
        click.echo(f"{name:<{width}}   {value}")


@click.group()
def account() -> None:
    """Accounts: the tenants of the service."""


@account.command("add")
@click.argument("name")
@click.option("--plan", help="Plan of the account; default: the setting default_plan.")
@OUTPUT
@click.pass_obj
def account_add(settings: Settings, name: str, plan: str | None, output: str) -> None:
    """Create an account."""
    with opened_rooms(settings) as rooms:
        made = rooms.identity.administration.operator_create_account(name, plan)
        print_fields(output, {"id": made.id, "name": made.name, "plan": made.plan})


@account.command("list")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True)
@click.option("--start", default="", help="List accounts after this id.")
@OUTPUT
@click.pass_obj
def account_list(settings: Settings, limit: int, start: str, output: str) -> None:
    """List accounts."""
    from wharfinger.identity.ports import Page

    with opened_rooms(settings) as rooms:
        accounts = rooms.identity.administration.operator_accounts(Page(limit, start))
    if output == "json":
        click.echo(json.dumps([{"id": a.id, "name": a.name, "plan": a.plan} for a in accounts]))
        return
    for entry in accounts:
        click.echo(f"{entry.id}   {entry.plan:<10} {entry.name}")


@click.group()
def user() -> None:
    """Users: people, in any number of accounts."""


@user.command("add")
@click.argument("email")
@click.option("--account", "account_id", required=True, metavar="ID", help="Account to add to.")
@click.option("--role", type=click.Choice(["Reader", "Writer", "Manager"]), default="Reader")
@click.option("--password-stdin", is_flag=True, help="Read a password from standard input.")
@OUTPUT
@click.pass_obj
def user_add(
    settings: Settings, email: str, account_id: str, role: str, *, password_stdin: bool, output: str
) -> None:
    """Add a user to an account, with a role on all of it."""
    password = sys.stdin.readline().rstrip("\n") if password_stdin else None
    with opened_rooms(settings) as rooms:
        member = rooms.identity.administration.operator_add_user(account_id, email, password, role)
        print_fields(output, {"iam_id": member.iam_id, "email": member.email, "role": role})


@user.command("password")
@click.argument("email")
@OUTPUT
@click.pass_obj
def user_password(settings: Settings, email: str, *, output: str) -> None:
    """Give a user the password typed or read from standard input; what used the old one ends."""
    if sys.stdin.isatty():
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    else:
        password = sys.stdin.readline().rstrip("\n")
    with opened_rooms(settings) as rooms:
        changed = rooms.identity.own_passwords.operator_set(email, password)
        print_fields(output, {"iam_id": changed.iam_id, "email": changed.email})


@click.group()
def apikey() -> None:
    """API keys: what docker login -u iamapikey takes as its password."""


@apikey.command("add")
@click.argument("name")
@click.option("--account", "account_id", required=True, metavar="ID", help="Account it acts in.")
@click.option("--user", "subject", required=True, metavar="IAM_ID", help="User or service id.")
@OUTPUT
@click.pass_obj
def apikey_add(settings: Settings, name: str, account_id: str, subject: str, output: str) -> None:
    """Create an API key; it is shown once."""
    with opened_rooms(settings) as rooms:
        key, secret = rooms.identity.administration.operator_create_api_key(
            account_id, subject, name
        )
        print_fields(output, {"id": key.id, "name": key.name, "apikey": secret})


@click.group()
def namespace() -> None:
    """Namespaces: what image names of an account begin with."""


@namespace.command("add")
@click.argument("name")
@click.option("--account", "account_id", metavar="ID", help="Owner; default: the operator's.")
@click.option("--region", "region_name", metavar="NAME", help="Region; default: the first.")
@OUTPUT
@click.pass_obj
def namespace_add(
    settings: Settings, name: str, account_id: str | None, region_name: str | None, output: str
) -> None:
    """Add a namespace to an account."""
    from wharfinger.identity.model import OPERATOR_ACCOUNT

    regions = settings.served
    region = regions.named(region_name) if region_name else regions.first
    if region is None:
        raise click.BadParameter(f"there is no region '{region_name}'", param_hint="--region")
    with opened_rooms(settings) as rooms:
        owner = rooms.identity.administration.operator_account(account_id or OPERATOR_ACCOUNT)
        added = rooms.namespaces.operator_add(owner.id, region.name, name)
        print_fields(
            output, {"namespace": added.namespace.name, "account": added.namespace.account}
        )
