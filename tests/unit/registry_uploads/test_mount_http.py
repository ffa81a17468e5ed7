"""Mounting blobs over HTTP: from where the caller may pull."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from tests.unit.registry_uploads.surface import (
    BLOB,
    CONTENT,
    DIGEST,
    UPLOADS,
    House,
    assert_created,
    pushed,
)


@pytest.mark.parametrize("source", ["team/second", ""])
def test_mounting(client: TestClient, source: str) -> None:
    pushed(client, repository="team/second")
    query = {"mount": str(DIGEST)} | ({"from": source} if source else {})
    assert_created(client, client.post(UPLOADS, params=query), CONTENT, DIGEST)


@pytest.mark.parametrize("source", ["team/third", "team/none", "Not A Name", ""])
def test_what_cannot_be_mounted_becomes_a_session(
    house: House, client: TestClient, source: str
) -> None:
    house.gate.possible = {"team/none"}
    query = {"mount": str(DIGEST)} | ({"from": source} if source else {})
    answer = client.post(UPLOADS, params=query)
    assert answer.status_code == 202
    answer = client.put(answer.headers["location"], params={"digest": str(DIGEST)}, content=CONTENT)
    assert_created(client, answer, CONTENT, DIGEST)


@pytest.mark.parametrize("source", ["team/second", ""])
def test_nothing_is_mounted_from_what_the_caller_may_not_pull(
    house: House, client: TestClient, source: str
) -> None:
    pushed(client, repository="team/second")
    house.gate.access["team/second"] = frozenset({"push"})
    query = {"mount": str(DIGEST)} | ({"from": source} if source else {})
    assert client.post(UPLOADS, params=query).status_code == 202
    assert client.head(BLOB).status_code == 404


@pytest.mark.parametrize("source", ["team/second", ""])
def test_a_mount_for_which_policy_would_give_the_scope_asks_for_it(
    house: House, client: TestClient, source: str
) -> None:
    pushed(client, repository="team/second")
    del house.gate.access["team/second"]
    house.gate.possible = {"team/second"}
    query = {"mount": str(DIGEST)} | ({"from": source} if source else {})
    answer = client.post(UPLOADS, params=query)
    assert answer.status_code == 401
    scope = 'scope="repository:team/app:pull,push repository:team/second:pull"'
    assert scope in answer.headers["www-authenticate"]
    assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]


def test_of_a_repository_that_one_may_not_read_nothing_is_looked_up(
    house: House, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the time of the answer would tell whether the blob is there."""
    pushed(client, repository="team/second")
    del house.gate.access["team/second"]
    looked: list[object] = []
    monkeypatch.setattr(house.yard.uploads, "candidates", lambda *asked: looked.append(asked))
    query = {"mount": str(DIGEST), "from": "team/second"}
    assert client.post(UPLOADS, params=query).status_code == 202
    assert looked == []
