"""``login`` and ``logout``."""

from typing import Final

from wharf.context import Context
from wharf.declaration import Command, Flag
from wharf.text import Text

COMMANDS: Final = (
    Command(
        "login",
        Text("Log in to {product}"),
        "wharf.commands.login:login",
        flags=(
            Flag("a", Text("API endpoint"), "text", metavar="API_ENDPOINT"),
            Flag("apikey", Text("API key, or @FILE with one"), "text", metavar="KEY | @FILE"),
            Flag("sso", Text("Log in with a one-time passcode")),
            Flag("u", Text("User name"), "text", metavar="USERNAME"),
            Flag("p", Text("Password"), "text", metavar="PASSWORD"),
            Flag("c", Text("Id of the account"), "text", metavar="ACCOUNT_ID"),
            Flag("no-account", Text("Do not target an account")),
            Flag("g", Text("Name of the resource group"), "text", metavar="RESOURCE_GROUP"),
            Flag("r", Text("Name of the region"), "text", metavar="REGION"),
            Flag("no-region", Text("Do not target a region")),
            Flag("o", Text("Organization, kept without effect"), "text", metavar="ORG"),
            Flag("s", Text("Space, kept without effect"), "text", metavar="SPACE"),
            Flag("no-iam", Text("Kept without effect"), hidden=True),
            Flag("skip-ssl-validation", Text("Do not check the certificate of the service")),
        ),
    ),
    Command("logout", Text("Log out"), "wharf.commands.login:logout"),
)


def login(context: Context) -> None:
    """Sign in, target an account, a resource group and a region, and show where that leads."""
    from wharf.account_rows import show
    from wharf.endpoints import newer_version
    from wharf.sign_in import SignIn

    SignIn(context).run()
    show(context)
    if newer := newer_version(context):
        version, url = newer
        context.say(Text("New version {version} is available.", version=version))
        context.say(Text("Release notes: {url}", url=url))
        context.say(
            Text("TIP: use '{command} config --check-version=false' to disable update check.")
        )


def logout(context: Context) -> None:
    """Forget tokens, account and resource group."""
    context.say(Text("Logging out..."))
    context.config.forget_session()
    context.ok()
