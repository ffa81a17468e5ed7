"""One session, several commands: it renews itself, and whoever signs out has the last word."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.support.command_line import CommandLine, program
from tests.support.server import Server
from wharf.config import Config
from wharf.session import Session
from wharfinger_common.clients.transport import Options, Transport

Meanwhile = Callable[[Mapping[str, str]], object]


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A service whose tokens live a minute, which is less than one must have left."""
    settings = {"WHARFINGER_IAM_TOKEN_SECONDS": "60"}
    with Server(tmp_path_factory.mktemp("hasty") / "data", settings=settings) as server:
        yield server


@pytest.fixture
def user(ibmcloud: CommandLine, hasty: Server) -> CommandLine:
    ibmcloud.ok("login", "-a", hasty.api, "--apikey", hasty.operator.api_key)
    return ibmcloud


def kept(user: CommandLine) -> dict[str, object]:
    found: dict[str, object] = json.loads((user.folder / "config.json").read_text())
    return found


def renewed(user: CommandLine, meanwhile: Meanwhile) -> str:
    """Renew the token; ``meanwhile`` happens after the file was read, before the service asks."""

    def opened(base: str) -> Transport:
        meanwhile(user.environment)
        return Transport(base, Options())

    return Session(Config(user.environment), opened).token()


def test_many_commands_renew_at_once(user: CommandLine) -> None:
    started = [
        subprocess.Popen(
            [program("ibmcloud"), "iam", "oauth-tokens"],
            env=user.environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    tokens = set()
    for process in started:
        out, _ = process.communicate(timeout=120)
        assert process.returncode == 0
        tokens.add(out.splitlines()[0].split()[-1])

    assert kept(user)["IAMToken"] in tokens
    assert "IAM token:" in user.ok("iam", "oauth-tokens")


def test_a_renewal_does_not_undo_a_logout(user: CommandLine) -> None:
    token = renewed(user, lambda environ: Config(environ).forget_session())

    assert token.startswith("ey")
    assert not {"IAMToken", "IAMRefreshToken", "Account"} & set(kept(user))


def test_a_renewal_does_not_undo_a_login(user: CommandLine) -> None:
    theirs = {"IAMToken": "another's", "IAMRefreshToken": "another's too"}

    renewed(user, lambda environ: Config(environ).set(**theirs))

    assert {name: kept(user)[name] for name in theirs} == theirs


def test_a_renewal_keeps_what_was_configured_meanwhile(user: CommandLine) -> None:
    before = kept(user)["IAMToken"]

    renewed(user, lambda environ: Config(environ).set(HTTPTimeout=77))

    assert kept(user)["HTTPTimeout"] == 77
    assert kept(user)["IAMToken"] != before


def test_a_key_that_cannot_be_written_does_not_stay(user: CommandLine, tmp_path: Path) -> None:
    occupied = tmp_path / "file"
    occupied.write_text("")

    done = user("iam", "api-key-create", "lost", "--file", str(occupied / "key.json"))

    assert done.code == 1
    assert str(occupied / "key.json") in done.out
    assert "lost" not in user.ok("iam", "api-keys")
