"""What is different on a terminal: hidden secrets, another try, colours, progress, Ctrl-C."""

from __future__ import annotations

import re
import secrets
from pathlib import Path

from tests.conftest import NewTenant
from tests.functional.cli.conftest import Offer
from tests.support.command_line import CommandLine, program
from tests.support.plugin_wheels import WheelMaker
from tests.support.server import Operator, Server
from tests.support.terminal import Terminal

COLOUR = re.compile(r"\x1b\[(\d+);1m(.*?)\x1b\[0m")


def on_terminal(user: CommandLine, *words: str, **variables: str) -> Terminal:
    return Terminal([program(user.name), *words], {**user.environment, **variables})


def test_a_password_is_asked_three_times_and_never_shown(
    targeted: CommandLine, server: Server
) -> None:
    operator = Operator.of(server)
    email, password = f"{secrets.token_hex(5)}@example.com", secrets.token_urlsafe(24)
    operator._create("accounts", {"name": "x", "owner_email": email, "owner_password": password})
    operator.close()

    with on_terminal(targeted, "login") as terminal:
        terminal.until("Email> ")
        terminal.type(email)
        for _ in range(2):
            terminal.until("Password> ")
            terminal.type("not the password")
            terminal.until("Credentials were rejected.")
        terminal.until("Password> ")
        terminal.type(password)
        assert terminal.end() == 0
    assert password not in terminal.shown
    assert "not the password" not in terminal.shown
    assert "Targeted account x (" in terminal.shown


def test_after_three_tries_it_has_failed(targeted: CommandLine, new_tenant: NewTenant) -> None:
    email = f"{new_tenant().namespace}@example.com"

    with on_terminal(targeted, "login", "-u", email) as terminal:
        for _ in range(3):
            terminal.until("Password> ")
            terminal.type("wrong")
        assert terminal.end() == 1
    assert terminal.shown.count("BXNIM0602E") == 3


def test_a_choice_is_asked_again_until_it_is_one(targeted: CommandLine, offer: Offer) -> None:
    offer(WheelMaker())
    targeted.ok("plugin", "install", "greeter")

    with on_terminal(targeted.in_chinese(), "plugin", "update") as terminal:
        terminal.until("请输入数字> ")
        terminal.type("7")
        terminal.until("请输入 1 到 1 之间的数字。\n请输入数字> ")
        terminal.type("")
        terminal.until("请输入有效的值。\n请输入数字> ")
        terminal.type("1")
        assert terminal.end() == 0
    with on_terminal(targeted.in_chinese(), "plugin", "install", "greeter") as terminal:
        terminal.until("[y/N]> ")
        terminal.type("maybe")
        terminal.until("请输入“y”、“n”、“yes”或“no”。\n")
        terminal.type("n")
        assert terminal.end() == 0


def test_colours_are_for_terminals_that_want_them(ibmcloud: CommandLine) -> None:
    with on_terminal(ibmcloud, "cr") as terminal:
        terminal.end()
    assert COLOUR.findall(terminal.shown) == [("31", "FAILED")]
    for variables in ({"NO_COLOR": "1"}, {"IBMCLOUD_COLOR": "false"}, {"WHARF_COLOR": "false"}):
        with on_terminal(ibmcloud, "cr", **variables) as terminal:
            terminal.end()
        assert "\x1b" not in terminal.shown
    ibmcloud.ok("config", "--color", "false")
    with on_terminal(ibmcloud, "cr") as terminal:
        terminal.end()
    assert "\x1b" not in terminal.shown
    with on_terminal(ibmcloud, "cr", IBMCLOUD_COLOR="true") as terminal:
        terminal.end()
    assert COLOUR.findall(terminal.shown) == [("31", "FAILED")]


def test_a_table_has_its_colours(targeted: CommandLine) -> None:
    with on_terminal(targeted, "regions") as terminal:
        assert terminal.end() == 0

    assert COLOUR.findall(terminal.shown)[0] == ("38", "Name")
    assert COLOUR.findall(terminal.shown)[-1] == ("36", "local")


def test_a_download_shows_how_far_it_is(targeted: CommandLine, offer: Offer) -> None:
    noise = secrets.token_bytes(3 << 20)
    offer(WheelMaker(files={"greeter/data.bin": noise}))

    with on_terminal(targeted, "plugin", "install", "greeter") as terminal:
        assert terminal.end() == 0
    assert re.search(r" 3\.\d\d MiB / 3\.\d\d MiB \[=+\] 100\.00% \d+s\n", terminal.shown)
    assert "MiB" not in targeted.ok("plugin", "install", "greeter", "-f")


def test_ctrl_c_leaves_nothing_behind(ibmcloud: CommandLine, tmp_path: Path) -> None:
    import socket

    # A repository that takes a request and never answers.
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/greeter-1.0.0-py3-none-any.whl"
        with on_terminal(ibmcloud, "plugin", "install", url) as terminal:
            terminal.until("Attempting to download the binary file...")
            connection, _ = listener.accept()
            terminal.interrupt()
            assert terminal.end() == 130
            connection.close()

    assert "Traceback" not in terminal.shown
    assert not (ibmcloud.folder / "plugins/greeter").exists()
    assert not [
        path for path in ibmcloud.folder.rglob("*") if path.is_file() and path.name != ".lock"
    ]


def test_ctrl_c_at_a_question_ends_it(targeted: CommandLine) -> None:
    with on_terminal(targeted, "login") as terminal:
        terminal.until("Email> ")
        terminal.interrupt()
        assert terminal.end() == 130
    assert "Traceback" not in terminal.shown


def test_ctrl_c_at_a_secret_leaves_a_terminal_that_shows_what_is_typed(
    targeted: CommandLine,
) -> None:
    script = f"trap : INT; {program('ibmcloud')} login -u pat@example.com; stty -a"
    with Terminal(["bash", "-c", script], targeted.environment) as terminal:
        terminal.until("Password> ")
        terminal.interrupt()
        assert terminal.end() == 0

    assert re.search(r"(?<!-)\becho\b", terminal.shown)
    assert "Traceback" not in terminal.shown
