"""Every text for people is in both languages: nothing missing, unused, fuzzy or out of step."""

import gettext
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from wharfinger_common import languages

ROOT = Path(__file__).resolve().parents[2]
FILES = Path("common/src/wharfinger_common/locale/zh_Hans/LC_MESSAGES")


def check(root: Path) -> subprocess.CompletedProcess[str]:
    """Run the tool as a developer does, on the tree at ``root``."""
    command = [sys.executable, "common/translations.py", "--check"]
    environment = {"PYTHONPATH": str(root / "common/src"), "PATH": ""}
    return subprocess.run(
        command, cwd=root, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of what holds texts, to break."""
    shutil.copytree(ROOT / "common", tmp_path / "common")
    return tmp_path


def test_every_text_is_translated() -> None:
    done = check(ROOT)

    assert done.returncode == 0, done.stderr


def change(old: str, new: str) -> Callable[[Path], None]:
    def apply(root: Path) -> None:
        path = root / FILES / "wharfinger.po"
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    return apply


def add_entry(root: Path) -> None:
    path = root / "common/src/wharfinger_common/names.py"
    path.write_text(path.read_text() + '\nNEWS = Text("what nobody translated")\n')


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        (add_entry, "not in wharfinger.po: what nobody translated"),
        (change('msgstr "需要认证"', 'msgstr ""'), "not translated: authentication required"),
        (change("{limit}", "{limits}"), "placeholders differ"),
        (change("需要认证", "authentication needed"), "still English"),
        (change("请重试；如果问题依旧，请将请求标识提供给运维人员。", "请重试"), "ends otherwise"),
        (change("需要认证", "命名空间需要认证"), "says 命名空间 for 名称空间"),
        (change("#. WHF0014 message", "#, fuzzy"), "marked fuzzy"),
        (change("需要认证", "请先认证"), "wharfinger.mo is not what wharfinger.po says"),
        (change('msgid "authentication required"', 'msgid "gone"'), "no longer used: gone"),
    ],
)
def test_what_lacks_is_named(tree: Path, broken: Callable[[Path], None], told: str) -> None:
    broken(tree)
    done = check(tree)

    assert done.returncode == 1
    assert told in done.stderr


def test_the_compiled_texts_are_where_programs_look() -> None:
    found = gettext.find(languages.DOMAIN, str(languages.LOCALES), ["zh_Hans"])

    assert found == str(ROOT / FILES / "wharfinger.mo")


def test_a_wheel_carries_the_texts() -> None:
    """An installed program finds them: they lie within the package, and nothing leaves them out."""
    assert languages.LOCALES.parent == Path(languages.__file__).parent
    ignored = subprocess.run(
        ["git", "check-ignore", str(FILES / "wharfinger.mo")], cwd=ROOT, check=False
    )

    assert ignored.returncode == 1
