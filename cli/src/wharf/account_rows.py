"""What ``login`` and ``target`` show of where the user stands."""

from typing import TYPE_CHECKING

from wharf.text import Text

if TYPE_CHECKING:
    from wharf.context import Context


def show(context: "Context") -> None:
    """Write the rows, or their JSON in machine mode."""
    config = context.config
    account = config.part("Account")
    group = config.part("ResourceGroup").get("Name", "")
    if context.screen.machine:
        context.screen.json(
            {
                "api_endpoint": config.text("APIEndpoint"),
                "region": config.text("Region"),
                "registry": config.text("Registry"),
                "user": {"name": config.text("User")},
                "account": {"guid": account.get("GUID", ""), "name": account.get("Name", "")},
                "resource_group": {"name": group},
                "org": config.text("Org"),
                "space": config.text("Space"),
            }
        )
        return
    no_account = Text("No account targeted, use '{command} target -c ACCOUNT_ID'")
    no_group = Text("No resource group targeted, use '{command} target -g RESOURCE_GROUP'")
    named = f"{account.get('Name', '')} ({account.get('GUID', '')})"
    context.pairs(
        [
            (Text("API endpoint:"), config.text("APIEndpoint")),
            (Text("Region:"), config.text("Region")),
            (Text("User:"), config.text("User")),
            (Text("Account:"), named if account.get("GUID") else no_account),
            (Text("Resource group:"), group or no_group),
            (Text("Org:"), config.text("Org")),
            (Text("Space:"), config.text("Space")),
        ]
    )
    context.say()
