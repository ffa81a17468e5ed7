"""The template of the guide, built as the guide says, is a plug-in that works."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from tests.support.command_line import CommandLine
from tests.support.server import Tenant

ROOT = Path(__file__).resolve().parents[3]
TEMPLATE = ROOT / "docs/guide/plugin-template"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("template")
    source = folder / "acme"
    shutil.copytree(TEMPLATE, source)
    for po in source.rglob("*.po"):
        compiled = io.BytesIO()
        write_mo(compiled, read_po(io.BytesIO(po.read_bytes())))
        po.with_suffix(".mo").write_bytes(compiled.getvalue())
    guide = (ROOT / "docs/guide/plugins.md").read_text()
    command = "python3 -m pip wheel --no-deps --wheel-dir dist ."
    assert command in guide
    arguments = command.split()[1:]
    subprocess.run([sys.executable, *arguments], cwd=source, check=True, capture_output=True)
    return next((source / "dist").glob("*.whl"))


def test_it_installs_runs_and_speaks_both_languages(
    signed_in: tuple[CommandLine, Tenant], wheel: Path
) -> None:
    ibmcloud, tenant = signed_in
    chinese = ibmcloud.in_chinese()
    ibmcloud.ok("plugin", "install", str(wheel))

    said = ibmcloud.ok("acme", "count")
    assert said.startswith(f"Counting namespaces of {tenant.namespace}...\n")
    assert said.splitlines()[2].split() == ["Namespaces", "1"]
    assert json.loads(ibmcloud.ok("acme", "count", "--output", "json")) == {"count": 1}
    assert chinese.ok("acme", "count").startswith(f"正在统计 {tenant.namespace} 的名称空间...\n")
    assert "统计您账户中的名称空间" in chinese.ok("help", "acme", "count")
    assert "Acme 的工具" in chinese.ok("help")

    assert ibmcloud("acme", "count", "nothing").out.endswith(
        "FAILED\nNo namespace begins with 'nothing'.\nSee all of them: ibmcloud cr namespaces.\n\n"
    )
    assert "没有以“nothing”开头的名称空间。" in chinese("acme", "count", "nothing").out

    ibmcloud.ok("logout")
    assert ibmcloud("acme", "count").out == "FAILED\nYou are not logged in to IBM Cloud.\n\n"
