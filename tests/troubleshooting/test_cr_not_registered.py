"""'cr' is not a registered command: the plug-in is not installed (guide, section 4)."""

from __future__ import annotations

import pytest

from tests.support.command_line import CommandLine
from tests.support.doctor import findings
from tests.support.server import Tenant

SYMPTOM = "'cr' is not a registered command. See 'ibmcloud help'."
TYPED = (("cr", "login"), ("cr", "namespace"))


@pytest.mark.parametrize("words", TYPED, ids=" ".join)
def test_the_symptom_is_the_guides(ibmcloud: CommandLine, words: tuple[str, ...]) -> None:
    assert ibmcloud.failed(*words) == SYMPTOM
    assert ibmcloud.in_chinese().failed(*words) == "'cr' 不是注册的命令。请参阅“ibmcloud help”。"
    for name in ("bx", "wharf"):
        assert ibmcloud.named(name).failed(*words) == SYMPTOM.replace("ibmcloud", name)


@pytest.mark.usefixtures("offered_house")
def test_installing_the_plugin_cures_it(signed_in: tuple[CommandLine, Tenant]) -> None:
    ibmcloud, tenant = signed_in
    for words in TYPED:
        assert ibmcloud.failed(*words) == SYMPTOM
    (found,) = [one for one in findings(ibmcloud)[1] if one["check"] == "plugins"]
    assert found["cure"] == "Install it: ibmcloud plugin install container-registry."

    ibmcloud.ok("plugin", "install", "container-registry")

    assert tenant.namespace in ibmcloud.ok("cr", "namespaces")
    for words in TYPED:
        assert SYMPTOM not in ibmcloud(*words).out


@pytest.mark.usefixtures("offered_house")
def test_it_is_back_when_the_plugin_is_taken_away(signed_in: tuple[CommandLine, Tenant]) -> None:
    ibmcloud, _ = signed_in
    ibmcloud.ok("plugin", "install", "container-registry")
    ibmcloud.ok("plugin", "uninstall", "container-registry")

    assert ibmcloud.failed("cr", "login") == SYMPTOM
