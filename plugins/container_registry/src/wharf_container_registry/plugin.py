"""What the plug-in declares; its commands' modules are imported when they are used."""

from typing import Final

from wharf.plugin_api import Command, Flag, Namespace, Plugin, Text

_PACKAGE: Final = "wharf_container_registry"
_OUTPUT: Final = Flag(
    "output", Text("Form of the output"), "choice", short="o", choices=("text", "json")
)
_FORMAT: Final = Flag(
    "format", Text("Go template that every line is made with"), "text", metavar="TEMPLATE"
)
_QUIET: Final = Flag("quiet", Text("Write names only"), short="q")
_FORCE: Final = Flag("force", Text("Do not ask"), short="f")
_RESTRICT: Final = Flag(
    "restrict",
    Text("Only what is in this namespace or repository"),
    "text",
    metavar="NAMESPACE[/REPOSITORY]",
)
_GROUP: Final = Flag("group", Text("Name or id of a resource group"), "text", short="g")
_SCOPE: Final = Flag("scope", Text("What the exemption is for"), "text")
_ISSUE: Final = (
    _SCOPE,
    Flag("issue-type", Text("Type of the issue"), "text"),
    Flag("issue-id", Text("Id of the issue"), "text"),
)
_SWITCH: Final = (
    Flag("enable", Text("Switch on")),
    Flag("disable", Text("Switch off")),
    Flag("status", Text("Show")),
    _OUTPUT,
)
_RETENTION: Final = (
    Flag("images", Text("How many images to keep in each repository, or All"), "text"),
    Flag("retain-untagged", Text("Keep untagged images, whatever their number")),
)


def _command(
    name: str,
    summary: str,
    run: str,
    arguments: str = "",
    count: tuple[int, int | None] = (0, 0),
    flags: tuple[Flag, ...] = (),
    aliases: tuple[str, ...] = (),
) -> Command:
    return Command(
        name,
        summary,
        f"{_PACKAGE}.{run}",
        arguments=arguments,
        least=count[0],
        most=count[1],
        flags=flags,
        namespace="cr",
        aliases=aliases,
    )


def _coming(name: str, summary: str, arguments: str, flags: tuple[Flag, ...] = ()) -> Command:
    return _command(name, summary, "coming:refuse", arguments, (0, None), flags)


_ACCOUNT: Final = (
    _command("api", Text("Show where the registry's API is"), "account:api"),
    _command("info", Text("Show which registry and account are targeted"), "account:info"),
    _command(
        "login",
        Text("Sign the container client in to the registry"),
        "login:login",
        flags=(
            Flag(
                "client",
                Text("Container client to sign in"),
                "choice",
                choices=("docker", "podman"),
            ),
            Flag("credentials-only", Text("Write the client's file without calling the client")),
            Flag("helper", Text("Let the client ask for fresh credentials each time")),
        ),
    ),
    _command("plan", Text("Show your plan"), "account:plan", flags=(_OUTPUT,)),
    _command("plan-upgrade", Text("Upgrade to another plan"), "account:upgrade", "[PLAN]", (0, 1)),
    _command("quota", Text("Show your quotas and usage"), "account:quota", flags=(_OUTPUT,)),
    _command(
        "quota-set",
        Text("Set quotas below those of your plan"),
        "account:set_quota",
        flags=(
            Flag("traffic", Text("Pull traffic a month, in megabytes"), "number", metavar="MB"),
            Flag("storage", Text("Storage, in megabytes"), "number", metavar="MB"),
        ),
    ),
    _command(
        "region",
        Text("Show the targeted region and its registry"),
        "regions:show",
        flags=(Flag("network", Text("Show what a firewall has to let through")), _OUTPUT),
    ),
    _command("region-set", Text("Target a region"), "regions:choose", "[REGION]", (0, 1)),
    _command(
        "platform-metrics",
        Text("Switch the account's metrics on or off"),
        "switches:platform_metrics",
        flags=_SWITCH,
    ),
    _command(
        "private-only",
        Text("Let images move over private networks only"),
        "switches:private_only",
        flags=_SWITCH,
    ),
    _command(
        "iam-policies-enable",
        Text("Let access policies decide"),
        "switches:enable_policies",
    ),
    _command(
        "iam-policies-status",
        Text("Show whether access policies decide"),
        "switches:policies_status",
    ),
)
_NAMESPACES: Final = (
    _command(
        "namespace-add", Text("Add a namespace"), "namespaces:add", "NAMESPACE", (1, 1), (_GROUP,)
    ),
    _command(
        "namespace-assign",
        Text("Put a namespace into a resource group"),
        "namespaces:assign",
        "NAMESPACE",
        (1, 1),
        (_GROUP,),
    ),
    _command(
        "namespace-list",
        Text("List the namespaces of your account"),
        "namespaces:list_all",
        flags=(Flag("verbose", Text("Show details"), short="v"), _OUTPUT),
        aliases=("namespaces",),
    ),
    _command(
        "namespace-rm",
        Text("Remove a namespace and all images in it"),
        "namespaces:remove",
        "NAMESPACE",
        (1, 1),
        (_FORCE,),
    ),
)
_IMAGES: Final = (
    _command(
        "image-list",
        Text("List tagged images"),
        "images:list_images",
        flags=(
            Flag("no-trunc", Text("Show whole digests")),
            _FORMAT,
            _QUIET,
            _RESTRICT,
            Flag("include-ibm", Text("Show the provider's public images too")),
            _OUTPUT,
        ),
        aliases=("images",),
    ),
    _command(
        "image-digests",
        Text("List all images by digest, untagged ones too"),
        "images:list_digests",
        flags=(_FORMAT, _QUIET, _RESTRICT, Flag("va", Text("Show vulnerabilities")), _OUTPUT),
        aliases=("digests",),
    ),
    _command(
        "image-inspect",
        Text("Show all that is known of images"),
        "images:inspect",
        "IMAGE [IMAGE...]",
        (1, None),
        (_FORMAT, _OUTPUT),
    ),
    _command("image-rm", Text("Delete images"), "images:remove", "IMAGE [IMAGE...]", (1, None)),
    _command(
        "image-tag", Text("Give an image another name"), "images:tag", "SOURCE TARGET", (2, 2)
    ),
    _command("image-untag", Text("Take a tag away"), "images:untag", "IMAGE", (1, 1)),
    _command(
        "image-prune-untagged",
        Text("Delete images without a tag"),
        "images:prune_untagged",
        flags=(_FORCE, _RESTRICT, _OUTPUT),
    ),
    _command("image-restore", Text("Restore a deleted image"), "trash:restore", "IMAGE", (1, 1)),
    _command(
        "manifest-inspect",
        Text("Show a manifest"),
        "images:manifest",
        "IMAGE",
        (1, 1),
        (_QUIET,),
    ),
    _command(
        "trash-list",
        Text("List deleted images that can be restored"),
        "trash:list_all",
        flags=(
            Flag("restrict", Text("Only those of this namespace"), "text", metavar="NAMESPACE"),
            _OUTPUT,
        ),
        aliases=("trash",),
    ),
    _command(
        "retention-run",
        Text("Delete old images now"),
        "retention:run",
        "NAMESPACE",
        (1, 1),
        (*_RETENTION, _FORCE, _OUTPUT),
    ),
    _command(
        "retention-policy-set",
        Text("Let old images be deleted every day"),
        "retention:set_policy",
        "NAMESPACE",
        (1, 1),
        (*_RETENTION, _FORCE),
    ),
    _command(
        "retention-policy-list",
        Text("List retention policies"),
        "retention:list_policies",
        flags=(_OUTPUT,),
    ),
)
_TOKENS: Final = (
    _command(
        "token-add",
        Text("Ask for a registry token"),
        "tokens:add",
        flags=(
            Flag("description", Text("What the token is for"), "text"),
            Flag("quiet", Text("Write the token only"), short="q"),
            Flag("non-expiring", Text("A token without an end")),
            Flag("readwrite", Text("A token that pushes too")),
        ),
    ),
    _command("token-get", Text("Show a token again"), "tokens:get", "TOKEN", (1, 1)),
    _command(
        "token-list",
        Text("List registry tokens"),
        "tokens:list_all",
        flags=(_FORMAT, _OUTPUT),
        aliases=("tokens",),
    ),
    _command(
        "token-rm", Text("Remove registry tokens"), "tokens:remove", "TOKEN [TOKEN...]", (1, None)
    ),
)
_COMING: Final = (
    _coming(
        "build",
        Text("Build an image in the service (coming)"),
        "DIRECTORY",
        (
            Flag("no-cache", Text("Use no earlier layers")),
            Flag("pull", Text("Pull the base image anew")),
            _QUIET,
            Flag("build-arg", Text("Value of a build argument"), "list", metavar="KEY=VALUE"),
            Flag("file", Text("The Dockerfile"), "text", short="f"),
            Flag("tag", Text("Name of the image"), "text", short="t"),
        ),
    ),
    Command(
        "va",
        Text("Show the vulnerabilities of images (coming)"),
        f"{_PACKAGE}.coming:refuse",
        arguments="IMAGE [IMAGE...]",
        most=None,
        flags=(
            Flag("extended", Text("Show more"), short="e"),
            Flag("vulnerabilities", Text("Show vulnerabilities only"), short="v"),
            Flag("configuration-issues", Text("Show configuration issues only"), short="c"),
            _OUTPUT,
        ),
        namespace="cr",
        aliases=("vulnerability-assessment",),
    ),
    _coming("exemption-add", Text("Exempt from an issue (coming)"), "", _ISSUE),
    Command(
        "exemption-list",
        Text("List exemptions (coming)"),
        f"{_PACKAGE}.coming:refuse",
        most=None,
        flags=(_SCOPE,),
        namespace="cr",
        aliases=("exemptions",),
    ),
    _coming("exemption-rm", Text("Remove an exemption (coming)"), "", _ISSUE),
    _coming("exemption-types", Text("List types of issues (coming)"), ""),
    _coming(
        "ppa-archive-load",
        Text("Load licensed software from an archive (coming)"),
        "",
        (
            Flag("archive", Text("The archive"), "text"),
            Flag("namespace", Text("Where its images go"), "text"),
            Flag("chartmuseum-uri", Text("Where its charts go"), "text"),
            Flag("chartmuseum-user", Text("User there"), "text"),
            Flag("chartmuseum-password", Text("Password there"), "text"),
        ),
    ),
)

PLUGIN: Final = Plugin(
    namespaces=(
        Namespace("cr", Text("Manage the content and configuration of the container registry")),
    ),
    commands=(*_ACCOUNT, *_NAMESPACES, *_IMAGES, *_TOKENS, *_COMING),
)
