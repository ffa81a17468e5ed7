"""What is taken away ends tokens that were issued before, within the documented minute."""

from __future__ import annotations

import hashlib
import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.server import Operator, Server, Tenant, wharfd

BOUND = 60.0
PASSWORD, OTHER = "correct horse battery", "battery horse correct"
API_KEY = "urn:ibm:params:oauth:grant-type:apikey"


class Someone:
    """A user or service id with a role in the tenant's account, and tokens issued to it."""

    def __init__(self, server: Server, tenant: Tenant, name: str) -> None:
        self.server, self.tenant, self.api = server, tenant, server.api
        self.email = f"{name}@{tenant.namespace}.example"
        self.manager = {
            "Authorization": f"Bearer {tenant.iam_token()}",
            "Account": tenant.account,
        }
        self.repository = f"{tenant.namespace}/app"

    def made(self, kind: str, **body: Any) -> Any:
        path = f"{self.api}/identity/v1/{kind}"
        return httpx.post(path, json=body, headers=self.manager).raise_for_status().json()

    def removed(self, kind: str, id_: str) -> None:
        path = f"{self.api}/identity/v1/{kind}/{id_}"
        httpx.delete(path, headers=self.manager).raise_for_status()

    def user(self) -> str:
        made = self.made("users", email=self.email, password=PASSWORD, role="Reader")
        self.sign_in("password", username=self.email, password=PASSWORD)
        self.issue(self.email, PASSWORD)
        return str(made["iam_id"])

    def robot(self) -> tuple[str, str, str]:
        """The ids of a new service id, of its key and of its policy."""
        iam_id = self.made("serviceids", name="ci")["iam_id"]
        policy = self.made("policies", iam_id=iam_id, role="Reader", namespace=None)
        key = self.made("apikeys", name="ci", iam_id=iam_id)
        self.sign_in(API_KEY, apikey=key["apikey"])
        self.issue("iamapikey", key["apikey"])
        return iam_id, key["id"], policy["id"]

    def sign_in(self, grant: str, **form: str) -> None:
        answer = httpx.post(f"{self.api}/identity/token", data={"grant_type": grant, **form})
        self.session = answer.raise_for_status().json()["access_token"]

    def issue(self, user: str, secret: str) -> None:
        query = {"service": "registry", "scope": f"repository:{self.repository}:pull"}
        answer = httpx.get(f"{self.api}/oauth/token", params=query, auth=(user, secret))
        self.token = answer.raise_for_status().json()["token"]

    def pulls(self) -> int:
        path = f"{self.api}/v2/{self.repository}/tags/list"
        return httpx.get(path, headers={"Authorization": f"Bearer {self.token}"}).status_code

    def calls(self) -> int:
        bearer = {"Authorization": f"Bearer {self.session}", "Account": self.tenant.account}
        return httpx.get(f"{self.api}/api/v1/namespaces", headers=bearer).status_code


def key_removed(someone: Someone) -> None:
    _, key, _ = someone.robot()
    yielded(someone, lambda: someone.removed("apikeys", key), 401)


def role_removed(someone: Someone) -> None:
    _, _, policy = someone.robot()
    yielded(someone, lambda: someone.removed("policies", policy), 403)


def service_id_removed(someone: Someone) -> None:
    iam_id, _, _ = someone.robot()
    yielded(someone, lambda: someone.removed("serviceids", iam_id), 401)


def user_removed(someone: Someone) -> None:
    iam_id = someone.user()
    yielded(someone, lambda: someone.removed("users", iam_id), 401)


def password_changed(someone: Someone) -> None:
    someone.user()

    def change() -> None:
        bearer = {"Authorization": f"Bearer {someone.session}", "Account": someone.tenant.account}
        body = {"current_password": PASSWORD, "password": OTHER}
        path = f"{someone.api}/identity/v1/password"
        wrong = httpx.put(path, json={**body, "current_password": "x"}, headers=bearer)
        assert (wrong.status_code, wrong.json()["context"]["entry"]) == (403, "WHF0246")
        assert httpx.put(path, json=body, headers=bearer).status_code == 204

    yielded(someone, change, 401)
    someone.sign_in("password", username=someone.email, password=OTHER)
    assert someone.calls() == 200


def password_set_by_the_operator(someone: Someone) -> None:
    someone.user()

    def change() -> None:
        command = [str(wharfd()), "user", "password", someone.email, "--output", "json"]
        run = subprocess.run(
            command,
            input=f"{OTHER}\n",
            env=someone.server.environment(),
            capture_output=True,
            text=True,
            check=True,
        )
        assert json.loads(run.stdout)["email"] == someone.email

    yielded(someone, change, 401)
    someone.sign_in("password", username=someone.email, password=OTHER)


def yielded(someone: Someone, revoke: Callable[[], None], call: int) -> None:
    """What worked before does not work any more, though its tokens have not ended."""
    assert (someone.pulls(), someone.calls()) == (404, 200)
    revoke()
    deadline = time.monotonic() + BOUND
    answers = (someone.pulls(), someone.calls())
    while answers != (401, call) and time.monotonic() < deadline:
        time.sleep(0.1)
        answers = (someone.pulls(), someone.calls())
    assert answers == (401, call)


@pytest.mark.parametrize(
    "way",
    [
        key_removed,
        role_removed,
        service_id_removed,
        user_removed,
        password_changed,
        password_set_by_the_operator,
    ],
)
def test_tokens_that_were_issued_end(
    server: Server, tenant: Tenant, way: Callable[[Someone], None]
) -> None:
    way(Someone(server, tenant, way.__name__))


def test_who_gave_a_namespace_away_has_nothing_in_what_another_account_makes_of_it(
    tmp_path: Path,
) -> None:
    with Server(tmp_path / "data", settings={"WHARFINGER_REGISTRY_TOKEN_SECONDS": "2"}) as server:
        operator = Operator.of(server)
        former, heir = operator.create_tenant("former"), operator.create_tenant("heir")
        former.grant("anonymous", "Reader", "former")
        robot = former.service_key("ci", "Writer")
        secret = former.registry_secret(write=True)
        scope = {"service": "registry", "scope": "repository:former/app:pull,push"}

        def issued(auth: tuple[str, str] | None = None) -> str:
            answer = httpx.get(f"{server.api}/oauth/token", params=scope, auth=auth)
            return str(answer.raise_for_status().json()["token"])

        presented = [("iamapikey", former.api_key), ("iamapikey", robot), ("token", secret), None]
        assert changed(server, former, "DELETE", "former")
        assert not changed(server, heir, "PUT", "former")
        deadline = time.monotonic() + BOUND
        while not changed(server, former, "PUT", "former"):
            assert time.monotonic() < deadline, "its former account may have the name at once"
            time.sleep(0.05)
        tokens = [issued(auth) for auth in presented]
        assert changed(server, former, "DELETE", "former")
        while not changed(server, heir, "PUT", "former"):
            assert time.monotonic() < deadline, "another account may have the name soon"
            time.sleep(0.05)

        content = b"the heir's"
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        repository = f"{server.api}/v2/former/app/blobs"
        upload = f"{repository}/uploads/?digest={digest}"
        for token in tokens:
            pushed = httpx.post(upload, content=content, headers=bearer(token))
            assert pushed.status_code == 401
            pulled = httpx.get(f"{repository}/{digest}", headers=bearer(token))
            assert pulled.status_code == 401


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def changed(server: Server, tenant: Tenant, method: str, namespace: str) -> bool:
    """Whether the account could do this with a namespace."""
    headers = {**bearer(tenant.iam_token()), "Account": tenant.account}
    path = f"{server.api}/api/v1/namespaces/{namespace}"
    return httpx.request(method, path, headers=headers).is_success
