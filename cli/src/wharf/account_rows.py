"""What ``login`` and ``target`` show of where the user stands."""

from typing import TYPE_CHECKING

from wharf.text import Text

if TYPE_CHECKING:
    from wharf.context import Context


def show(context: "Context") -> None:
    """Write the rows, or their JSON in machine mode."""
    config, words = context.config, context.words
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
    no_account = words(Text("No account targeted, use '{command} target -c ACCOUNT_ID'"))
    no_group = words(Text("No resource group targeted, use '{command} target -g RESOURCE_GROUP'"))
    named = f"{account.get('Name', '')} ({account.get('GUID', '')})"
    context.screen.pairs(
        [
            ("API endpoint:", config.text("APIEndpoint")),
            ("Region:", config.text("Region")),
            ("User:", config.text("User")),
            ("Account:", named if account.get("GUID") else no_account),
            ("Resource group:", group or no_group),
            ("Org:", config.text("Org")),
            ("Space:", config.text("Space")),
        ]
    )
    context.say()
