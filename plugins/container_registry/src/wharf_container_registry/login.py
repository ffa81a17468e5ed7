"""``cr login``: signs docker or podman in, or writes what they would have written themselves."""

import base64
import json
import os
import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from wharf.plugin_api import Context, Text
from wharf_container_registry.refusals import (
    ClientLoginFailed,
    DaemonStopped,
    DockerMissing,
    HelperMissing,
    PluginOutdated,
)

USER: Final = "iamrefresh"
HELPER: Final = "wharf"
"""Clients put ``docker-credential-`` before it."""
SECONDS: Final = 60
_NAMES: Final = {"docker": "Docker", "podman": "Podman"}


def login(context: Context) -> None:
    """Sign the container client in to the targeted registry, for as long as the sign-in lasts."""
    _require_recent(context)
    session = context.session
    session.token()
    secret = context.config.text("IAMRefreshToken")
    registry = context.registry
    context.say(Text("Logging in to '{registry}'...", registry=registry))
    if context.call.on("helper"):
        _require_helper(context)
        write_helper(_auth_file(context), registry)
    elif context.call.on("credentials-only"):
        write_credentials(_auth_file(context), registry, USER, secret)
    else:
        _client_login(context, context.call.text("client", "docker"), registry, secret)
    context.say(Text("Logged in to '{registry}'.", registry=registry))
    if context.environ.get("DOCKER_CONTENT_TRUST") == "1":
        _explain_trust(context)
    context.say()
    context.ok()


def _require_recent(context: Context) -> None:
    """Refuse a plug-in that is older than the service's least version of it.

    Raises:
        PluginOutdated: this one is.
    """
    from wharf_container_registry import __version__

    least = str(context.control().info().get("plugins", {}).get(context.plugin, "") or "")
    if least and _numbers(__version__) < _numbers(least):
        raise PluginOutdated(version=__version__, least=least, plugin=context.plugin)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdecimal())


def _client_login(context: Context, client: str, registry: str, secret: str) -> None:
    program = shutil.which(client, path=context.environ.get("PATH"))
    if program is None:
        raise DockerMissing(client=_NAMES[client])
    # Without its daemon docker would log in by itself, and then neither push nor pull.
    if client == "docker" and not _daemon_runs(context, program):
        raise DaemonStopped
    # The secret goes through standard input: arguments can be read by every user of a machine.
    words = [program, "login", "-u", USER, "--password-stdin", registry]
    if client == "podman" and context.region_endpoint.startswith("http://"):
        # Docker falls back to this by itself where its settings allow it; podman has to be told.
        words.insert(2, "--tls-verify=false")
    done = subprocess.run(  # noqa: S603 - the user's own client
        words,
        input=secret,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
        env=dict(context.environ),
    )
    if done.returncode == 0:
        return
    told = done.stderr.strip() or done.stdout.strip()
    raise ClientLoginFailed(client=_NAMES[client], reason=told[-500:])


def _daemon_runs(context: Context, program: str) -> bool:
    done = subprocess.run(  # noqa: S603 - the user's own client
        [program, "version", "--format", "{{.Server.Version}}"],
        capture_output=True,
        timeout=SECONDS,
        check=False,
        env=dict(context.environ),
    )
    return done.returncode == 0


def _auth_file(context: Context) -> Path:
    """Return the file that the client reads credentials from."""
    if context.call.text("client", "docker") == "podman":
        if named := context.environ.get("REGISTRY_AUTH_FILE"):
            return Path(named)
        if runtime := context.environ.get("XDG_RUNTIME_DIR"):
            return Path(runtime) / "containers" / "auth.json"
    home = Path(context.environ.get("HOME", "~")).expanduser()
    return Path(context.environ.get("DOCKER_CONFIG") or home / ".docker") / "config.json"


def write_credentials(path: Path, registry: str, user: str, secret: str) -> None:
    """Add the credentials to a client's file (its other settings stay), 0600, in one step."""
    encoded = base64.b64encode(f"{user}:{secret}".encode()).decode()
    content = _content(path)
    content.setdefault("auths", {})[registry] = {"auth": encoded}
    # A helper would be asked in its stead. Docker takes an empty name for none, where another is
    # named for all registries.
    content.get("credHelpers", {}).pop(registry, None)
    if content.get("credsStore"):
        content.setdefault("credHelpers", {})[registry] = ""
    _write(path, content)


def write_helper(path: Path, registry: str) -> None:
    """Have the client ask our helper about a registry; what it had stored for it is dropped."""
    content = _content(path)
    content.setdefault("credHelpers", {})[registry] = HELPER
    content.get("auths", {}).pop(registry, None)
    _write(path, content)


def _require_helper(context: Context) -> None:
    """Let the helper forget a logout, and refuse where the client would not find it.

    Raises:
        HelperMissing: it is not in the PATH.
    """
    program = shutil.which(f"docker-credential-{HELPER}", path=context.environ.get("PATH"))
    if program is None:
        raise HelperMissing
    told = {"ServerURL": context.registry, "Username": USER, "Secret": ""}
    subprocess.run(  # noqa: S603 - our own
        [program, "store"],
        input=json.dumps(told),
        stdout=subprocess.DEVNULL,
        text=True,
        timeout=SECONDS,
        check=False,
        env=dict(context.environ),
    )


def _content(path: Path) -> dict[str, Any]:
    """Return what is in a client's file, nothing where there is none."""
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}


def _write(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    number, name = tempfile.mkstemp(dir=path.parent, prefix=".auth-")
    try:
        with os.fdopen(number, "w", encoding="utf-8") as file:
            json.dump(content, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        with suppress(FileNotFoundError):
            Path(name).unlink()
        raise


def _explain_trust(context: Context) -> None:
    host = context.registry.partition(":")[0]
    context.say()
    context.say(
        Text(
            "To set up your Docker client with content trust, \n"
            "export the following environment variable:"
        )
    )
    context.say(f"export DOCKER_CONTENT_TRUST_SERVER=https://{host}:4443")
