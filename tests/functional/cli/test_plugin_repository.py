"""Plug-ins from the service's own repository, and from others; outdated, damaged, too new."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.functional.cli.conftest import Offer
from tests.support.command_line import CommandLine, program
from tests.support.plugin_wheels import WheelMaker
from tests.support.server import Server, Tenant
from tests.support.static_files import serving


def test_install_tells_what_it_does(targeted: CommandLine, offer: Offer) -> None:
    wheel = offer(WheelMaker())
    size = wheel.stat().st_size
    folder = targeted.folder / "plugins/greeter"

    assert targeted.ok("plugin", "install", "greeter", "-r", "Bluemix") == (
        "Looking up 'greeter' from repository 'Bluemix'...\n"
        "Plug-in 'greeter 1.0.0' found in repository 'Bluemix'\n"
        "Attempting to download the binary file...\n"
        f"{size} bytes downloaded\n"
        "Installing binary...\n"
        "OK\n"
        f"Plug-in 'greeter 1.0.0' was successfully installed into {folder}. "
        "Use 'ibmcloud plugin show greeter' to show its details.\n"
    )
    assert targeted.ok("greet", "hello") == "hello\n"
    assert list((targeted.folder / "plugins/.cache").iterdir()) == []


@pytest.mark.parametrize("repository", ["Bluemix", "IBM Cloud", "Wharfinger"])
def test_the_own_repository_has_all_its_names(
    targeted: CommandLine, offer: Offer, repository: str
) -> None:
    offer(WheelMaker())

    targeted.ok("plugin", "install", "greeter", "-r", repository)


def test_the_newest_that_runs_here_is_chosen(targeted: CommandLine, offer: Offer) -> None:
    offer(WheelMaker(version="1.0.0"))
    offer(WheelMaker(version="1.10.0", says="newest"))
    offer(WheelMaker(version="1.9.0"))
    offer(WheelMaker(version="2.0.0", requires=("wharfinger-cli>=99.0",)))

    targeted.ok("plugin", "install", "greeter")

    assert targeted.ok("greet", "hello") == "newest\n"
    too_new = targeted("plugin", "install", "greeter", "-v", "2.0.0", "-f")
    assert too_new.out.endswith(
        "FAILED\nPlug-in 'greeter 2.0.0' requires IBM Cloud CLI 99.0 or later.\n\n"
    )
    assert targeted.ok("greet", "hello") == "newest\n"


def test_none_that_runs_here_is_said(targeted: CommandLine, offer: Offer) -> None:
    offer(WheelMaker(requires=("wharfinger-cli>=99.0",)))

    done = targeted("plugin", "install", "greeter")

    assert done.out.endswith(
        "FAILED\nCould not find compatible binary to install for plug-in greeter.\n\n"
    )


def test_what_is_not_offered_is_said(targeted: CommandLine, offer: Offer) -> None:
    offer(WheelMaker())

    assert targeted("plugin", "install", "nothing").out.endswith(
        "FAILED\nPlug-in 'nothing' was not found in repository 'Bluemix'.\n\n"
    )
    assert targeted("plugin", "install", "greeter", "-v", "7").out.endswith(
        "FAILED\nPlug-in 'greeter 7' was not found.\n"
        "Use 'ibmcloud plugin repo-plugin greeter -r 'Bluemix'' to list all available versions.\n\n"
    )
    assert targeted.failed("plugin", "update", "nothing") == "Plug-in 'nothing' is not installed."


def test_update_tells_and_does(targeted: CommandLine, offer: Offer) -> None:
    offer(WheelMaker())
    targeted.ok("plugin", "install", "greeter")
    head = (
        "Plug-in 'greeter 1.0.0' was installed.\n"
        "Checking upgrades for plug-in 'greeter' from repository 'Bluemix'...\n"
    )
    assert targeted.ok("plugin", "update", "greeter") == head + "No updates are available.\n"

    newer = offer(WheelMaker(version="1.1.0", says="good day"))
    listed = targeted.ok("plugin", "list")
    assert listed.splitlines()[2:4] == [
        "Plugin Name   Version   Status             ",
        "greeter       1.0.0     Update Available   ",
    ]
    assert targeted.ok("plugin", "update", "greeter") == (
        f"{head}Update 'greeter 1.0.0' to 'greeter 1.1.0'\n"
        "Attempting to download the binary file...\n"
        f"{newer.stat().st_size} bytes downloaded\n"
        "Updating binary...\nOK\nThe plug-in was successfully upgraded.\n"
    )
    assert targeted.ok("greet", "hello") == "good day\n"


def test_update_asks_which_one(targeted: CommandLine, offer: Offer) -> None:
    offer(WheelMaker())
    offer(WheelMaker(name="leaver", package="leaver", namespace="leave"))
    targeted.ok("plugin", "install", "greeter")
    targeted.ok("plugin", "install", "leaver")

    said = targeted.ok("plugin", "update", stdin="2\n")
    assert "1. greeter 1.0.0\n2. leaver 1.0.0\nEnter a number> 2\n" in said
    assert "Plug-in 'leaver 1.0.0' was installed." in said
    assert targeted.ok("plugin", "update", "--all").count("No updates are available.") == 2


def test_show_lists_the_commands(targeted: CommandLine, offer: Offer) -> None:
    offer(WheelMaker())
    targeted.ok("plugin", "install", "greeter")

    assert [line.rstrip() for line in targeted.ok("plugin", "show", "greeter").splitlines()] == [
        "",
        "Plugin                         greeter",
        "Version                        1.0.0",
        "Minimal CLI version required   0.9.0",
        "Commands                       greet hello",
        "",
    ]


def test_the_repository_is_listed(targeted: CommandLine, server: Server, offer: Offer) -> None:
    wheel = offer(WheelMaker())
    offer(WheelMaker(version="0.9.0"))

    assert targeted.ok("plugin", "repos").splitlines()[2:4] == [
        f"Repo Name   URL{' ' * (len(server.api) + 16 - 3)}   ",
        f"Bluemix     {server.api}/plugins/simple/   ",
    ]
    listed = targeted.ok("plugin", "repo-plugins")
    assert listed.startswith("Getting plug-ins from all repositories...\n\nRepository: Bluemix\n")
    assert "Not Installed   greeter " in listed
    assert "1.0.0, 0.9.0   Greets people" in listed
    targeted.ok("plugin", "install", "greeter", "-v", "0.9.0")
    assert "Update Available   greeter " in targeted.ok("plugin", "repo-plugins")

    told = json.loads(targeted.ok("plugin", "repo-plugin", "greeter", "--output", "json"))
    assert [one["Version"] for one in told["Versions"]] == ["1.0.0", "0.9.0"]
    assert all(one["Compatible"] == "Yes" for one in told["Versions"])
    assert wheel.exists()


def test_a_session_of_another_form_is_told_with_its_cause(
    signed_in: tuple[CommandLine, Tenant], offer: Offer
) -> None:
    ibmcloud, _ = signed_in
    offer(WheelMaker(sessions="(1,)"))
    ibmcloud.ok("plugin", "install", "greeter")

    message, cause = ibmcloud.failed("greet", "hello").splitlines()
    assert message == "You are not logged in to IBM Cloud."
    assert cause == (
        "The plug-in 'greeter 1.0.0' is the cause: it is too old to read this session. "
        "Update it: ibmcloud plugin update greeter."
    )
    chinese = ibmcloud.in_chinese().failed("greet", "hello")
    assert chinese.startswith("您未登录到 IBM Cloud。\n原因在于插件“greeter 1.0.0”")
    assert (
        ibmcloud.named("wharf")
        .failed("greet", "hello")
        .startswith("You are not logged in to Wharfinger.\n")
    )

    offer(WheelMaker(version="1.0.1"))
    ibmcloud.ok("plugin", "update", "greeter")
    assert ibmcloud.ok("greet", "hello") == "hello\n"


def test_the_service_may_want_a_newer_one(tmp_path: Path) -> None:
    settings = {"WHARFINGER_PLUGIN_MINIMUMS": "greeter=1.2"}
    (tmp_path / "home").mkdir()
    ibmcloud = CommandLine(tmp_path / "home")
    ibmcloud.ok("plugin", "install", str(WheelMaker(version="1.1.9").write(tmp_path)))
    with Server(tmp_path / "data", settings=settings) as server:
        ibmcloud.ok("api", server.api)
        assert ibmcloud.failed("greet", "hello") == (
            "The plug-in 'greeter 1.1.9' is too old for this service, which needs 1.2 or later.\n"
            "Update it: ibmcloud plugin update greeter."
        )
        WheelMaker(version="1.2.0").write(server.data / "plugins")
        ibmcloud.ok("plugin", "update", "greeter")
        assert ibmcloud.ok("greet", "hello") == "hello\n"


@pytest.fixture
def static(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A repository that is nothing but files: HTML pages without any private key or metadata."""
    folder = tmp_path / "static"
    (folder / "simple/greeter").mkdir(parents=True)
    (folder / "simple/index.html").write_text('<a href="greeter/">greeter</a>')
    with serving(folder) as url:
        yield f"{url}/simple/", folder


def page(folder: Path, wheel: Path, sha256: str) -> None:
    link = f'<a href="../../{wheel.name}#sha256={sha256}">{wheel.name}</a>'
    (folder / "simple/greeter/index.html").write_text(f"<html><body>{link}</body></html>")


def test_any_simple_index_will_do(ibmcloud: CommandLine, static: tuple[str, Path]) -> None:
    url, folder = static
    wheel = WheelMaker().write(folder)
    page(folder, wheel, sha256_of(wheel))

    assert ibmcloud.ok("plugin", "repo-add", "theirs", url) == f"OK\n{url} added as 'theirs'.\n"
    ibmcloud.ok("plugin", "install", "greeter", "-r", "theirs")
    assert ibmcloud.ok("greet", "hello") == "hello\n"
    assert ibmcloud.failed("plugin", "repo-add", "Theirs", url) == (
        "Plug-in repository 'Theirs' exists already."
    )
    ibmcloud.ok("plugin", "repo-remove", "theirs")
    assert ibmcloud.failed("plugin", "install", "greeter", "-r", "theirs") == (
        "Plug-in repository 'theirs' was not found."
    )


def test_a_file_that_is_not_what_the_index_says_is_not_installed(
    ibmcloud: CommandLine, static: tuple[str, Path]
) -> None:
    url, folder = static
    wheel = WheelMaker().write(folder)
    page(folder, wheel, "0" * 64)
    ibmcloud.ok("plugin", "repo-add", "theirs", url)

    done = ibmcloud("plugin", "install", "greeter", "-r", "theirs")

    assert done.out.endswith(
        "FAILED\nThe downloaded plug-in binary might be corrupt. The computed checksum doesn't "
        "match repo metadata. Try again.\n\n"
    )
    assert list((ibmcloud.folder / "plugins/.cache").iterdir()) == []
    assert ibmcloud("greet", "hello").code == 1


def test_a_wheel_at_an_address_is_installed(
    ibmcloud: CommandLine, static: tuple[str, Path]
) -> None:
    url, folder = static
    wheel = WheelMaker().write(folder)
    place = f"{url.removesuffix('/simple/')}/{wheel.name}"

    wrong = ibmcloud("plugin", "install", f"{place}#sha256={'0' * 64}")
    assert "The computed checksum doesn't match" in wrong.out
    ibmcloud.ok("plugin", "install", f"{place}#sha256={sha256_of(wheel)}")
    assert ibmcloud.ok("greet", "hello") == "hello\n"


def test_pip_reads_the_index_too(server: Server, offer: Offer, tmp_path: Path) -> None:
    offer(WheelMaker())
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--isolated"]
    index = f"{server.api}/plugins/simple/"
    subprocess.run([*command, "--index-url", index, "-d", tmp_path, "greeter"], check=True)

    assert [path.name for path in tmp_path.glob("*.whl")] == ["greeter-1.0.0-py3-none-any.whl"]


def test_many_installs_at_once_leave_one_whole_plugin(targeted: CommandLine, offer: Offer) -> None:
    for number in range(4):
        offer(WheelMaker(version=f"1.{number}.0", says=f"hello {number}"))
    started = [
        subprocess.Popen(
            [program("ibmcloud"), "plugin", "install", "greeter", "-f", "-v", f"1.{number}.0"],
            env=targeted.environment,
            stdout=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
        )
        for number in range(4)
    ]
    for process in started:
        out, _ = process.communicate(timeout=120)
        assert process.returncode == 0, out

    said = targeted.ok("greet", "hello")
    version = json.loads(targeted.ok("plugin", "show", "greeter", "--output", "json"))["Version"]
    assert said == f"hello {version.split('.')[1]}\n"
    assert len(list((targeted.folder / "plugins/greeter").glob("1.*"))) == 1


def sha256_of(path: Path) -> str:
    import hashlib

    return hashlib.sha256(path.read_bytes()).hexdigest()
