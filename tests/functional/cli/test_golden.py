"""Every layout of the command line, exactly: transcripts in ``golden/``, in Chinese one deeper.

What stands behind ``$ `` is run by bash; below it is what it must write, standard error behind
``! ``, an exit code other than 0 in brackets. Blanks at the end of a line are shown as ``·``.
What differs from run to run is replaced by something as wide. After a change that is meant:
``WHARF_GOLDEN=write pytest tests/functional/cli/test_golden.py``, and read the difference.
"""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.functional.cli.conftest import Offer
from tests.support.command_line import CHINESE, SECONDS, CommandLine
from tests.support.images import Dock
from tests.support.plugin_wheels import WheelMaker
from tests.support.server import Operator, Server, Tenant
from wharf import commands
from wharf_container_registry.plugin import PLUGIN

GOLDEN = Path(__file__).with_name("golden")
STORIES = sorted(path.stem for path in GOLDEN.glob("*.txt"))
LOCALES = {"": "en_US.UTF-8", "zh_Hans": CHINESE}
NEW_HERE = frozenset({"choices", "endpoint", "plugins", "sign-in"})
"""Stories of somebody who has not signed in, and has no plug-in."""
ELSEWHERE = frozenset(
    {"complete", "completion", "doctor", "explain", "help", "support bundle"}
    | {f"cr exemption-{name}" for name in ("add", "list", "rm", "types")}
    | {"cr build", "cr ppa-archive-load", "cr va"}
)
"""Commands without a layout that was seen, or whose part of the service does not exist yet."""

Change = str | Callable[[re.Match[str]], str]
VOLATILE: tuple[tuple[str, Change], ...] = (
    (r"eyJ[\w-]+\.[\w-]+\.[\w-]+|whr\.[\w.-]+", "TOKEN"),
    (r"whf_\w{20,}", lambda found: "whf_" + "K" * (len(found[0]) - 4)),
    # Tokens make their tables as wide as they are.
    (r"(?m) {60,}$", " " * 60),
    (r"\"Created\": \d{10}\b", '"Created": 1549048000'),
    (r"\b20\d\d-\d\d-\d\d([T ])\d\d:\d\d", r"2019-02-01\g<1>19:06"),
    (r"(2019-02-01.19:06):\d\d(\.\d+)?", r"\1:00"),
    (r"\b\d{4,}(?= bytes downloaded)|(?<=已下载 )\d{4,}", "12345"),
    (r"(?m)(^   |version )0\.9\.0(\+[0-9a-f]+-\S+)?$", r"\g<1>0.9.0+SHA-TIME"),
)


@dataclass
class Stage:
    """A user, what the transcripts call her things, and what stands for them in the files."""

    user: CommandLine
    variables: dict[str, str]
    known: dict[str, str]

    def run(self, command: str) -> str:
        """Run a line and return what a transcript of it shows."""
        done = subprocess.run(
            ["bash", "-c", command],
            env={**self.user.environment, **self.variables, "PATH": PATH},
            cwd=self.user.home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        failed = "".join(f"! {line}\n" for line in done.stderr.splitlines())
        code = f"[{done.returncode}]\n" if done.returncode else ""
        return f"$ {command}\n{self._stable(done.stdout + failed)}{code}"

    def _stable(self, text: str) -> str:
        for real, shown in self.known.items():
            text = text.replace(real, shown)
        for pattern, changed in VOLATILE:
            text = re.sub(pattern, changed, text)
        return re.sub(r"(?m) +$", lambda found: "·" * len(found[0]), numbered(text))


PATH = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
HEX = re.compile(
    r"(?<![0-9a-f])(?:[0-9a-f]{64}|[0-9a-f]{32}|[0-9a-f]{24}|[0-9a-f]{12})(?![0-9a-f])"
)


def numbered(text: str) -> str:
    """Digests and ids: the first is all ones, the second all twos; a short form of one agrees."""
    seen: dict[str, str] = {}

    def one(found: re.Match[str]) -> str:
        if len(set(found[0])) == 1:
            return found[0]
        digit = seen.setdefault(found[0][:12], f"{len(seen) + 1:x}")
        return digit[-1] * len(found[0])

    return HEX.sub(one, text)


@pytest.fixture
def stage(ibmcloud: CommandLine, server: Server, locale: str) -> Stage:
    """Somebody with two accounts and an API key for the first, on a service she never used."""
    ibmcloud.locale = LOCALES[locale]
    names = [f"t{secrets.token_hex(6)}" for _ in range(3)]
    email, password = f"{names[0]}@example.com", secrets.token_urlsafe(24)
    with closing(Operator.of(server)) as operator:
        owner = {"owner_email": email, "plan": "free"}
        first_owner = {**owner, "owner_password": password}
        mine = operator._create("accounts", {"name": names[0], **first_owner})
        other = operator._create("accounts", {"name": names[1], **owner})
        operator.create_tenant(names[2]).close()
    first, second = sorted((str(each["id"]), str(each["name"])) for each in (mine, other))
    key = api_key(server, email, password, first[0])
    known = {
        email: "ada.lovelace0@example.com",
        first[0]: "a" * len(first[0]),
        second[0]: "b" * len(second[0]),
        first[1]: "shipyard-ada0",
        second[1]: "shipyard-two0",
        names[2]: "shipyard-bob0",
        str(ibmcloud.home): "/home/ada",
        f"localhost:{server.port}": "localhost:44444",
    }
    variables = {
        "API": server.api,
        "REGISTRY": server.registry,
        "EMAIL": email,
        "PASSWORD": password,
        "ACCOUNT": first[0],
        "NAMESPACE": first[1],
        "TAKEN": names[2],
        "KEY": key,
    }
    return Stage(ibmcloud, variables, known)


def api_key(server: Server, email: str, password: str, account: str) -> str:
    """A key of a user in an account, in which she gets her namespace."""
    with closing(Operator.of(server)) as operator:
        form = {"grant_type": "password", "username": email, "password": password}
        answer = operator.http.post("/identity/token", data={**form, "account": account})
        token = answer.raise_for_status().json()["access_token"]
        headers = {"Authorization": f"Bearer {token}", "Account": account}
        made = operator.http.post("/identity/v1/apikeys", json={"name": "first"}, headers=headers)
        return str(made.raise_for_status().json()["apikey"])


def signed_in(stage: Stage, wheel: Path) -> None:
    """Sign in, install the plug-in, add a namespace."""
    stage.user.ok("login", "-a", stage.variables["API"], "--apikey", stage.variables["KEY"])
    stage.user.ok("plugin", "install", str(wheel))
    stage.user.ok("cr", "namespace-add", stage.variables["NAMESPACE"])


def push_images(stage: Stage) -> None:
    """Two tagged images and one without a tag, of known age and size."""
    told = stage.variables
    tenant = Tenant(told["API"], told["ACCOUNT"], told["KEY"])
    repository = f"{told['NAMESPACE']}/app"
    with closing(tenant), closing(Dock(told["API"], tenant)) as dock:
        for hours, tags, count in ((4.1, ["1"], 1_200_000), (49, ["2"], 250), (150, [], 90)):
            made = (datetime.now(UTC) - timedelta(hours=hours)).isoformat(timespec="seconds")
            dock.push(repository, *tags, created=made, layers=(b"\0" * count,))


def offer_plugins(offer: Offer) -> None:
    """Two versions of a plug-in, and one that needs a newer command line."""
    offer(WheelMaker(version="0.9.0"))
    offer(WheelMaker(version="1.0.0"))
    demanding = {"name": "demander", "package": "demander", "namespace": "demand"}
    offer(WheelMaker(requires=("wharfinger-cli>=99.0",), **demanding))  # type: ignore[arg-type]


def commands_of(path: Path) -> list[str]:
    """The commands of a transcript."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]


@pytest.mark.usefixtures("offered_house")
@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("story", STORIES)
def test_what_is_shown_is_what_was_seen(
    story: str, locale: str, stage: Stage, offer: Offer, house_wheels: dict[str, Path]
) -> None:
    if story == "plugins":
        offer_plugins(offer)
    if story in {"choices", "plugins"}:
        stage.user.ok("api", stage.variables["API"])
    if story not in NEW_HERE:
        signed_in(stage, house_wheels["container-registry"])
    if story in {"images", "retention"}:
        push_images(stage)

    shown = "".join(stage.run(each) for each in commands_of(GOLDEN / f"{story}.txt"))

    path = GOLDEN / locale / f"{story}.txt"
    if os.environ.get("WHARF_GOLDEN") == "write":
        path.write_text(shown, encoding="utf-8")
    assert shown == path.read_text(encoding="utf-8")


def test_every_command_has_its_transcript() -> None:
    typed = {each for story in STORIES for each in commands_of(GOLDEN / f"{story}.txt")}
    declared = [*commands.everything(), *PLUGIN.commands]
    named = {f"{each.namespace} {each.name}".strip() for each in declared} - ELSEWHERE

    assert {
        name for name in named if not any(f"ibmcloud {name} " in f"{line} " for line in typed)
    } == set()
