"""What the plug-in declares; its commands' modules are imported when they are used."""

from typing import Final

from wharf.plugin_api import Command, Flag, Namespace, Plugin, Text

_OUTPUT: Final = Flag(
    "output", Text("Form of the output"), "choice", short="o", choices=("text", "json")
)

PLUGIN: Final = Plugin(
    namespaces=(
        Namespace("cr", Text("Manage the content and configuration of the container registry")),
    ),
    commands=(
        Command(
            "namespace-list",
            Text("List the namespaces of your account"),
            "wharf_container_registry.namespaces:list_all",
            namespace="cr",
            aliases=("namespaces",),
            flags=(_OUTPUT,),
        ),
    ),
)
