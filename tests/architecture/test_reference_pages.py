"""The generated pages say what the code says, and every setting is told to people."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from wharfinger.settings import describe

ROOT = Path(__file__).resolve().parents[2]


def test_reference_pages_are_up_to_date() -> None:
    command = [sys.executable, "docs/generate.py", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("name", "allowed", "text"),
    [(name, allowed, text) for name, allowed, _, text in describe()],
    ids=[row[0] for row in describe()],
)
def test_setting_is_documented(name: str, allowed: str, text: str) -> None:
    page = (ROOT / "docs/reference/settings.md").read_text()

    assert len(text.split()) >= 3
    assert allowed
    assert f"## {name}\n" in page


def test_every_link_between_pages_leads_somewhere() -> None:
    broken = []
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            if not (page.parent / target).exists():
                broken.append(f"{page.relative_to(ROOT)} -> {target}")

    assert not broken


def test_every_setting_has_an_effect() -> None:
    source = "".join(
        path.read_text()
        for path in (ROOT / "server/src/wharfinger").rglob("*.py")
        if path.name != "settings.py"
    )
    own = (ROOT / "server/src/wharfinger/settings.py").read_text()
    source += own.partition("@property")[2].partition("\ndef describe(")[0]
    derived = {"data", "database_url", "blobs_url"}

    read = set(re.findall(r"\.([a-z0-9_]+)\b", source)) | derived
    unread = [name for name, *_ in describe() if name not in read]

    assert not unread
