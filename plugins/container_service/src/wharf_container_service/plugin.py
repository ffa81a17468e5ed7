"""What the plug-in declares; its commands' modules are imported when they are used."""

from typing import Final

from wharf.plugin_api import Command, Flag, Namespace, Plugin, Text

_JSON: Final = Flag("json", Text("Write JSON"))

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
                    "cluster",
                    Text("Name of the cluster: a context of kubectl, or a registered name"),
                    "text",
                    short="c",
                ),
                Flag("worker-pool", Text("Only the workers of this pool"), "text", short="p"),
                Flag("show-pools", Text("Show the pool of each worker")),
                Flag("show-deleted", Text("Show workers that were deleted too, and why they were")),
                Flag(
                    "registered",
                    Text("Show what was registered, also where kubectl could read the cluster"),
                ),
                _JSON,
                Flag("s", Text("Write nothing but the table")),
            ),
        ),
        Command(
            "cluster-register",
            Text("Register what your kubectl tells of a cluster, for everybody in the account"),
            "wharf_container_service.clusters:register",
            arguments="CLUSTER",
            most=1,
            namespace="ks",
            flags=(
                Flag(
                    "cluster", Text("Name of the cluster, a context of kubectl"), "text", short="c"
                ),
                Flag("name", Text("Register it under another name"), "text"),
            ),
        ),
        Command(
            "clusters",
            Text("List the clusters that are registered in the account"),
            "wharf_container_service.clusters:list_all",
            namespace="ks",
            flags=(_JSON,),
        ),
        Command(
            "cluster-rm",
            Text("Remove the registration of a cluster; nothing happens to the cluster"),
            "wharf_container_service.clusters:remove",
            arguments="CLUSTER",
            least=1,
            most=1,
            namespace="ks",
            flags=(Flag("force", Text("Do not ask"), short="f"),),
        ),
    ),
)
