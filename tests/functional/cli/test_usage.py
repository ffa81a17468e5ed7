"""How commands are typed: names, flags, wrong usage, help, languages, what programs read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.command_line import CommandLine
from tests.support.plugin_wheels import WheelMaker
from tests.support.terminal import Terminal
from tests.support.tools import ensure

NAMES = ("ibmcloud", "bx", "bluemix", "ic", "wharf")


@pytest.mark.parametrize("name", NAMES)
def test_messages_echo_the_name_that_was_typed(ibmcloud: CommandLine, name: str) -> None:
    typed = ibmcloud.named(name)

    assert typed.failed("cr", "login") == f"'cr' is not a registered command. See '{name} help'."
    assert re.fullmatch(rf"{name} version 0\.9\.0(\+[0-9a-f]+-\S+)?\n", typed.ok("-v"))
    product = "Wharfinger" if name == "wharf" else "IBM Cloud"
    assert f"   {name} - A command line tool to interact with {product}\n" in typed.ok("help")


def test_the_page_of_everything_has_its_parts(ibmcloud: CommandLine) -> None:
    page = ibmcloud.ok("help")
    parts = [
        "NAME:",
        "USAGE:",
        "VERSION:",
        "COMMANDS:",
        "Enter 'ibmcloud help [command]' for more information about a command.",
        "ENVIRONMENT VARIABLES:",
        "GLOBAL OPTIONS:",
    ]

    assert [line for line in page.splitlines() if line in parts] == parts
    assert ibmcloud.ok() == ibmcloud.ok("--help") == page


@pytest.mark.parametrize("words", [("api", "--help"), ("api", "-h"), ("help", "api")])
def test_a_command_has_a_page(ibmcloud: CommandLine, words: tuple[str, ...]) -> None:
    assert ibmcloud.ok(*words) == (
        "NAME:\n   api - Set or view the API endpoint of the service\n\n"
        "USAGE:\n   ibmcloud api [API_ENDPOINT] [OPTIONS]\n\n"
        "OPTIONS:\n"
        "   --unset                 Remove the API endpoint\n"
        "   --skip-ssl-validation   Do not check the certificate of the service\n"
        "   --output text|json      Form of the output\n\n"
    )


@pytest.mark.parametrize("words", [("iam",), ("iam", "--help"), ("help", "iam")])
def test_a_namespace_has_a_page(ibmcloud: CommandLine, words: tuple[str, ...]) -> None:
    page = ibmcloud.ok(*words)

    assert page.startswith("NAME:\n   ibmcloud iam - ")
    assert "   oauth-tokens " in page


@pytest.mark.parametrize(
    ("words", "first"),
    [
        (("login", "-apikey"), "Incorrect Usage: flag needs an argument: -apikey"),
        (("login", "--nothing"), "Incorrect Usage: flag provided but not defined: -nothing"),
        (("plugin", "install"), "Incorrect Usage."),
        (("api", "a", "b"), "Incorrect Usage."),
        (("config",), "Incorrect Usage."),
        (
            ("config", "--http-timeout", "soon"),
            "Incorrect Usage: invalid value 'soon' for flag -http-timeout: not a number",
        ),
        (
            ("config", "--color=blue"),
            "Incorrect Usage: invalid value 'blue' for flag -color: it is one of true, false",
        ),
    ],
)
def test_wrong_usage_is_told_above_the_page(
    ibmcloud: CommandLine, words: tuple[str, ...], first: str
) -> None:
    done = ibmcloud(*words)

    assert done.code == 2
    assert done.out.startswith(f"{first}\n\nNAME:\n")


def test_wrong_usage_is_told_in_chinese(ibmcloud: CommandLine) -> None:
    done = ibmcloud.in_chinese()("login", "-apikey")

    assert done.out.startswith(
        "用法不正确：选项需要参数：-apikey\n\n名称：\n   login - 登录到 IBM Cloud\n"
    )


def test_commands_inside_a_namespace_are_looked_for_there(ibmcloud: CommandLine) -> None:
    assert ibmcloud.failed("iam", "nothing") == (
        "'nothing' is not a registered command. See 'ibmcloud help'."
    )
    assert (
        ibmcloud.in_chinese().failed("cr", "login")
        == "'cr' 不是注册的命令。请参阅“ibmcloud help”。"
    )


def test_every_page_is_translated(ibmcloud: CommandLine) -> None:
    chinese = ibmcloud.in_chinese()
    section = chinese.ok("help").split("命令：\n")[1].split("\n\n")[0]
    commands = re.findall(r"^   ([a-z]+)", section, re.MULTILINE)
    pages = [chinese.ok("help", name) for name in commands]

    plain = re.compile(r"^   (?!-|\[|ibmcloud |[A-Z]+_)[a-z-]+( - |   )[ -~]+$", re.MULTILINE)
    assert len(pages) > 10
    assert not [line for page in pages for line in plain.findall(page) if line]


@pytest.mark.parametrize("locale", ["zh_CN.UTF-8", "zh_SG.UTF-8", "zh_Hans"])
def test_the_language_is_the_systems_or_the_chosen_one(ibmcloud: CommandLine, locale: str) -> None:
    there = CommandLine(ibmcloud.home, locale=locale)
    assert there("cr").out.startswith("失败\n")

    ibmcloud.ok("config", "--locale", "en_US")
    assert there("cr").out.startswith("FAILED\n")
    ibmcloud.ok("config", "--locale", "zh-cn")
    assert ibmcloud("cr").out.startswith("失败\n")
    ibmcloud.ok("config", "--locale", "CLEAR")
    assert ibmcloud("cr").out.startswith("FAILED\n")


def test_what_programs_read_is_not_mixed_with_failures(ibmcloud: CommandLine) -> None:
    done = ibmcloud("target", "--output", "json")

    assert (done.code, done.out) == (1, "")
    assert done.err == "FAILED\nNot logged in. Use 'ibmcloud login' to log in.\n\n"


def test_a_reader_that_has_enough_ends_it_quietly(ibmcloud: CommandLine) -> None:
    import subprocess

    from tests.support.command_line import program

    pipe = f"{program('ibmcloud')} help | head -1"
    done = subprocess.run(
        ["bash", "-c", pipe], env=ibmcloud.environment, capture_output=True, text=True, check=True
    )

    assert (done.stdout, done.stderr) == ("NAME:\n", "")


@pytest.mark.parametrize("word", ["completion", "complete"])
def test_shells_complete(ibmcloud: CommandLine, word: str, tmp_path: Path) -> None:
    ibmcloud.ok("plugin", "install", str(WheelMaker().write(tmp_path)))
    if word == "completion":
        for shell in ("bash", "zsh", "fish"):
            assert "ibmcloud complete --" in ibmcloud.ok("completion", shell)
        assert ibmcloud("completion", "csh").code == 1
        return
    assert ibmcloud.ok("complete", "--", "lo").split() == ["login", "logout"]
    assert ibmcloud.ok("complete", "--", "gr").split() == ["greet"]
    assert ibmcloud.ok("complete", "--", "greet", "").split() == ["hello"]
    assert "--apikey" in ibmcloud.ok("complete", "--", "login", "-").split()


def test_bash_completes_for_real(ibmcloud: CommandLine) -> None:
    import subprocess
    import sys

    script = (
        f'PATH="{Path(sys.executable).parent}:$PATH"; eval "$(ibmcloud completion bash)"; '
        "COMP_WORDS=(ibmcloud plugin repo-p); COMP_CWORD=2; _ibmcloud_complete; "
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        ["bash", "-c", script], env=ibmcloud.environment, capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == ["repo-plugin", "repo-plugins"]


def test_zsh_completes_for_real(ibmcloud: CommandLine) -> None:
    """On a terminal, where its completion works: a tab ends the word."""
    with Terminal([str(ensure("zsh")), "-f", "-i"], on_path(ibmcloud)) as terminal:
        terminal.type("autoload -U compinit && compinit -u -D")
        terminal.type('eval "$(ibmcloud completion zsh)" && print -r -- "is "ready')
        terminal.until("is ready")
        terminal.type("ibmcloud logo\t")
        terminal.until("Logging out...")
        terminal.type("exit")
        terminal.end()


def test_fish_completes_for_real(ibmcloud: CommandLine) -> None:
    import subprocess

    script = 'ibmcloud completion fish | source; complete -C "ibmcloud plugin repo-p"'
    done = subprocess.run(
        [str(ensure("fish")), "--no-config", "-c", script],
        env=on_path(ibmcloud),
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.split() == ["repo-plugin", "repo-plugins"]


def on_path(user: CommandLine) -> dict[str, str]:
    """The environment of a user whose shell finds the command."""
    import os
    import sys

    return {**user.environment, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
