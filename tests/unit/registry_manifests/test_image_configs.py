"""What is kept of images' configs: dates, labels within bounds, and nothing that is not one."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, select

from tests.support.databases import sqlite_database
from tests.support.registry_manifests import House, image
from wharfinger.database.schema import registry as tables
from wharfinger.registry.model.configs import UNDATED, ConfigFacts, facts_of, seconds_of

IMAGE_CONFIG = "application/vnd.oci.image.config.v1+json"
PARENT = "sha256:" + "0" * 64
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2018-08-01T12:00:00Z", 1533124800),
        ("2018-08-01T12:00:00.123456789Z", 1533124800),
        ("2018-08-01T14:00:00+02:00", 1533124800),
        ("1970-01-01T00:00:00Z", 0),
        ("0001-01-01T00:00:00Z", None),
        ("yesterday", None),
        ("", None),
        (1533124800, None),
        (None, None),
    ],
)
def test_dates(text: object, seconds: int | None) -> None:
    assert seconds_of(text) == seconds


def test_labels_count_as_long_as_they_fit() -> None:
    labels: dict[str, Any] = {"a": "1", "number": 2, "b": "x" * 50, "c": "3"}
    config = json.dumps({"created": "1970-01-01T00:00:07Z", "config": {"Labels": labels}}).encode()
    assert facts_of(config, 1000) == ConfigFacts(7, "", {"a": "1", "b": "x" * 50, "c": "3"})
    assert facts_of(config, 20).labels == {"a": "1"}
    assert facts_of(config, 0).labels == {}


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"\xff", b"null", b"[" * 100_000, b'{"created": 1, "config": [1]}'],
)
def test_what_is_no_config_says_nothing(content: bytes) -> None:
    assert facts_of(content, 1000) == UNDATED


@given(st.dictionaries(st.sampled_from(["created", "parent", "config", "x"]), JSON))
def test_no_config_breaks_anything(document: dict[str, Any]) -> None:
    facts = facts_of(json.dumps(document).encode(), 100)
    assert len(msgspec.json.encode(facts.labels)) <= 100 + 2


@pytest.fixture
def house(tmp_path: Path) -> Any:
    with sqlite_database(tmp_path) as database:
        yield House(database)


def store_config(house: House, content: bytes) -> dict[str, Any]:
    """A config whose bytes the store really has, visible in the repository."""
    made = house.add_blob(content, IMAGE_CONFIG)
    house.store_bytes(made["digest"], content)
    return made


def described(house: House) -> list[tuple[Any, ...]]:
    with house.database.reading() as connection:
        return [tuple(row) for row in connection.execute(select(tables.image_configs))]


CONFIG = json.dumps(
    {"created": "2018-08-01T12:00:00Z", "parent": PARENT, "config": {"Labels": {"a": "b"}}}
).encode()
FACTS = (1533124800, PARENT, '{"a":"b"}')


def test_a_push_writes_down_what_its_config_says(house: House) -> None:
    config = store_config(house, CONFIG)
    layers = [house.add_blob(b"one"), house.add_blob(b"three")]
    house.push(image(*layers, config=config), "v1")
    house.push(image(config=config), "v2")
    assert described(house) == [(config["digest"], *FACTS)]
    with house.database.reading() as connection:
        columns = (tables.manifests.c.config, tables.manifests.c.layers_size)
        rows = connection.execute(select(*columns).order_by(tables.manifests.c.id)).all()
    assert [tuple(row) for row in rows] == [(config["digest"], 8), (config["digest"], 0)]


def test_what_a_push_could_not_read_is_read_later(house: House) -> None:
    config = store_config(house, CONFIG)
    lost = house.add_blob(b'{"lost": true}', IMAGE_CONFIG)
    house.push(image(config=config), "v1")
    house.push(image(config=lost), "v2")
    with house.database.writing() as connection:
        connection.execute(delete(tables.image_configs))

    after = house.configs.describe(0, 1)
    while after:
        after = house.configs.describe(after, 1)

    assert sorted(described(house)) == sorted(
        [(config["digest"], *FACTS), (lost["digest"], None, "", "{}")]
    )


def test_facts_go_with_the_blob(house: House) -> None:
    config = store_config(house, CONFIG)
    house.push(image(config=config), "v1")
    with house.database.writing() as connection:
        connection.execute(delete(tables.repository_blobs))
        connection.execute(delete(tables.blobs).where(tables.blobs.c.digest == config["digest"]))
    assert described(house) == []


def test_a_config_that_the_repository_does_not_show_tells_nothing(house: House) -> None:
    """A foreign type needs no blob here; another tenant's config of that digest stays closed."""
    config = store_config(house, CONFIG)
    with house.database.writing() as connection:
        connection.execute(delete(tables.repository_blobs))
    foreign = config | {"mediaType": "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"}
    house.push(image(config=foreign), "v1")
    assert described(house) == []
    with house.database.reading() as connection:
        assert connection.scalar(select(tables.manifests.c.config)) is None
