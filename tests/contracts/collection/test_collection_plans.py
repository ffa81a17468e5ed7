"""No statement of collection reads more of a table than it was asked to look at."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from tests.support.databases import sqlite_database
from tests.support.depot import DELAY, GRACE, Depot
from tests.support.registry_manifests import REGION
from wharfinger.blobstore.filesystem import FilesystemStore
from wharfinger.registry.model.repositories import Place

# A page of a list begins behind a key; nothing else may read a table from its beginning.
_WHOLE = re.compile(
    r"^SCAN (?!(\d+ )?CONSTANT ROW)|^SEARCH manifest_references.*\(repository_id=\?\)$"
)


@contextmanager
def statements() -> Iterator[list[tuple[str, Any]]]:
    """Every statement that runs meanwhile, with its parameters."""
    seen: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, text: str, values: Any, *_: Any) -> None:
        seen.append((text, values))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def test_collection_finds_its_way_by_indexes(tmp_path: Path) -> None:
    with sqlite_database(tmp_path) as database:
        depot = Depot(database, FilesystemStore(tmp_path / "blobs"))
        gone = depot.push_layers(b"one")
        depot.push_layers(b"two")
        depot.push_blob(b"three")
        with statements() as seen:
            depot.manifests.delete(Place(REGION, "tenant/app"), gone)
            depot.now += GRACE + 1
            depot.collect()
            depot.now += DELAY + 1
            depot.collect()
            depot.report()
        assert depot.stored() != []
        whole = []
        with database.reading() as connection:
            for text, values in seen:
                if text.startswith(("SELECT", "DELETE", "UPDATE")):
                    plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", values)
                    whole += [(row[3], text) for row in plan if _WHOLE.search(row[3])]
    assert len(seen) > 20
    assert whole == []
