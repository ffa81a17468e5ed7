"""What the plug-in declares; its commands' modules are imported when they are used."""

from typing import Final

from wharf.plugin_api import Command, Flag, Namespace, Plugin, Text

PLUGIN: Final = Plugin(
    namespaces=(Namespace("acme", Text("Tools of Acme")),),
    commands=(
        Command(
            "count",
            Text("Count the namespaces of your account"),
            "acme_tools.count:count",
            arguments="[PREFIX]",
            most=1,
            namespace="acme",
            flags=(Flag("output", Text("Form of the output"), "choice", choices=("text", "json")),),
        ),
    ),
    locale="locale",
)
