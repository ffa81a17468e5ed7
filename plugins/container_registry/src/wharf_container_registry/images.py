"""``cr image-list``, ``image-digests``, ``image-inspect``, ``image-rm``, ``image-tag``..."""

import time
from collections.abc import Iterator
from typing import Any, Final

from wharf.plugin_api import Context, Failure, Text
from wharf_container_registry.names import ImageName, read_name, read_scope, short_digest
from wharf_container_registry.refusals import Partly
from wharf_container_registry.show import age, formatted, size
from wharf_container_registry.templates import Struct
from wharfinger_common.clients.errors import CallFailed
from wharfinger_common.clients.transport import segment

_STATUS: Final = {"unscanned": Text("Unscanned"), "unsupported": Text("Unsupported OS")}


def list_images(context: Context) -> None:
    """List tagged images by repository and tag."""
    context.say(Text("Listing images..."))
    found = (row for image in _images(context) for row in _rows(image))
    images = sorted(found, key=lambda row: (row["Repository"], row["Tag"]))
    template = context.call.text("format")
    if context.call.given("format"):
        formatted(context, template, images)
    elif context.call.on("quiet"):
        for row in images:
            context.screen.answer(f"{row['Repository']}:{row['Tag']}")
    elif context.screen.machine:
        context.screen.json(images)
    else:
        context.say()
        _table(context, images)
        _end(context)


def _images(context: Context) -> list[dict[str, Any]]:
    query: dict[str, str | int | bool | list[str] | None] = {"vulnerabilities": True}
    if context.call.on("include-ibm"):
        query["includeIBM"] = True
    if restrict := context.call.text("restrict"):
        namespace, repository = read_scope(context, restrict)
        query["repository" if repository else "namespace"] = repository or namespace
    return list(context.control().call("GET", "/images", query=query))


def _rows(image: dict[str, Any]) -> Iterator[Struct]:
    """Yield what ``--format`` sees of each tag of the image."""
    for digest, tags in sorted(image["DigestTags"].items()):
        for full in tags:
            repository, _, tag = full.rpartition(":")
            yield Struct(
                Created=image["Created"],
                Digest=digest,
                Namespace=repository.partition("/")[2].partition("/")[0],
                Repository=repository,
                SecurityStatus=_security(image),
                Size=image["Size"],
                Tag=tag,
            )


def _security(image: dict[str, Any]) -> Struct:
    """Return the verdict for programs, who compare it: in English whatever the language."""
    verdict, issues = image.get("Vulnerable"), int(image.get("IssueCount") or 0)
    counted = {0: str(Text("No Issues")), 1: str(Text("1 Issue"))}
    status = str(_STATUS.get(str(verdict)) or counted.get(issues) or f"{issues} Issues")
    exempt = int(image.get("ExemptIssueCount") or 0)
    return Struct(Status=status, IssueCount=issues, ExemptionCount=exempt)


def _status(context: Context, security: Struct) -> str:
    """Return the verdict for people."""
    issues = security["IssueCount"]
    if security["Status"] == f"{issues} Issues":
        return context.words(Text("{count} Issues", count=issues))
    return context.words.prose(security["Status"])


def _table(context: Context, images: list[Struct]) -> None:
    now, whole = time.time(), context.call.on("no-trunc")
    headers = (
        Text("REPOSITORY"),
        Text("TAG"),
        Text("DIGEST"),
        Text("NAMESPACE"),
        Text("CREATED"),
        Text("SIZE"),
        Text("SECURITY STATUS"),
    )
    rows = [
        (
            row["Repository"],
            row["Tag"],
            row["Digest"] if whole else short_digest(row["Digest"]),
            row["Namespace"],
            _age(context, now, row),
            size(row["Size"]),
            _status(context, row["SecurityStatus"]),
        )
        for row in images
    ]
    context.screen.table([context.words(each) for each in headers], rows)


def list_digests(context: Context) -> None:
    """List all manifests, tagged or not, by repository, the newest first."""
    context.say(Text("Listing image digests..."))
    restrict = context.call.text("restrict")
    scope = read_scope(context, restrict) if restrict else ("", "")
    body: dict[str, Any] = {"exclude_va": not context.call.on("va")}
    if scope[1]:
        body["repositories"] = [scope[1]]
    told = context.control().call("POST", "/images/digests", body=body)
    rows = sorted(
        (row for one in told for row in _digest_rows(one) if scope[0] in {"", row["Namespace"]}),
        key=lambda row: (row["Repository"], -(row["Created"] or 0), row["Digest"]),
    )
    if context.call.given("format"):
        formatted(context, context.call.text("format"), rows)
    elif context.call.on("quiet"):
        for row in rows:
            context.screen.answer(f"{row['Repository']}@{row['Digest']}")
    elif context.screen.machine:
        context.screen.json(rows)
    else:
        context.say()
        headers = (Text("REPOSITORY"), Text("DIGEST"), Text("TAGS"), Text("CREATED"), Text("SIZE"))
        now = time.time()
        table = [
            (
                row["Repository"],
                row["Digest"],
                ", ".join(row["Tags"]),
                _age(context, now, row),
                size(row["Size"]),
            )
            for row in rows
        ]
        context.screen.table([context.words(each) for each in headers], table)
        _end(context)


def _age(context: Context, now: float, row: Struct) -> str:
    return context.words(age(now - row["Created"])) if row["Created"] else "-"


def _digest_rows(one: dict[str, Any]) -> Iterator[Struct]:
    for repository, tags in sorted(one["repoTags"].items()):
        yield Struct(
            Repository=repository,
            Digest=one["id"],
            Tags=sorted(tags),
            ManifestType=one["manifestType"],
            Created=one["created"],
            Size=one["size"],
            Namespace=repository.partition("/")[2].partition("/")[0],
        )


def inspect(context: Context) -> None:
    """Show everything that is known of images."""
    names = [read_name(context, each) for each in context.call.arguments]
    control = context.control()
    for name in names:
        context.say(Text("Inspecting '{image}'...", image=str(name)))
        told = control.call("GET", f"/images/{segment(str(name))}/json")
        if context.call.given("format"):
            formatted(context, context.call.text("format"), [_inspection(told)])
            continue
        if not context.screen.machine:
            context.say()
        context.screen.json(told)
    if not context.screen.machine:
        _end(context)


def _inspection(told: dict[str, Any]) -> Struct:
    """Return the inspection with its own fields as those of a structure."""
    rootfs = told.get("RootFS") or {}
    parts = {name: rootfs.get(name) for name in ("Type", "Layers", "BaseLayer")}
    return Struct({**told, "ID": told.get("Id", ""), "RootFS": Struct(parts)})


def remove(context: Context) -> None:
    """Delete images; those that can be go even if others cannot."""
    names = [read_name(context, each) for each in context.call.arguments]
    control = context.control()
    failures: list[tuple[ImageName, CallFailed]] = []
    for name in names:
        context.say(Text("Deleting image '{image}'...", image=str(name)))
        try:
            control.call("DELETE", f"/images/{segment(str(name))}")
        except CallFailed as failure:
            if len(names) == 1:
                raise
            failures.append((name, failure))
            continue
        context.say()
        context.say(Text("Successfully deleted image '{image}'.", image=str(name)))
        context.say()
    if failures:
        raise partly(context, [(str(name), failure) for name, failure in failures])
    context.ok()


def partly(context: Context, failures: list[tuple[str, CallFailed]]) -> Failure:
    """Return the failure that lists what could not be done."""
    told = [f"{name}: {context.words.message(failure)}" for name, failure in failures]
    return Partly(count=len(failures), list="\n".join(told))


def tag(context: Context) -> None:
    """Give an image another name."""
    source, target = context.call.arguments
    old, new = read_name(context, source), read_name(context, target)
    context.say(Text("Tagging '{source}' to '{target}'...", source=str(old), target=str(new)))
    context.control().call(
        "POST", "/images/tags", query={"fromimage": str(old), "toimage": str(new)}
    )
    context.say()
    context.say(Text("Successfully tagged '{target}'.", target=str(new)))
    _end(context)


def untag(context: Context) -> None:
    """Take a tag away; the image stays."""
    (text,) = context.call.arguments
    name = read_name(context, text)
    context.say(Text("Removing tag for image '{image}'...", image=str(name)))
    context.control().call("DELETE", f"/tags/{segment(str(name))}")
    context.say()
    context.say(
        Text(
            "Successfully removed tag '{tag}' from image '{image}'.",
            tag=name.tag,
            image=str(name),
        )
    )
    _end(context)


def manifest(context: Context) -> None:
    """Show a manifest as it was pushed."""
    (text,) = context.call.arguments
    name = read_name(context, text)
    if not context.call.on("quiet"):
        context.say(Text("Inspecting manifest '{image}'...", image=str(name)))
        context.say()
    context.screen.json(context.control().call("GET", f"/images/{segment(str(name))}/manifest"))
    if not context.screen.machine:
        _end(context)


def prune_untagged(context: Context) -> None:
    """Delete the images that no tag leads to."""
    restrict = context.call.text("restrict")
    namespace, repository = read_scope(context, restrict) if restrict else ("", "")
    control = context.control()
    body: dict[str, Any] = {"exclude_tagged": True, "exclude_va": True}
    if repository:
        body["repositories"] = [repository]
    rows = [
        row
        for one in control.call("POST", "/images/digests", body=body)
        for row in _digest_rows(one)
        if namespace in {"", row["Namespace"]}
    ]
    question = Text("Are you sure you want to delete {count} untagged images?", count=len(rows))
    if not context.call.on("force") and not context.prompts.confirm(question):
        return
    for name in sorted({row["Namespace"] for row in rows} or {namespace} - {""}):
        context.say(Text("Deleting untagged images in namespace '{name}'...", name=name))
    names = [f"{row['Repository']}@{row['Digest']}" for row in rows]
    told = control.call("POST", "/images/bulkdelete", body=names) if names else {}
    _pruned(context, names, told.get("error", {}))


def _pruned(context: Context, names: list[str], errors: dict[str, Any]) -> None:
    deleted = "Deleted" if context.screen.machine else context.words(Text("Deleted"))
    rows = [
        {"Digest": name, "Status": errors[name]["message"] if name in errors else deleted}
        for name in names
    ]
    if context.screen.machine:
        context.screen.json(rows)
        return
    context.say()
    headers = (Text("Digest"), Text("Status"))
    context.screen.table(
        [context.words(each) for each in headers], [(row["Digest"], row["Status"]) for row in rows]
    )
    _end(context)


def _end(context: Context) -> None:
    context.say()
    context.ok()
