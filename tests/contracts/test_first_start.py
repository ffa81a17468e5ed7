"""The first start of a deployment, of its further nodes, and of one that died half way."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.support.postgres import fresh_database
from wharfinger.identity import keys
from wharfinger.identity.model import OPERATOR_ACCOUNT
from wharfinger.identity.ports import Page
from wharfinger.identity.secrets import MasterKeyInvalid
from wharfinger.identity.service.master_key import MasterKeyForeign
from wharfinger.rooms import build_rooms
from wharfinger.serve import first_start
from wharfinger.serve.files import write_private
from wharfinger.serve.first_start import prepare
from wharfinger.settings import Settings

NewNode = Callable[..., Settings]


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[NewNode]:
    """Makes the settings of one more node on one PostgreSQL database, with one master key."""
    with fresh_database("template1") as url:

        def node(name: str, **more: Any) -> Settings:
            key = str(tmp_path / "the-master.key")
            return Settings(
                data=str(tmp_path / name), database_url=url, **{"master_key_file": key, **more}
            )

        yield node


@pytest.fixture(params=["sqlite", "postgresql"])
def alone(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """The settings of a deployment of one node."""
    if request.param == "sqlite":
        yield Settings(data=str(tmp_path / "data"))
    else:
        with fresh_database("template1") as url:
            yield Settings(data=str(tmp_path / "data"), database_url=url)


def operator(settings: Settings) -> dict[str, str]:
    return dict(json.loads((settings.data_path / "operator.json").read_text()))


def known_keys(settings: Settings) -> list[bool]:
    """Whether the operator's file names each API key that the operator has."""
    rooms = build_rooms(settings)
    try:
        with rooms.identity.store.reading() as records:
            found = records.api_keys(OPERATOR_ACCOUNT, "", Page(100))
            own = records.credential_by_secret(keys.sha256(operator(settings)["api_key"]))
        return [own is not None and own.id == key.id for key in found]
    finally:
        rooms.close()


def test_nodes_that_start_at_once_make_one_operator(shared: NewNode) -> None:
    nodes = [shared(f"node{number}") for number in range(3)]

    with ThreadPoolExecutor(len(nodes)) as pool:
        list(pool.map(prepare, nodes))

    told = [operator(node) for node in nodes]
    assert sorted(bool(one["api_key"]) for one in told) == [False, False, True]
    assert len({(one["account"], one["user"]) for one in told}) == 1
    (first,) = (node for node in nodes if operator(node)["api_key"])
    assert known_keys(first) == [True]


def test_a_node_that_comes_later_leaves_the_operator_alone(shared: NewNode) -> None:
    first, later = shared("first"), shared("later", operator_email="other@example.com")
    prepare(first)
    before = operator(first)

    prepare(later)

    assert operator(first) == before
    assert known_keys(first) == [True]
    assert operator(later)["api_key"] == ""
    assert operator(later)["user"] == before["user"] == "operator@localhost"


def test_a_start_that_died_after_making_the_operator_tells_its_key_the_next_time(
    alone: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:

    def power_cut(path: Path, content: bytes) -> None:
        if path.name == first_start.OPERATOR_FILE:
            raise OSError("power cut")
        write_private(path, content)

    with monkeypatch.context() as patch:
        patch.setattr(first_start, "write_private", power_cut)
        with pytest.raises(OSError, match="power cut"):
            prepare(alone)

    prepare(alone)

    assert known_keys(alone) == [True]
    assert sorted(path.name for path in alone.data_path.iterdir() if path.name[0] == ".") == []


def test_an_embedded_deployment_makes_a_new_key_where_the_file_is_gone(tmp_path: Path) -> None:
    settings = Settings(data=str(tmp_path / "data"))
    prepare(settings)
    old = operator(settings)["api_key"]
    (settings.data_path / "operator.json").unlink()

    prepare(settings)

    assert operator(settings)["api_key"] != old
    assert known_keys(settings) == [True]


def test_a_node_with_another_master_key_does_not_start(shared: NewNode, tmp_path: Path) -> None:
    prepare(shared("first"))
    foreign = shared("foreign", master_key_file="")
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "master.key").write_bytes(b"x" * 32)

    with pytest.raises(MasterKeyForeign, match=r"copy the file master\.key"):
        prepare(foreign)


def test_a_node_without_the_master_key_does_not_make_one(shared: NewNode, tmp_path: Path) -> None:
    prepare(shared("first"))

    with pytest.raises(MasterKeyForeign, match=r"copy the file master\.key"):
        prepare(shared("lost", master_key_file=""))

    assert not (tmp_path / "lost" / "master.key").exists()


def test_keys_that_were_sealed_before_fingerprints_tell_the_master_key(alone: Settings) -> None:
    prepare(alone)
    rooms = build_rooms(alone)
    rooms.identity.tokens.jwks()
    with rooms.database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM facts")
    rooms.close()
    path = alone.master_key_path
    right = path.read_bytes()

    path.write_bytes(b"y" * 32)
    with pytest.raises(MasterKeyForeign):
        prepare(alone)
    path.unlink()
    with pytest.raises(MasterKeyInvalid, match="no master key"):
        prepare(alone)
    path.write_bytes(right)
    prepare(alone)
