"""A long upload is on its way to the disk before it ends."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from wharfinger.blobstore.filesystem import FilesystemStore
from wharfinger.blobstore.writeback import STEP, Writeback
from wharfinger_common.digests import Digest

UPLOAD = "01890000-0000-7000-8000-000000000000"
MIB = 1024 * 1024
Range = tuple[int, int]


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[Range]:
    """The ranges that the system was told to write, which it does."""
    ranges: list[Range] = []
    advise = os.posix_fadvise

    def noted(descriptor: int, offset: int, length: int, advice: int) -> None:
        assert advice == os.POSIX_FADV_DONTNEED
        advise(descriptor, offset, length, advice)
        ranges.append((offset, offset + length))

    monkeypatch.setattr(os, "posix_fadvise", noted)
    return ranges


def test_long_uploads_are_written_piece_by_piece_and_stay_whole(
    tmp_path: Path, begun: list[Range]
) -> None:
    store, piece = FilesystemStore(tmp_path), os.urandom(MIB)
    with store.writer(UPLOAD, 0) as writer:
        for _ in range(40):
            writer.write(piece)
        assert begun == [(0, STEP), (STEP, 2 * STEP)]
        digest = Digest.of(piece * 40)
        placed = writer.commit(digest)
    with store.open(placed.location) as reader:
        assert b"".join(reader.read(0, reader.size)) == piece * 40


def test_short_ones_are_left_to_their_end(tmp_path: Path, begun: list[Range]) -> None:
    store = FilesystemStore(tmp_path)
    with store.writer(UPLOAD, 0) as writer:
        for _ in range(15):
            writer.write(b"x" * MIB)
    assert begun == []


def test_it_goes_on_where_an_upload_goes_on(tmp_path: Path, begun: list[Range]) -> None:
    path = tmp_path / "file"
    with path.open("wb") as file:
        follower = Writeback(file.fileno(), 5 * STEP)
        follower.grown(5 * STEP + 1)
        follower.grown(7 * STEP)
        follower.grown(3)
    assert begun == [(5 * STEP, 7 * STEP)]


def test_where_the_system_takes_no_advice_nothing_fails(tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb") as file:
        descriptor = file.fileno()
    Writeback(descriptor, 0).grown(2 * STEP)
