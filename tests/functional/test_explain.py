"""Refused requests are explained: to the caller, to the owner, and to the operator."""

import json
import os
import subprocess
import time
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.conftest import NewTenant
from tests.support.server import Identity, Operator, Server, Tenant, wharfd

DEADLINE = 30.0
PUSH_SCOPE = "pull,push"


def push(who: Identity, repository: str, method: str = "POST") -> httpx.Response:
    """Tries to begin an upload, as docker push does; HEAD asks for a manifest instead."""
    token = who.registry_token([f"repository:{repository}:{PUSH_SCOPE}"])
    path = "manifests/latest" if method == "HEAD" else "blobs/uploads/"
    headers = {"Authorization": f"Bearer {token}"}
    return who.http.request(method, f"/v2/{repository}/{path}", headers=headers)


def explained(who: Identity, request_id: str, language: str = "en") -> httpx.Response:
    headers = {
        "Authorization": f"Bearer {who.iam_token()}",
        "Account": who.account,
        "Accept-Language": language,
    }
    return who.http.get(f"/api/v1/explain/{request_id}", headers=headers)


def wharfd_explain(server: Server, *words: str, locale: str = "C") -> str:
    done = subprocess.run(
        [wharfd(), "--data", str(server.data), "explain", *words],
        env={"PATH": os.environ["PATH"], "WHARF_LOCALE": locale},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


@pytest.fixture
def stranger(new_tenant: NewTenant) -> Tenant:
    return new_tenant()


@pytest.fixture
def denied(tenant: Tenant, stranger: Tenant) -> str:
    """The request id of a push into another account's namespace."""
    answer = push(stranger, f"{tenant.namespace}/app")
    assert answer.status_code == 403
    return str(answer.headers["X-Request-Id"])


def test_the_caller_learns_its_own_facts(tenant: Tenant, stranger: Tenant, denied: str) -> None:
    answer = explained(stranger, denied)
    told = answer.json()

    assert answer.status_code == 200
    assert (told["method"], told["path"]) == ("POST", f"/v2/{tenant.namespace}/app/blobs/uploads/")
    assert told["names"] == {"name": f"{tenant.namespace}/app"}
    assert (told["code"], told["status"]) == ("WHF0015", 403)
    assert told["message"] == "requested access to the resource is denied"
    assert told["account"] == stranger.account
    assert told["subject"]
    assert told["credential"]
    assert told["cure"]
    assert (told["owner"], told["rule"]) == ("", None)
    assert tenant.account not in answer.text


def test_the_owner_learns_the_rule_too(tenant: Tenant, stranger: Tenant, denied: str) -> None:
    told = explained(tenant, denied).json()

    assert told["owner"] == tenant.account
    assert told["rule"]["kind"] == "policy"
    assert told["rule"]["values"]["namespace"] == tenant.namespace
    assert told["rule"]["values"]["bound_to"] == stranger.account
    assert told["rule"]["needed"] == "a credential of the account that owns it"


def test_a_reader_who_pushes_is_told_apart_by_its_roles(tenant: Tenant) -> None:
    reader = Identity(
        str(tenant.http.base_url), tenant.account, tenant.service_key("reading", "Reader")
    )
    refused = push(reader, f"{tenant.namespace}/app").headers["X-Request-Id"]
    own, owner = explained(reader, refused).json(), explained(tenant, refused).json()
    reader.close()

    assert own["rule"] is None
    assert owner["rule"]["values"]["roles"] == "Reader"
    assert owner["rule"]["values"]["actions"] == "push"
    assert owner["rule"]["needed"] == f"the role Writer on the namespace {tenant.namespace}"


def test_a_registry_token_that_only_reads_is_told_what_would_push(tenant: Tenant) -> None:
    repository = f"{tenant.namespace}/app"
    scope = {"service": "registry", "scope": f"repository:{repository}:{PUSH_SCOPE}"}
    secret = httpx.BasicAuth("token", tenant.registry_secret())
    token = tenant.http.get("/oauth/token", params=scope, auth=secret).json()["token"]
    headers = {"Authorization": f"Bearer {token}"}
    refused = tenant.http.post(f"/v2/{repository}/blobs/uploads/", headers=headers)
    owner = explained(tenant, refused.headers["X-Request-Id"]).json()

    assert refused.status_code == 403
    assert "token-add --readwrite" in refused.json()["errors"][0]["detail"]["cure"]
    assert "a registry token that may write" in owner["rule"]["needed"].lower(), owner["rule"]


def test_nobody_else_learns_anything(
    tenant: Tenant, stranger: Tenant, denied: str, new_tenant: NewTenant
) -> None:
    third = new_tenant()
    member = Identity(
        str(tenant.http.base_url), tenant.account, tenant.service_key("colleague", "Writer")
    )
    other = Identity(
        str(tenant.http.base_url), stranger.account, stranger.service_key("chief", "Manager")
    )
    for who in (third, member, other):
        answer = explained(who, denied)
        unknown = explained(who, "0" * 24)
        assert (answer.status_code, unknown.status_code) == (404, 404)
        assert answer.json()["entry"] == unknown.json()["entry"] == "WHF0701"
    for who in (member, other):
        who.close()


def test_it_is_told_in_the_language_of_who_asks(stranger: Tenant, denied: str) -> None:
    answer = explained(stranger, denied, "zh-CN")

    assert answer.headers["Content-Language"] == "zh-Hans"
    assert answer.json()["message"] == "拒绝对该资源的访问请求"


def test_a_denied_head_is_explained_as_what_it_hides(tenant: Tenant, stranger: Tenant) -> None:
    answer = push(stranger, f"{tenant.namespace}/app", "HEAD")
    assert answer.status_code == 404

    told = explained(tenant, answer.headers["X-Request-Id"]).json()
    assert told["code"] == "WHF0017"
    assert told["rule"]["values"]["bound_to"] == stranger.account


def test_a_control_call_is_explained_to_managers_of_its_account(tenant: Tenant) -> None:
    reader = Identity(
        str(tenant.http.base_url), tenant.account, tenant.service_key("looking", "Reader")
    )
    headers = {"Authorization": f"Bearer {reader.iam_token()}", "Account": tenant.account}
    answer = reader.http.delete(f"/api/v1/namespaces/{tenant.namespace}", headers=headers)
    assert answer.status_code == 403
    told = explained(tenant, answer.headers["X-Request-Id"]).json()
    reader.close()

    assert told["code"] == "WHF0218"
    assert told["facts"] == {"role": "Manager"}
    assert told["rule"]["values"]["roles"] == "Reader"
    assert told["rule"]["needed"] == "the role Manager in the account that owns it"


def test_a_token_with_too_small_a_scope_is_explained(tenant: Tenant) -> None:
    repository = f"{tenant.namespace}/app"
    token = tenant.registry_token([f"repository:{repository}:pull"])
    answer = tenant.http.post(
        f"/v2/{repository}/blobs/uploads/", headers={"Authorization": f"Bearer {token}"}
    )
    assert answer.status_code == 401

    rule = explained(tenant, answer.headers["X-Request-Id"]).json()["rule"]
    assert rule["kind"] == "scope"
    assert rule["values"] == {"asked": f"repository:{repository}:pull,push", "granted": "pull"}


class Short:
    """A server of two workers whose tokens end soon; what it was asked, and by whom."""

    def __init__(self, server: Server) -> None:
        self.server = server
        operator = Operator.of(server)
        self.tenant = operator.create_tenant("short")
        operator.close()

    def told(self, request_id: str, **more: str) -> str:
        """What the operator is told once it was written; tells 'unknown' when it never is."""
        deadline = time.monotonic() + DEADLINE
        while True:
            text = wharfd_explain(self.server, request_id, **more)
            if "WHF0701" not in text or time.monotonic() > deadline:
                return text

    def kept(self) -> str:
        """The bytes of the database, as text."""
        files = self.server.data.glob("wharfinger.db*")
        return "".join(path.read_bytes().decode("latin-1") for path in files)


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Short]:
    settings = {"WHARFINGER_REGISTRY_TOKEN_SECONDS": "1", "WHARFINGER_WORKERS": "2"}
    with Server(tmp_path_factory.mktemp("short") / "data", settings=settings) as server:
        short = Short(server)
        yield short
        short.tenant.close()


def test_an_expired_token_is_explained(short: Short) -> None:
    token = short.tenant.registry_token(["repository:short/app:pull"])
    headers = {"Authorization": f"Bearer {token}"}
    deadline = time.monotonic() + 120  # the leeway for wrong clocks comes on top of the second
    while (answer := short.tenant.http.get("/v2/", headers=headers)).status_code != 401:
        assert time.monotonic() < deadline
        time.sleep(0.5)

    told = short.told(answer.headers["X-Request-Id"])
    assert "WHF0014" in told
    assert "a token that has not expired" in told
    assert "expired_at" in told


def test_wrong_credentials_are_explained_to_the_operator_only(short: Short) -> None:
    secret = f"whf_{uuid.uuid4().hex}{uuid.uuid4().hex}"
    answer = short.tenant.http.get(
        "/oauth/token?service=registry", auth=httpx.BasicAuth("iamapikey", secret)
    )
    assert answer.status_code == 401
    request_id = answer.headers["X-Request-Id"]

    told = short.told(request_id)
    assert "WHF0204" in told
    assert secret not in told
    assert secret not in short.kept()
    assert explained(short.tenant, request_id).status_code == 404


def test_a_key_in_the_wrong_place_is_not_kept(short: Short) -> None:
    key = short.tenant.api_key
    headers = {"Authorization": f"Bearer {short.tenant.iam_token()}"}
    answer = short.tenant.http.delete(
        f"/api/v1/namespaces/{key}", headers={**headers, "Account": short.tenant.account}
    )
    assert answer.status_code == 403

    assert "[...]" in short.told(answer.headers["X-Request-Id"])
    assert key not in short.kept()


@pytest.mark.parametrize(
    ("path", "with_token"),
    [
        ("/v2/", False),
        ("/v2/short/app/manifests/latest", False),
        ("/v2/short/app/manifests/latest", True),
        ("/nowhere", True),
    ],
)
def test_challenges_and_what_clients_look_up_are_not_kept(
    short: Short, path: str, *, with_token: bool
) -> None:
    token = short.tenant.registry_token(["repository:short/app:pull"])
    headers = {"Authorization": f"Bearer {token}"} if with_token else {}
    looked_up = short.tenant.http.get(path, headers=headers)
    # By the same connection, so by the same worker, which would have written both together.
    token = short.tenant.registry_token(["repository:short/app:pull"])
    marker = short.tenant.http.post(
        "/v2/short/app/blobs/uploads/", headers={"Authorization": f"Bearer {token}"}
    )

    assert looked_up.status_code in {401, 404}
    assert marker.status_code == 401
    assert "WHF0014" in short.told(marker.headers["X-Request-Id"])
    assert "WHF0701" in wharfd_explain(short.server, looked_up.headers["X-Request-Id"])


def refused_push(short: Short) -> str:
    """The request id of a push by somebody who may only read."""
    key = short.tenant.service_key(f"r{uuid.uuid4().hex}", "Reader")
    who = Identity(short.server.api, short.tenant.account, key)
    answer = push(who, "short/app")
    who.close()
    assert answer.status_code == 403
    return str(answer.headers["X-Request-Id"])


def test_the_operator_is_told_as_text_and_as_json_and_in_chinese(short: Short) -> None:
    request_id = refused_push(short)
    text = short.told(request_id)
    told: dict[str, Any] = json.loads(wharfd_explain(short.server, request_id, "--output", "json"))
    chinese = wharfd_explain(short.server, request_id, locale="zh_CN.UTF-8")

    assert f"account: {short.tenant.account}" in text
    assert told["code"] == "WHF0015"
    assert told["owner"] == short.tenant.account
    assert told["rule"]["kind"] == "policy"
    assert "拒绝对该资源的访问请求" in chinese
    assert "规则: policy" in chinese


def test_a_code_is_explained_without_a_service(short: Short) -> None:
    nowhere = short.server.data.parent / "nowhere"
    command: list[str] = [str(wharfd()), "--data", str(nowhere), "explain"]
    text = subprocess.check_output([*command, "whf0014"], text=True)
    facts = json.loads(subprocess.check_output([*command, "WHF0014", "--output", "json"]))
    unknown = subprocess.run([*command, "WHF9999"], capture_output=True, check=False)

    assert text.startswith("WHF0014  authentication required\n")
    assert facts["codes"]["HTTP"] == "401"
    assert unknown.returncode == 1
    assert "there is no code WHF9999" in wharfd_explain(short.server, "WHF9999")
    assert "没有代码 WHF9999" in wharfd_explain(short.server, "WHF9999", locale="zh_CN")
    assert not nowhere.exists()


def test_a_stop_right_after_the_refusal_loses_nothing(short: Short) -> None:
    ids = [refused_push(short) for _ in range(3)]
    short.server.stop()
    told = [wharfd_explain(short.server, request_id) for request_id in ids]
    short.server.start()

    assert all("WHF0015" in text for text in told)
