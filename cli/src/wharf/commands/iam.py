"""``iam oauth-tokens`` and ``iam api-keys``, ``api-key-create``, ``api-key-delete``."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from wharf.context import Context
from wharf.declaration import Command, Flag
from wharf.text import Text

if TYPE_CHECKING:
    from wharfinger_common.clients.identity import IdentityApi

JSON: Final = Flag("output", Text("Form of the output"), "choice", choices=("text", "json"))
FORCE: Final = Flag("force", Text("Do not ask"), short="f")

COMMANDS: Final = (
    Command(
        "oauth-tokens",
        Text("Print the IAM token of your session, renewed if need be"),
        "wharf.commands.iam:oauth_tokens",
        namespace="iam",
        flags=(JSON,),
    ),
    Command(
        "api-keys",
        Text("List your API keys"),
        "wharf.commands.iam:api_keys",
        namespace="iam",
        flags=(JSON,),
    ),
    Command(
        "api-key-create",
        Text("Create an API key; it is shown this once"),
        "wharf.commands.iam:create_api_key",
        arguments="NAME",
        least=1,
        most=1,
        namespace="iam",
        flags=(
            Flag("d", Text("What the key is for"), "text", metavar="DESCRIPTION"),
            Flag(
                "file", Text("File that the key is written to"), "text", short="f", metavar="FILE"
            ),
            Flag("lock", Text("Kept without effect")),
            JSON,
        ),
    ),
    Command(
        "api-key-delete",
        Text("Delete an API key"),
        "wharf.commands.iam:delete_api_key",
        arguments="NAME | UUID",
        least=1,
        most=1,
        namespace="iam",
        flags=(FORCE,),
    ),
)


def oauth_tokens(context: Context) -> None:
    """Print the token twice: what was the UAA's is IAM's."""
    token = f"Bearer {context.session.token()}"
    if context.screen.machine:
        context.screen.json({"iam_token": token, "uaa_token": token})
        return
    context.screen.answer(f"IAM token:  {token}")
    context.screen.answer(f"UAA token:  {token}")


def api_keys(context: Context) -> None:
    """List the user's own keys in the account."""
    session = context.session
    session.require()
    context.say(Text("Getting API keys of {user}...", user=session.user))
    context.ok()
    context.say()
    identity = context.identity()
    keys = list(identity.list("apikeys", iam_id=_iam_id(context)))
    keys.sort(key=lambda key: str(key["name"]))
    if context.screen.machine:
        context.screen.json([_told(key) for key in keys])
        return
    context.table(
        (
            Text("Name"),
            Text("Description"),
            Text("Created At"),
            Text("Locked"),
            Text("UUID"),
        ),
        [(key["name"], key["description"], created(key), "false", key["id"]) for key in keys],
    )
    context.say()


def create_api_key(context: Context) -> None:
    """Create a key of the user and show it, or write it to a file."""
    name, file = context.call.arguments[0], context.call.text("file")
    session = context.session
    session.require()
    context.say(Text("Creating API key {name} as {user}...", name=name, user=session.user))
    identity = context.identity()
    key = identity.create("apikeys", name=name, description=context.call.text("d"))
    if file:
        _write_or_delete(identity, file, key)
    context.ok()
    context.say(Text("API key {name} was created", name=name))
    if file:
        context.say(Text("Successfully save API key information to {file}", file=file))
        return
    if context.screen.machine:
        context.screen.json({**_told(key), "apikey": key["apikey"]})
        return
    context.say()
    context.say(Text("Please preserve the API key! It cannot be retrieved after it's created."))
    # The key comes last as well, for scripts that take the last line.
    context.pairs(
        [
            (Text("Name"), key["name"]),
            (Text("Description"), key["description"]),
            (Text("Bound To"), _bound_to(key)),
            (Text("Created At"), created(key)),
            (Text("Locked"), "false"),
            (Text("UUID"), key["id"]),
            (Text("API Key"), key["apikey"]),
        ]
    )


def _write_or_delete(identity: "IdentityApi", file: str, key: dict[str, Any]) -> None:
    """Write the file; where that does not come about there must be no key that nobody knows."""
    try:
        _write(file, key)
    except BaseException:
        identity.delete("apikeys", key["id"])
        raise


def _write(file: str, key: dict[str, Any]) -> None:
    import json
    from pathlib import Path

    from wharf.folder import write_file

    told = {
        "name": key["name"],
        "description": key["description"],
        "apikey": key["apikey"],
        "createdAt": created(key),
        "locked": False,
        "uuid": key["id"],
    }
    write_file(Path(file).expanduser(), json.dumps(told, indent=4).encode() + b"\n")


def delete_api_key(context: Context) -> None:
    """Delete the key that the argument names, after asking."""
    wanted = context.call.arguments[0]
    identity = context.identity()
    key = one(list(identity.list("apikeys")), wanted, Text("API key"))
    question = Text("Really delete API key {name}?", name=key["name"])
    if not context.call.on("force") and not context.prompts.confirm(question):
        return
    facts = {"name": key["name"], "user": context.session.user}
    context.say(Text("Deleting API key {name} as {user}...", **facts))
    identity.delete("apikeys", key["id"])
    context.ok()


def one(entries: list[dict[str, Any]], wanted: str, kind: Text) -> dict[str, Any]:
    """Return the entry with this id, or the only one with this name or e-mail.

    Raises:
        NamedNotThere, NameAmbiguous: there is none, or more than one.
    """
    from wharf.refusals import NameAmbiguous, NamedNotThere

    exact = [entry for entry in entries if wanted in {entry["id"], entry.get("iam_id")}]
    named = exact or [
        entry for entry in entries if wanted in {entry.get("name"), entry.get("email")}
    ]
    ids = {entry["id"] for entry in named}
    if not named:
        raise NamedNotThere(kind=kind, name=wanted)
    if len(ids) > 1 and not exact:
        raise NameAmbiguous(kind=kind, name=wanted)
    return named[0]


def created(entry: dict[str, Any]) -> str:
    """Return when an entry was made, as ``2019-02-01T19:06+0000``."""
    at = datetime.fromisoformat(str(entry["created_at"]).replace("Z", "+00:00"))
    return at.strftime("%Y-%m-%dT%H:%M%z")


def _iam_id(context: Context) -> str:
    from wharf.session import claims

    return str(claims(context.session.token()).get("iam_id", ""))


def _bound_to(key: dict[str, Any]) -> str:
    return f"crn:v1:bluemix:public:iam-identity::a/{key['account_id']}::user:{key['iam_id']}"


def _told(key: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": key["name"],
        "description": key["description"],
        "boundTo": _bound_to(key),
        "createdAt": created(key),
        "locked": False,
        "uuid": key["id"],
    }
