"""``cr retention-run``, ``retention-policy-set``, ``retention-policy-list``."""

from typing import Any, Final

from wharf.plugin_api import Context, Text, UsageWrong

ALL: Final = -1


def run(context: Context) -> None:
    """Delete now what a policy would delete."""
    policy = _policy(context)
    name = policy["namespace"]
    context.say(
        Text(
            "Retrieving images to delete from namespace '{name}' in registry '{registry}'...",
            name=name,
            registry=context.registry,
        )
    )
    control = context.control()
    found = control.call("POST", "/retentions/analyze", body=policy)
    context.say()
    context.say(Text("Found {count} images to delete.", count=len(found)))
    if found and not context.call.on("force") and not _agreed(context, found):
        return
    told: dict[str, Any] = {"success": [], "error": {}}
    if found:
        told = control.call("POST", "/images/bulkdelete", body=sorted(found))
    if context.screen.machine:
        context.screen.json(told)
        return
    for reference in told["success"]:
        context.say(Text("Successfully deleted image '{image}'.", image=reference))
    context.say()
    context.ok()


def _agreed(context: Context, found: dict[str, list[str]]) -> bool:
    for reference, tags in sorted(found.items()):
        context.say(f"{reference}   {', '.join(tags)}")
    return context.prompts.confirm(Text("Are you sure you want to delete these images?"))


def set_policy(context: Context) -> None:
    """Let a policy delete images every day."""
    policy = _policy(context)
    context.session.require()
    keeps = policy["images_per_repo"]
    context.say(
        Text("Setting retention policy for namespace '{name}'...", name=policy["namespace"])
    )
    context.control().call("POST", "/retentions", body=policy)
    context.say()
    if keeps == ALL:
        context.say(
            Text(
                "No scheduled retention policy deletes images in {name}.", name=policy["namespace"]
            )
        )
    else:
        context.say(
            Text(
                "A scheduled retention policy is set that keeps {count} images in each repository "
                "in {name} and retain-untagged is set to {untagged}.",
                count=keeps,
                name=policy["namespace"],
                untagged="true" if policy["retain_untagged"] else "false",
            )
        )
    context.say()
    context.ok()


def list_policies(context: Context) -> None:
    """List the policies of all namespaces."""
    context.say(Text("Listing retention policies..."))
    told = context.control().call("GET", "/retentions")
    if context.screen.machine:
        context.screen.json(told)
        return
    context.say()
    headers = (Text("Namespace"), Text("Images per repository"), Text("Retain untagged images"))
    context.screen.table(
        [context.words(each) for each in headers],
        [
            (
                name,
                "All" if one["images_per_repo"] == ALL else one["images_per_repo"],
                "true" if one["retain_untagged"] else "false",
            )
            for name, one in sorted(told.items())
        ],
    )
    context.say()
    context.ok()


def _policy(context: Context) -> dict[str, Any]:
    (name,) = context.call.arguments
    wanted = context.call.text("images")
    if wanted.lower() == "all":
        images = ALL
    elif wanted.isdecimal():
        images = int(wanted)
    else:
        raise UsageWrong(Text("give --images, a number or All"))
    return {
        "namespace": name,
        "images_per_repo": images,
        "retain_untagged": context.call.on("retain-untagged"),
    }
