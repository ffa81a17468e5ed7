"""``iam`` users, service ids and access policies (Managers of the account)."""

from collections.abc import Iterable
from typing import Any, Final

from wharf.commands.iam import FORCE, JSON, created, one
from wharf.context import Context
from wharf.declaration import Command, Flag
from wharf.text import Text

ROLES: Final = ("Reader", "Writer", "Manager")
_ROLES: Final = Flag("roles", Text("Reader, Writer or Manager"), "text", short="r", metavar="ROLE")
_NAMESPACE: Final = Flag(
    "resource", Text("Namespace that the role is for; all without it"), "text", metavar="NAMESPACE"
)
_UNUSED: Final = (
    Flag("service-name", Text("Kept without effect"), "text", hidden=True),
    Flag("resource-type", Text("Kept without effect"), "text", hidden=True),
)
ANYBODY: Final = "anonymous"


def _command(name: str, summary: Text, arguments: str = "", *flags: Flag) -> Command:
    wanted = len(arguments.split())
    place = f"wharf.commands.access:{name.replace('-', '_')}"
    return Command(name, summary, place, arguments, wanted, wanted, flags, "iam")


COMMANDS: Final = (
    _command("users", Text("List the users of the account"), "", JSON),
    _command(
        "user-add",
        Text("Add a user to the account"),
        "EMAIL",
        _ROLES,
        Flag("password", Text("Ask for a password for a user who is new")),
    ),
    _command("user-remove", Text("Remove a user from the account"), "EMAIL", FORCE),
    _command("service-ids", Text("List the service ids of the account"), "", JSON),
    _command(
        "service-id-create",
        Text("Create a service id"),
        "NAME",
        Flag("d", Text("What it is for"), "text", metavar="DESCRIPTION"),
    ),
    _command("service-id-delete", Text("Delete a service id"), "NAME", FORCE),
    _command(
        "service-api-key-create",
        Text("Create an API key of a service id"),
        "KEY_NAME SERVICE_ID",
        Flag("d", Text("What the key is for"), "text", metavar="DESCRIPTION"),
        JSON,
    ),
    _command("user-policies", Text("List the access policies of a user"), "EMAIL", JSON),
    _command(
        "user-policy-create",
        Text("Give a user a role, on one namespace or on all"),
        "EMAIL",
        _ROLES,
        _NAMESPACE,
        *_UNUSED,
    ),
    _command("user-policy-delete", Text("Take a role from a user"), "EMAIL POLICY_ID", FORCE),
    _command("service-policies", Text("List the access policies of a service id"), "NAME", JSON),
    _command(
        "service-policy-create",
        Text("Give a service id a role, on one namespace or on all"),
        "NAME",
        _ROLES,
        _NAMESPACE,
        *_UNUSED,
    ),
    _command(
        "service-policy-delete", Text("Take a role from a service id"), "NAME POLICY_ID", FORCE
    ),
)


def users(context: Context) -> None:
    """List users: e-mail, id, since when."""
    _list(context, "users", "email", Text("Email"))


def user_add(context: Context) -> None:
    """Add a user, with a role and a password where they were asked for."""
    email = context.call.arguments[0]
    body: dict[str, Any] = {"email": email}
    if context.call.given("roles"):
        body["role"] = _role(context)
    if context.call.on("password"):
        body["password"] = context.prompts.secret(Text("Password"))
    context.say(Text("Adding user {name} to the account...", name=email))
    context.identity().create("users", **body)
    context.ok()


def user_remove(context: Context) -> None:
    """Remove a user, after asking."""
    _delete(context, "users", Text("user"))


def service_ids(context: Context) -> None:
    """List service ids: name, id, since when."""
    _list(context, "serviceids", "name", Text("Name"))


def service_id_create(context: Context) -> None:
    """Create a service id."""
    name = context.call.arguments[0]
    context.say(Text("Creating service ID {name}...", name=name))
    made = context.identity().create("serviceids", name=name, description=context.call.text("d"))
    context.ok()
    context.pairs([(Text("Name"), made["name"]), (Text("ID"), made["iam_id"])])


def service_id_delete(context: Context) -> None:
    """Delete a service id, after asking."""
    _delete(context, "serviceids", Text("service ID"))


def service_api_key_create(context: Context) -> None:
    """Create a key of a service id and show it this once."""
    name, wanted = context.call.arguments
    identity = context.identity()
    owner = one(list(identity.list("serviceids")), wanted, Text("service ID"))
    facts = {"name": name, "owner": owner["name"]}
    context.say(Text("Creating API key {name} of service ID {owner}...", **facts))
    description = context.call.text("d")
    key = identity.create("apikeys", name=name, description=description, iam_id=owner["iam_id"])
    context.ok()
    if context.screen.machine:
        context.screen.json({"name": key["name"], "apikey": key["apikey"], "uuid": key["id"]})
        return
    context.say(Text("API key {name} was created", name=name))
    context.say()
    context.say(Text("Please preserve the API key! It cannot be retrieved after it's created."))
    context.pairs(
        [
            (Text("Name"), key["name"]),
            (Text("UUID"), key["id"]),
            (Text("API Key"), key["apikey"]),
        ]
    )


def user_policies(context: Context) -> None:
    """List the policies of a user, or of everybody (``anonymous``)."""
    _policies(context, "users", Text("user"))


def user_policy_create(context: Context) -> None:
    """Give a user, or everybody (``anonymous``), a role."""
    _give(context, "users", Text("user"))


def user_policy_delete(context: Context) -> None:
    """Take a role from a user, after asking."""
    _take(context)


def service_policies(context: Context) -> None:
    """List the policies of a service id."""
    _policies(context, "serviceids", Text("service ID"))


def service_policy_create(context: Context) -> None:
    """Give a service id a role."""
    _give(context, "serviceids", Text("service ID"))


def service_policy_delete(context: Context) -> None:
    """Take a role from a service id, after asking."""
    _take(context)


def _list(context: Context, kind: str, label: str, header: Text) -> None:
    context.session.require()
    found = sorted(context.identity().list(kind), key=lambda entry: entry[label])
    if context.screen.machine:
        context.screen.json(found)
        return
    context.table(
        (header, Text("ID"), Text("Created At")),
        [(entry[label], entry["iam_id"], created(entry)) for entry in found],
    )
    context.say()


def _delete(context: Context, kind: str, what: Text) -> None:
    wanted = context.call.arguments[0]
    identity = context.identity()
    entry = one(list(identity.list(kind)), wanted, what)
    if not _sure(context, Text("Really delete {kind} {name}?", kind=what, name=wanted)):
        return
    context.say(Text("Deleting {kind} {name}...", kind=what, name=wanted))
    identity.delete(kind, entry["id"])
    context.ok()


def _policies(context: Context, kind: str, what: Text) -> None:
    identity = context.identity()
    found = list(identity.list("policies", iam_id=_subject(context, kind, what)))
    if context.screen.machine:
        context.screen.json(found)
        return
    headers = (Text("Policy ID"), Text("Role"), Text("Region"), Text("Namespace"))
    context.table(headers, sorted(_policy_rows(found), key=lambda row: (row[3], row[2], row[1])))
    context.say()


def _policy_rows(found: Iterable[dict[str, Any]]) -> list[tuple[str, str, str, str]]:
    return [
        (one["id"], one["role"], one.get("region") or "", one.get("namespace") or "")
        for one in found
    ]


def _give(context: Context, kind: str, what: Text) -> None:
    role, name = _role(context), context.call.arguments[0]
    subject = _subject(context, kind, what)
    context.say(Text("Giving {kind} {name} the role {role}...", kind=what, name=name, role=role))
    namespace = context.call.text("resource") or None
    made = context.identity().create("policies", iam_id=subject, role=role, namespace=namespace)
    context.ok()
    context.pairs([(Text("Policy ID"), made["id"])])


def _take(context: Context) -> None:
    name, policy = context.call.arguments
    if not _sure(context, Text("Really delete the policy {id} of {name}?", id=policy, name=name)):
        return
    context.say(Text("Deleting the policy {id} of {name}...", id=policy, name=name))
    context.identity().delete("policies", policy)
    context.ok()


def _subject(context: Context, kind: str, what: Text) -> str:
    wanted = context.call.arguments[0]
    if wanted == ANYBODY:
        return ANYBODY
    return str(one(list(context.identity().list(kind)), wanted, what)["iam_id"])


def _role(context: Context) -> str:
    from wharf.refusals import ValueWrong

    for role in ROLES:
        if role.lower() == context.call.text("roles").lower():
            return role
    allowed = ", ".join(ROLES)
    raise ValueWrong(name="--roles", reason=Text("it is one of {allowed}", allowed=allowed))


def _sure(context: Context, question: Text) -> bool:
    return context.call.on("force") or context.prompts.confirm(question)
