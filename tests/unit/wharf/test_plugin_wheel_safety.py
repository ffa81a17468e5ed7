"""Wheels that must not be installed, each for its reason; and that nothing of them stays."""

from __future__ import annotations

import fcntl
import os
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.plugin_wheels import WheelMaker, write_zip
from wharf.plugins import wheel as module
from wharf.plugins.installed import Plugins
from wharf.plugins.shelf import Shelf
from wharf.plugins.wheel import inspect, unpack
from wharf.refusals import CommandsClash, Failure, HostOutdated, NotInstalled, WheelUnsafe

GOOD = WheelMaker()


def repacked(path: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """The wheel with its files changed, its RECORD as it was."""
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    write_zip(path, files)
    return path


@pytest.mark.parametrize(
    ("maker", "reason"),
    [
        (WheelMaker(requires=("wharfinger-cli>=0.9", "requests")), "its metadata is not usable"),
        (WheelMaker(tag="cp311-cp311-linux_x86_64"), "it is not pure Python"),
        (WheelMaker(package="json"), "its package cannot be called"),
        (WheelMaker(package="wharf"), "its package cannot be called"),
        (WheelMaker(package="wharfinger_common"), "its package cannot be called"),
        (WheelMaker(files={"greeter/native.so": b""}), "it holds"),
        (WheelMaker(files={"other/__init__.py": b""}), "it must hold one package"),
        (WheelMaker(files={"sitecustomize.pth": b"import os"}), "it holds"),
        (WheelMaker(files={"../escaped.py": b""}), "it holds"),
        (WheelMaker(files={"/etc/escaped": b""}), "it holds"),
        (WheelMaker(files={"greeter/../../escaped.py": b""}), "it holds"),
        (WheelMaker(files={"greeter\\..\\escaped.py": b""}), "it holds"),
        (WheelMaker(files={"greeter/C:evil.py": b""}), "it holds"),
        (WheelMaker(files={"greeter/nul\u202e.py": b""}), "it holds"),
        (WheelMaker(files={"greeter-1.0.0.data/scripts/x": b""}), "it holds"),
        (WheelMaker(files={"greeter/HELLO.py": b"x = 1"}), "it holds a file twice"),
        (WheelMaker(files={"greeter/" + "x" * 300: b""}), "it holds"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_wheel_that_must_not_be_installed(tmp_path: Path, maker: WheelMaker, reason: str) -> None:
    path = maker.write(tmp_path)

    with pytest.raises(WheelUnsafe) as refused:
        inspect(path)
    assert str(refused.value.facts["reason"]).startswith(reason)


def test_a_file_that_record_does_not_name(tmp_path: Path) -> None:
    path = repacked(GOOD.write(tmp_path), lambda files: files.update({"greeter/new.py": b""}))

    with pytest.raises(WheelUnsafe, match="RECORD says nothing of"):
        inspect(path)


def test_a_file_that_was_changed(tmp_path: Path) -> None:
    path = repacked(GOOD.write(tmp_path), lambda files: files.update({"greeter/hello.py": b"x"}))

    with pytest.raises(WheelUnsafe, match="is not what RECORD says"):
        unpack(inspect(path), tmp_path / "target")


@pytest.mark.parametrize("missing", ["METADATA", "WHEEL", "RECORD", "entry_points.txt"])
def test_metadata_that_is_missing(tmp_path: Path, missing: str) -> None:
    def drop(files: dict[str, bytes]) -> None:
        for name in [each for each in files if each.endswith(missing)]:
            del files[name]

    path = repacked(GOOD.write(tmp_path), drop)

    with pytest.raises(WheelUnsafe):
        inspect(path)


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04" + b"\x00" * 100])
def test_what_is_no_wheel(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "greeter-1.0.0-py3-none-any.whl"
    path.write_bytes(content)

    with pytest.raises(WheelUnsafe):
        inspect(path)


def test_a_name_that_lies(tmp_path: Path) -> None:
    path = GOOD.write(tmp_path)
    lying = path.rename(tmp_path / "greeter-9.0.0-py3-none-any.whl")

    with pytest.raises(WheelUnsafe):
        inspect(lying)


def test_a_symbolic_link(tmp_path: Path) -> None:
    path = GOOD.write(tmp_path)
    link = zipfile.ZipInfo("greeter/link.py")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(link, "/etc/passwd")

    with pytest.raises(WheelUnsafe, match="it holds"):
        inspect(path)


def test_a_bomb_whose_header_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_FILE", 1 << 20)
    path = WheelMaker(files={"greeter/big.bin": b"\x00" * (8 << 20)}).write(tmp_path)
    content = bytearray(path.read_bytes())
    # Both headers say that the file inflates to a hundred bytes.
    size = (8 << 20).to_bytes(4, "little")
    while (at := content.find(size)) >= 0:
        content[at : at + 4] = (100).to_bytes(4, "little")
    path.write_bytes(content)

    with pytest.raises(WheelUnsafe):
        unpack(inspect(path), tmp_path / "target")


def test_too_many_files(tmp_path: Path) -> None:
    files = {f"greeter/f{number}.py": b"" for number in range(module.MAX_FILES)}

    with pytest.raises(WheelUnsafe, match="it holds too much"):
        inspect(WheelMaker(files=files).write(tmp_path))


@pytest.mark.parametrize(
    ("maker", "kind"),
    [
        (WheelMaker(version="2.0.0", requires=("wharfinger-cli>=99",)), HostOutdated),
        (WheelMaker(version="2.0.0", sessions="1 / 0"), WheelUnsafe),
        (WheelMaker(version="2.0.0", namespace="iam"), CommandsClash),
        (WheelMaker(version="2.0.0", namespace="login"), CommandsClash),
        (WheelMaker(version="2.0.0", namespace="a b"), WheelUnsafe),
    ],
)
def test_what_is_installed_stays_when_its_successor_is_refused(
    tmp_path: Path, maker: WheelMaker, kind: type[Failure]
) -> None:
    shelf = Shelf(tmp_path / "config")
    shelf.put(inspect(GOOD.write(tmp_path)))
    before = tree(tmp_path / "config")

    with pytest.raises(kind):
        shelf.put(inspect(maker.write(tmp_path)))

    assert tree(tmp_path / "config") == before


def test_two_plugins_do_not_share_a_name(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "config")
    shelf.put(inspect(GOOD.write(tmp_path)))

    with pytest.raises(CommandsClash):
        shelf.put(inspect(WheelMaker(name="other", package="other").write(tmp_path)))
    with pytest.raises(CommandsClash):
        shelf.put(inspect(WheelMaker(name="other", namespace="other").write(tmp_path)))


@pytest.mark.parametrize("dies_at", range(6))
def test_a_command_that_dies_leaves_the_old_or_the_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dies_at: int
) -> None:
    """Whatever step an update dies at, one whole version counts and the next run cleans up."""
    shelf = Shelf(tmp_path / "config")
    shelf.put(inspect(GOOD.write(tmp_path)))
    newer = inspect(WheelMaker(version="2.0.0").write(tmp_path))
    steps = [
        "unpack",
        "_declared",
        "_record",
        "write_json",
        "compileall.compile_dir",
        "shutil.rmtree",
    ]

    class Died(BaseException):
        pass

    def die(*_args: object, **_more: object) -> None:
        raise Died

    with monkeypatch.context() as patch:
        # Nothing runs after a kill -9, cleaning up neither.
        patch.setattr("wharf.plugins.shelf.shutil.rmtree", lambda *_a, **_k: None)
        patch.setattr(f"wharf.plugins.shelf.{steps[dies_at]}", die)
        with pytest.raises(Died):
            shelf.put(newer)

    (installed,) = Plugins(tmp_path / "config")
    assert (installed.folder / "greeter/hello.py").exists()
    again = shelf.put(newer)
    assert again.version == "2.0.0"
    left = [path.name for path in again.home.iterdir()]
    assert left == [again.folder.name]


def test_a_folder_in_use_is_left_until_it_is_not(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "config")
    old = shelf.put(inspect(GOOD.write(tmp_path)))
    # As a running command holds it.
    descriptor = os.open(old.folder, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    new = shelf.put(inspect(WheelMaker(version="2.0.0").write(tmp_path)))
    assert old.folder.is_dir()
    os.close(descriptor)

    shelf.put(inspect(WheelMaker(version="3.0.0").write(tmp_path)))
    assert not old.folder.exists()
    assert not new.folder.exists()


def test_what_is_not_there_is_not_removed(tmp_path: Path) -> None:
    with pytest.raises(NotInstalled):
        Shelf(tmp_path).remove("greeter")


def tree(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
