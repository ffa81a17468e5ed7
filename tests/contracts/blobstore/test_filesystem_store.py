"""What only the filesystem store promises: modes, order of syncs, errors, other processes."""

import errno
import os
import stat
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest

from wharfinger.blobstore.errors import StoreUnavailable, UploadInUse, UploadShort
from wharfinger.blobstore.filesystem import FilesystemStore
from wharfinger.database.errors import StorageFull
from wharfinger_common.digests import Digest


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "blobs"


def test_nobody_else_may_read_anything(root: Path) -> None:
    old = os.umask(0)
    try:
        store = FilesystemStore(root)
        store.put(Digest.of(b"secret"), b"secret")
        with store.writer(str(uuid.uuid4()), 0) as writer:
            writer.write(b"secret")
    finally:
        os.umask(old)
    for path in (root, *root.rglob("*")):
        expected = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == expected, path


def test_folders_bytes_and_name_are_synced_before_the_answer(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FilesystemStore(root)
    digest = Digest.of(b"content")
    steps: list[str] = []
    sync, link = os.fsync, Path.hardlink_to

    def seen_sync(descriptor: int) -> None:
        kind = "folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file"
        steps.append(f"{kind} {Path(f'/proc/self/fd/{descriptor}').readlink().name}")
        sync(descriptor)

    def seen_link(path: Path, target: Path) -> None:
        steps.append(f"link {path.name}")
        link(path, target)

    upload = str(uuid.uuid4())
    monkeypatch.setattr(os, "fsync", seen_sync)
    monkeypatch.setattr(Path, "hardlink_to", seen_link)
    with store.writer(upload, 0) as writer:
        writer.write(b"content")
        assert steps == []
        name = writer.commit(digest).location.rpartition("/")[2]
    # The new folders' names come before what is put into them.
    shard = digest.hex[:2]
    assert steps.index("folder blobs") < steps.index("folder sha256")
    assert steps[-3:] == [f"link {name}", f"file {upload}", f"folder {shard}"]
    assert steps.index("folder sha256") < steps.index(f"link {name}")


@pytest.mark.parametrize(
    ("number", "refusal"),
    [(errno.ENOSPC, StorageFull), (errno.EDQUOT, StorageFull), (errno.EIO, StoreUnavailable)],
)
@pytest.mark.parametrize("failing", ["fsync", "write"])
def test_system_errors_become_refusals_and_leave_nothing(
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    refusal: type[Exception],
    failing: str,
) -> None:
    store = FilesystemStore(root)

    def fail(*_: object) -> int:
        raise OSError(number, "no")

    target = "os.fsync" if failing == "fsync" else "wharfinger.blobstore.filesystem.write_all"
    with monkeypatch.context() as patch:
        patch.setattr(target, fail)
        with pytest.raises(refusal):
            store.put(Digest.of(b"content"), b"content")
    assert [path for path in root.rglob("*") if path.is_file()] == []
    store.put(Digest.of(b"content"), b"content")


def test_a_store_whose_folder_is_gone_is_not_ready(root: Path) -> None:
    store = FilesystemStore(root)
    root.rename(root.with_name("elsewhere"))
    with pytest.raises(StoreUnavailable, match="blob store"):
        store.check()


def test_another_processes_writer_is_respected_until_it_dies(root: Path) -> None:
    store = FilesystemStore(root)
    upload = str(uuid.uuid4())
    held = _process_holding(root, upload)
    try:
        with pytest.raises(UploadInUse):
            store.writer(upload, 0)
    finally:
        held.kill()
        held.communicate()
    with store.writer(upload, 4) as writer:
        assert b"".join(writer.read()) == b"held"


@pytest.mark.parametrize("links", [True, False], ids=["links", "no links"])
def test_what_is_placed_is_locked_until_its_writer_is_closed(
    root: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    def none(path: Path, target: Path) -> None:
        raise OSError(errno.EPERM, "the filesystem has no links")

    if not links:
        monkeypatch.setattr(Path, "hardlink_to", none)
    store, other = FilesystemStore(root), FilesystemStore(root)
    upload = str(uuid.uuid4())
    with store.writer(upload, 0) as writer:
        writer.write(b"whole")
        location = writer.commit(Digest.of(b"whole")).location
        with pytest.raises(UploadInUse):
            other.resume(upload, 5)
        with pytest.raises(UploadInUse):
            other.writer(upload, 5)
        store.discard(upload)
    assert other.resume(upload, 5) is None
    with pytest.raises(UploadShort):
        other.writer(upload, 5)
    assert store.path(location).read_bytes() == b"whole"
    assert store.path(location).stat().st_nlink == 1
    assert store.sealed(location, modified(store, location))
    assert sorted(path.name for path in (root / "uploads").iterdir()) == []


@pytest.mark.parametrize("size", [0, 3, 4])
def test_the_upload_of_one_who_died_once_it_was_placed_goes_on_beside_the_blob(
    root: Path, size: int
) -> None:
    """A row may name the blob by now: nobody writes to it."""
    store, upload = FilesystemStore(root), str(uuid.uuid4())
    died = _process_holding(root, upload, placed=True)
    died.kill()
    died.communicate()
    (placed,) = [stored.location for stored in store.objects("", 2)]

    assert store.resume(upload, 4) is None
    with store.writer(upload, size) as writer:
        with pytest.raises(UploadInUse):
            store.writer(upload, size)
        writer.write(b"anew")
    with store.writer(upload, size + 4) as writer:
        assert b"".join(writer.read()) == b"held"[:size] + b"anew"
        again = writer.commit(Digest.of(b"held"[:size] + b"anew")).location
        store.discard(upload)

    for location, content in ((placed, b"held"), (again, b"held"[:size] + b"anew")):
        assert store.path(location).read_bytes() == content
        assert store.path(location).stat().st_nlink == 1
        assert store.sealed(location, modified(store, location))
    assert list((root / "uploads").iterdir()) == []


def test_a_disk_without_room_for_the_copy_takes_nothing_from_the_upload(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, upload = FilesystemStore(root), str(uuid.uuid4())
    with store.writer(upload, 0) as writer:
        writer.write(b"held")
        writer.commit(Digest.of(b"held"))

    def full(*_: object, **__: object) -> int:
        raise OSError(errno.ENOSPC, "no")

    with monkeypatch.context() as patch:
        patch.setattr(os, "copy_file_range", full)
        with pytest.raises(StorageFull):
            store.writer(upload, 4)
    assert [path.name for path in (root / "uploads").iterdir()] == [upload]
    with store.writer(upload, 4) as writer:
        assert b"".join(writer.read()) == b"held"


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_filesystem_that_cannot_copy_by_itself_is_helped(
    root: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    store, upload, content = FilesystemStore(root), str(uuid.uuid4()), os.urandom(3_000_000)
    with store.writer(upload, 0) as writer:
        writer.write(content)
        writer.commit(Digest.of(content))

    def none(*_: object, **__: object) -> int:
        raise OSError(number, "no")

    monkeypatch.setattr(os, "copy_file_range", none)
    with store.writer(upload, 2_500_000) as writer:
        assert b"".join(writer.read()) == content[:2_500_000]


def _process_holding(root: Path, upload: str, *, placed: bool = False) -> "subprocess.Popen[bytes]":
    program = """
import sys
from pathlib import Path
from typing import Any
from wharfinger.blobstore.filesystem import FilesystemStore
from wharfinger_common.digests import Digest
writer = FilesystemStore(Path(sys.argv[1])).writer(sys.argv[2], 0)
writer.write(b"held")
if sys.argv[3:]:
    writer.commit(Digest.of(b"held"))
print("ready", flush=True)
sys.stdin.read()
"""
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(root), upload, *["placed"] * placed],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process


def test_a_link_in_the_place_of_an_upload_is_not_followed(root: Path, tmp_path: Path) -> None:
    store = FilesystemStore(root)
    upload, outside = str(uuid.uuid4()), tmp_path / "outside"
    outside.write_bytes(b"precious")
    (root / "uploads" / upload).symlink_to(outside)
    with pytest.raises(StoreUnavailable):
        store.writer(upload, 0)
    assert outside.read_bytes() == b"precious"


def test_blobs_of_former_versions_and_foreign_files(root: Path) -> None:
    """Locations once had no random mark; what is not the store's own is neither listed nor read."""
    store = FilesystemStore(root)
    digest = Digest.of(b"content")
    location = store.put(digest, b"content").location
    file = root / "blobs" / location
    old = location.partition(".")[0]
    file.rename(file.with_name(digest.hex))
    for name in ("notes.txt", f"{digest.hex}.bak", f"{digest.hex}.{'0' * 11}"):
        (file.parent / name).write_bytes(b"foreign")
    (root / "blobs" / "lost+found").mkdir()

    assert [each.location for each in store.objects("", 10)] == [old]
    with store.open(old) as reader:
        assert b"".join(reader.read(0, 7)) == b"content"
    store.delete(old)
    assert store.objects("", 10) == []


# --- Seals -----------------------------------------------------------------------------------


def committed(store: FilesystemStore) -> str:
    with store.writer(str(uuid.uuid4()), 0) as writer:
        writer.write(b"content")
        return writer.commit(Digest.of(b"content")).location


def modified(store: FilesystemStore, location: str) -> int:
    return store.path(location).stat().st_mtime_ns


def test_what_is_placed_is_sealed_until_somebody_writes_to_it(root: Path) -> None:
    store = FilesystemStore(root)
    for location in (committed(store), store.put(Digest.of(b"content"), b"content").location):
        assert store.sealed(location, modified(store, location))
        with store.path(location).open("r+b") as file:
            file.write(b"C")
        assert not store.sealed(location, modified(store, location))


def test_the_file_of_another_blob_bears_no_seal_of_this_one(root: Path) -> None:
    store = FilesystemStore(root)
    one, other = committed(store), committed(store)
    store.path(other).replace(store.path(one))
    assert not store.sealed(one, modified(store, one))


def test_a_restored_file_is_sealed_anew_unless_it_changes_meanwhile(root: Path) -> None:
    store = FilesystemStore(root)
    location = committed(store)
    os.utime(store.path(location), (1_700_000_000, 1_700_000_000))
    before = modified(store, location)
    assert not store.sealed(location, before)
    os.utime(store.path(location), (1_700_000_001, 1_700_000_001))
    store.seal(location, str(before))
    assert not store.sealed(location, modified(store, location))
    store.seal(location, str(modified(store, location)))
    assert store.sealed(location, modified(store, location))


def test_without_fractions_of_seconds_there_are_no_seals(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    utime = os.utime

    def whole_seconds(path: Path | int, ns: tuple[int, int], **options: Any) -> None:
        first, second = (each // 10**9 * 10**9 for each in ns)
        utime(path, ns=(first, second), **options)

    monkeypatch.setattr(os, "utime", whole_seconds)
    store = FilesystemStore(root)
    location = committed(store)
    assert store.sealed(location, modified(store, location))
