"""What the plug-in declares; its commands' modules are imported when they are used."""

from typing import Final

from wharf.plugin_api import Command, Flag, Namespace, Plugin, Text

PLUGIN: Final = Plugin(
    namespaces=(Namespace("ks", Text("See the clusters that pull your images"), ("cs",)),),
    commands=(
        Command(
            "workers",
            Text("List the workers of a cluster, with their public addresses"),
            "wharf_container_service.workers:list_all",
            arguments="CLUSTER",
            most=1,
            namespace="ks",
            flags=(
                Flag(
                    "cluster", Text("Name of the cluster, a context of kubectl"), "text", short="c"
                ),
                Flag("json", Text("Write JSON")),
                Flag("s", Text("Write nothing but the table")),
            ),
        ),
    ),
)
