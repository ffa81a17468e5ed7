"""Plug-ins from files: installed, used, updated, taken away; and what must not be installed."""

from __future__ import annotations

from pathlib import Path

from tests.support.command_line import CommandLine
from tests.support.plugin_wheels import WheelMaker


def test_a_command_is_there_from_install_to_uninstall(
    ibmcloud: CommandLine, tmp_path: Path
) -> None:
    wheel = WheelMaker().write(tmp_path)
    unknown = "'greet' is not a registered command. See 'ibmcloud help'."
    assert ibmcloud.failed("greet", "hello") == unknown

    installed = ibmcloud.ok("plugin", "install", str(wheel))
    assert "Plug-in 'greeter 1.0.0' was successfully installed into " in installed
    assert ibmcloud.ok("greet", "hello") == "hello\n"
    assert "   greet" in ibmcloud.ok("help")

    ibmcloud.ok("plugin", "uninstall", "greeter")
    assert ibmcloud.failed("greet", "hello") == unknown
    assert not (ibmcloud.folder / "plugins/greeter").exists()


def test_an_installed_plugin_is_replaced_only_when_asked(
    ibmcloud: CommandLine, tmp_path: Path
) -> None:
    ibmcloud.ok("plugin", "install", str(WheelMaker().write(tmp_path)))
    newer = str(WheelMaker(version="1.1.0", says="good day").write(tmp_path))

    refused = ibmcloud.ok("plugin", "install", newer, stdin="n\n")
    assert "Plug-in 'greeter 1.0.0' was already installed. Do you want to update it with" in refused
    assert ibmcloud.ok("greet", "hello") == "hello\n"

    ibmcloud.ok("plugin", "install", newer, stdin="y\n")
    assert ibmcloud.ok("greet", "hello") == "good day\n"
    assert len(list((ibmcloud.folder / "plugins/greeter").iterdir())) == 1


def test_this_checkout_brings_no_plugin_by_itself(ibmcloud: CommandLine) -> None:
    assert ibmcloud.failed("cr", "login") == (
        "'cr' is not a registered command. See 'ibmcloud help'."
    )


def test_the_plugins_of_the_house_install(
    ibmcloud: CommandLine, house_wheels: dict[str, Path]
) -> None:
    for wheel in house_wheels.values():
        ibmcloud.ok("plugin", "install", str(wheel))

    assert ibmcloud.failed("cr", "namespaces") == "You are not logged in to IBM Cloud."
    assert ibmcloud("cr", "quota").out.startswith("FAILED\n"), "no account is named before"
    assert ibmcloud.in_chinese().failed("cr", "namespaces") == "您未登录到 IBM Cloud。"
    assert ibmcloud.named("wharf").failed("cr", "namespaces") == (
        "You are not logged in to Wharfinger."
    )
