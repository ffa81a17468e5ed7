"""The `cr` commands against a real service, with the plug-in installed from that service."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.command_line import CommandLine
from tests.support.server import Tenant


@pytest.fixture
def cr(signed_in: tuple[CommandLine, Tenant], offered_house: None) -> tuple[CommandLine, Tenant]:
    """A user who is signed in and has installed the plug-in."""
    user, tenant = signed_in
    user.ok("plugin", "install", "container-registry", "-f")
    return user, tenant


def test_look(cr: tuple[CommandLine, Tenant], tmp_path: Path) -> None:
    user, tenant = cr
    for words in (
        ["cr", "info"], ["cr", "api"], ["cr", "region"], ["cr", "namespace-add", "team1"],
        ["cr", "namespace-add", "team1"], ["cr", "namespaces"], ["cr", "namespaces", "-v"],
        ["cr", "images"], ["cr", "quota"], ["cr", "plan"], ["cr", "trash-list"],
        ["cr", "retention-policy-list"], ["cr", "va", "x"], ["cr", "image-rm", "team1/x:1"], ["cr", "login", "--credentials-only"], ["cr", "region-set", "nope"], ["cr","private-only","--status"],["cr","iam-policies-status"],["cr","token-add"],
    ):
        done = user(*words)
        print("$", *words, "->", done.code); print(done.out + done.err)
