"""Requests that end one and the same upload together: one of them does, and no byte is lost."""

from __future__ import annotations

import os
from functools import partial
from hashlib import sha256

import httpx
import pytest

from tests.support.backends import LINKLESS, NAMES, SHARED_FOLDER
from tests.support.races import at_once
from tests.support.server import Tenant

pytestmark = pytest.mark.parametrize("server", [*NAMES, LINKLESS, SHARED_FOLDER], indirect=True)
ROUNDS = 12
CLIENTS = 3


@pytest.mark.parametrize("chunk", [{}, {"Content-Range": "1000-2999"}], ids=["stream", "range"])
@pytest.mark.parametrize("last", [2000, 0], ids=["last-bytes", "no-body"])
def test_one_of_them_ends_it(tenant: Tenant, chunk: dict[str, str], last: int) -> None:
    path = f"/v2/{tenant.namespace}/app/blobs"
    token = tenant.registry_token([f"repository:{tenant.namespace}/app:pull,push"])
    headers = {"Authorization": f"Bearer {token}"}
    clients = [
        httpx.Client(base_url=tenant.http.base_url, headers=headers, timeout=60)
        for _ in range(CLIENTS)
    ]
    for _ in range(ROUNDS):
        content = os.urandom(1000 + last)
        digest = f"sha256:{sha256(content).hexdigest()}"
        place = clients[0].post(f"{path}/uploads/").headers["Location"]
        assert clients[0].patch(place, content=content[:1000]).status_code == 202

        ends = [
            partial(
                client.put,
                place,
                params={"digest": digest},
                content=content[1000:],
                headers=chunk if last else {},
            )
            for client in clients
        ]
        answers = sorted(answer.status_code for answer in at_once(*ends))

        assert answers[0] == 201, answers
        assert set(answers) <= {201, 404, 409}, answers
        assert clients[0].get(f"{path}/{digest}").content == content
    for client in clients:
        client.close()
