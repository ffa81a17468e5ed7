"""Signed in, and every cr command says otherwise: an outdated plug-in (guide, section 3)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.command_line import CommandLine
from tests.support.doctor import findings
from tests.support.plugin_wheels import rebuilt
from tests.support.server import Tenant

OLD = "0.0.1"
COMMANDS = (("cr", "namespaces"), ("cr", "namespace-list", "-o", "json"))


@pytest.fixture
def outdated(house_wheels: dict[str, Path], tmp_path: Path) -> Path:
    """The plug-in as it was before sessions took today's form."""
    return rebuilt(
        house_wheels["container-registry"],
        tmp_path / "old",
        OLD,
        lambda name, text: (
            text + "\nfrom dataclasses import replace\nPLUGIN = replace(PLUGIN, sessions=(1,))\n"
            if name.endswith("/plugin.py")
            else text
        ),
    )


@pytest.mark.usefixtures("offered_house")
def test_the_symptom_its_cause_and_the_cure(
    signed_in: tuple[CommandLine, Tenant], outdated: Path
) -> None:
    ibmcloud, tenant = signed_in
    chinese = ibmcloud.in_chinese()
    ibmcloud.ok("plugin", "install", str(outdated))
    assert tenant.namespace in ibmcloud.ok("target")

    for words in COMMANDS:
        done = ibmcloud(*words)
        assert done.code == 1
        said = (done.out + done.err).splitlines()
        assert said[:2] == ["FAILED", "You are not logged in to IBM Cloud."]
        # Signing in again, which the message suggests, does not help; ours says what does.
        assert said[2] == (
            f"The plug-in 'container-registry {OLD}' is the cause: it is too old to read this "
            "session. Update it: ibmcloud plugin update container-registry."
        )
    assert chinese.failed("cr", "namespaces").splitlines() == [
        "您未登录到 IBM Cloud。",
        f"原因在于插件“container-registry {OLD}”：它过旧，无法读取此会话。"
        "请更新插件：ibmcloud plugin update container-registry。",
    ]
    (found,) = [one for one in findings(ibmcloud)[1] if one["check"] == "plugins"]
    assert "ibmcloud plugin update container-registry" in found["cure"]
    ibmcloud.ok("login", "--apikey", tenant.api_key)
    assert ibmcloud.failed("cr", "namespaces").startswith("You are not logged in to IBM Cloud.\n")

    assert "The plug-in was successfully upgraded." in ibmcloud.ok(
        "plugin", "update", "container-registry"
    )

    for words in COMMANDS:
        assert tenant.namespace in ibmcloud.ok(*words)


@pytest.mark.usefixtures("offered_house")
def test_without_a_sign_in_the_text_is_the_same_and_no_more(targeted: CommandLine) -> None:
    targeted.ok("plugin", "install", "container-registry")

    assert targeted.failed("cr", "namespaces") == "You are not logged in to IBM Cloud."
    assert targeted.in_chinese().failed("cr", "namespaces") == "您未登录到 IBM Cloud。"
