"""The log's syncs: shared by all who wait, never skipped, never believed after a failure."""

import threading
from pathlib import Path

import pytest

from wharfinger.database.journal import Journal

WAITING = 8


class Disk:
    """What a journal is given, and what it did with it."""

    def __init__(self, folder: Path) -> None:
        self.database = folder / "some.db"
        self.log = folder / "some.db-wal"
        self.log.touch()
        self.rewritten = 0
        self.synced: list[int] = []
        self.journal = Journal(self.database, self.rewrite, self.told)

    def rewrite(self) -> None:
        self.rewritten += 1

    def told(self, units: int, seconds: float) -> None:
        del seconds
        self.synced.append(units)


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    return Disk(tmp_path)


def test_one_sync_serves_all_who_came_while_another_was_under_way(tmp_path: Path) -> None:
    under_way, go_on = threading.Event(), threading.Event()

    class Slow(Disk):
        def told(self, units: int, seconds: float) -> None:
            super().told(units, seconds)
            under_way.set()
            go_on.wait()

    disk = Slow(tmp_path)
    threads = [threading.Thread(target=disk.journal.sync) for _ in range(1 + WAITING)]
    threads[0].start()
    under_way.wait()
    for thread in threads[1:]:
        thread.start()
    while disk.journal.waiting < WAITING:
        threading.Event().wait(0.001)
    go_on.set()
    for thread in threads:
        thread.join()

    assert disk.synced == [1, WAITING]


def test_each_of_those_who_come_one_after_the_other_is_synced(disk: Disk) -> None:
    for _ in range(3):
        disk.journal.sync()

    assert disk.synced == [1, 1, 1]


def test_after_a_failure_the_content_is_written_anew(disk: Disk) -> None:
    disk.journal.sync()
    disk.log.unlink()
    with pytest.raises(FileNotFoundError):
        disk.journal.sync()
    disk.log.touch()

    disk.journal.sync()
    assert disk.rewritten == 1
    disk.journal.sync()
    assert disk.rewritten == 1


def test_a_rewrite_that_fails_is_asked_for_again(tmp_path: Path) -> None:
    class Stuck(Disk):
        def rewrite(self) -> None:
            super().rewrite()
            if self.rewritten == 1:
                raise OSError

    disk = Stuck(tmp_path)
    disk.log.unlink()
    for _ in range(2):
        with pytest.raises(OSError):  # noqa: PT011 - of whichever kind
            disk.journal.sync()
    disk.log.touch()

    disk.journal.sync()
    assert disk.rewritten == 2


def test_closed_it_opens_the_log_again(disk: Disk) -> None:
    disk.journal.sync()
    disk.journal.close()
    disk.journal.sync()
    disk.journal.close()

    assert disk.synced == [1, 1]
