"""``support bundle``: what whoever helps wants to know, in one file, without secrets."""

from typing import Any, Final

from wharf.context import Context
from wharf.declaration import Command, Flag
from wharf.text import Text

COMMANDS: Final = (
    Command(
        "bundle",
        Text("Write an archive for whoever supports you: versions, settings, findings; no secrets"),
        "wharf.commands.support:bundle",
        namespace="support",
        flags=(Flag("file", Text("File to write"), "text", short="f", metavar="FILE"),),
    ),
)


def bundle(context: Context) -> None:
    """Write the archive."""
    import io
    import json
    import time
    import zipfile
    from pathlib import Path

    from wharf.folder import write_file

    context.say(Text("Collecting versions, settings and findings..."))
    parts = {
        "versions.json": _versions(context),
        "config.json": _configuration(context),
        "plugins.json": _plugins(context),
        "environment.json": _environment(context),
        "doctor.json": _findings(context),
        "requests.json": _requests(context),
    }
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for name, value in parts.items():
            file.writestr(name, json.dumps(value, indent=2, ensure_ascii=False) + "\n")
    name = f"{context.brand.command}-support-{time.strftime('%Y%m%d-%H%M%S')}.zip"
    path = Path(context.call.text("file") or name).expanduser().absolute()
    write_file(path, archive.getvalue())
    context.ok()
    context.say(Text("The archive is {path}", path=path))
    if url := context.config.text("HelpURL"):
        context.say(Text("Help and support: {url}", url=url))


def _versions(context: Context) -> dict[str, Any]:
    import platform
    import sys

    from wharf.build import stamp

    return {
        "command": context.brand.command,
        "cli": stamp(),
        "python": sys.version,
        "system": platform.platform(),
        "locale": context.words.locale,
        "service": context.config.text("APIVersion"),
    }


def _configuration(context: Context) -> Any:
    from wharf.trace import masked

    return masked(context.config.values)


def _plugins(context: Context) -> list[dict[str, Any]]:
    from wharf.plugins.installed import Plugins

    return [
        {name: value for name, value in each.record.items() if name != "Declaration"}
        for each in Plugins(context.config.folder)
    ]


def _environment(context: Context) -> dict[str, str]:
    from wharf.environment import PREFIXES
    from wharf.trace import masked, masked_url

    others = ("LANG", "LC_ALL", "LC_MESSAGES", "NO_COLOR", "SSL_CERT_FILE", "SSL_CERT_DIR")
    proxies = ("http_proxy", "https_proxy", "no_proxy")
    trust = ("DOCKER_CONTENT_TRUST", "DOCKER_CONTENT_TRUST_SERVER", "DOCKER_HOST", "KUBECONFIG")
    told = {
        name: value
        for name, value in context.environ.items()
        if name.startswith(PREFIXES) or name in {*others, *trust} or name.lower() in proxies
    }
    return {name: masked_url(value) for name, value in masked(told).items()}


def _findings(context: Context) -> list[dict[str, Any]]:
    from wharf.doctor.checks import walk
    from wharf.doctor.patient import Patient

    return [finding.told() for _, finding in walk(Patient(context))]


def _requests(context: Context) -> list[Any]:
    from wharf.requests_log import read

    return read(context.config.folder)
