"""Who may call what: every route of the running application, by every kind of caller.

The table below is the whole truth about access: status by route and caller. A route that the
application has and the table has not fails the first test, and so does the reverse.
"""

import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.support.backends import every_backend
from tests.support.routes import served_routes
from tests.support.server import Identity, Operator, Server

CALLERS = ("anonymous", "stranger", "reader", "writer", "manager")

# ``home`` owns everything that is named here. Reader, writer and manager have that role on its
# account; the stranger manages another account, and acts in that one. HEAD is expected as GET,
# save that the registry hides as 404 what GET denies: no text comes with it, and its clients give
# up at a 403.
TABLE = """
route                                                    anonymous stranger reader writer manager
GET    /health/live                                            200      200    200    200     200
GET    /health/ready                                           200      200    200    200     200
GET    /metrics                                                200      200    200    200     200
GET    /help/errors                                            200      200    200    200     200
GET    /help/errors/{code}                                     200      200    200    200     200
GET    /v2/                                                    401      200    200    200     200
GET    /v2                                                     401      200    200    200     200
GET    /v2/_catalog                                            200      200    200    200     200
GET    /v2/{name:path}/tags/list                               401      403    200    200     200
GET    /v2/{name:path}/referrers/{digest}                      401      403    200    200     200
POST   /v2/{name:path}/blobs/uploads/                          401      403    403    202     202
POST   /v2/{name:path}/blobs/uploads                           401      403    403    202     202
GET    /v2/{name:path}/blobs/uploads/{upload}                  401      403    403    204     204
PATCH  /v2/{name:path}/blobs/uploads/{upload}                  401      403    403    202     202
PUT    /v2/{name:path}/blobs/uploads/{upload}                  401      403    403    201     201
DELETE /v2/{name:path}/blobs/uploads/{upload}                  401      403    403    204     204
GET    /v2/{name:path}/blobs/{digest}                          401      403    200    200     200
DELETE /v2/{name:path}/blobs/{digest}                          401      403    403    202     202
GET    /v2/{name:path}/manifests/{reference}                   401      403    200    200     200
PUT    /v2/{name:path}/manifests/{reference}                   401      403    403    201     201
DELETE /v2/{name:path}/manifests/{reference}                   401      403    403    202     202
POST   /identity/token                                         400      200    200    200     200
POST   /oidc/token                                             400      200    200    200     200
GET    /identity/keys                                          200      200    200    200     200
GET    /oauth/token                                            200      200    200    200     200
POST   /oauth/token                                            400      200    200    200     200
GET    /identity/v1/accounts                                   401      200    200    200     200
POST   /identity/v1/accounts                                   401      403    403    403     403
GET    /identity/v1/accounts/{id}                              401      404    200    200     200
GET    /identity/v1/users                                      401      200    403    403     200
POST   /identity/v1/users                                      401      201    403    403     201
GET    /identity/v1/users/{id}                                 401      404    403    403     200
DELETE /identity/v1/users/{id}                                 401      404    403    403     204
PUT    /identity/v1/password                                   401      403    403    403     403
GET    /identity/v1/serviceids                                 401      200    403    403     200
POST   /identity/v1/serviceids                                 401      201    403    403     201
GET    /identity/v1/serviceids/{id}                            401      404    403    403     200
DELETE /identity/v1/serviceids/{id}                            401      404    403    403     204
GET    /identity/v1/apikeys                                    401      200    200    200     200
POST   /identity/v1/apikeys                                    401      404    403    403     201
GET    /identity/v1/apikeys/{id}                               401      404    404    404     200
DELETE /identity/v1/apikeys/{id}                               401      404    404    404     204
GET    /identity/v1/policies                                   401      200    403    403     200
POST   /identity/v1/policies                                   401      404    403    403     201
GET    /identity/v1/policies/{id}                              401      404    403    403     200
DELETE /identity/v1/policies/{id}                              401      404    403    403     204
GET    /api/v1/namespaces                                      401      200    200    403     200
GET    /api/v1/namespaces/details                              401      200    200    403     200
PUT    /api/v1/namespaces/{name:path}                          401      409    403    403     200
PATCH  /api/v1/namespaces/{name:path}                          401      403    403    403     200
DELETE /api/v1/namespaces/{name:path}                          401      403    403    403     204
GET    /api/v1/clusters                                        401      200    200    200     200
GET    /api/v1/clusters/{cluster:path}                         401      404    200    200     200
PUT    /api/v1/clusters/{cluster:path}                         401      201    403    200     200
DELETE /api/v1/clusters/{cluster:path}                         401      404    403    204     204
GET    /api/v1/images                                          401      200    200    403     200
POST   /api/v1/images/digests                                  401      200    200    403     200
POST   /api/v1/images/bulkdelete                               401      200    200    200     200
POST   /api/v1/images/tags                                     401      403    403    201     201
GET    /api/v1/images/{image:path}/json                        401      403    200    403     200
GET    /api/v1/images/{image:path}/manifest                    401      403    200    200     200
DELETE /api/v1/images/{image:path}                             401      403    403    200     200
DELETE /api/v1/tags/{image:path}                               401      403    403    200     200
GET    /api/v1/retentions                                      401      200    200    403     200
POST   /api/v1/retentions                                      401      403    403    200     200
POST   /api/v1/retentions/analyze                              401      403    200    403     200
GET    /api/v1/retentions/{namespace}                          401      403    200    403     200
GET    /api/v1/auth                                            401      200    403    403     200
PATCH  /api/v1/auth                                            401      204    403    403     204
GET    /api/v1/settings                                        401      200    200    200     200
PATCH  /api/v1/settings                                        401      204    403    403     204
GET    /api/v1/messages                                        204      204    204    204     204
GET    /api/v1/trash                                           401      200    200    200     200
POST   /api/v1/trash/{image:path}/restore                      401      403    403    200     200
POST   /api/v1/trash/{image:path}/restoretags                  401      403    403    200     200
GET    /api/v1/plans                                           401      200    200    200     200
PATCH  /api/v1/plans                                           401      200    403    403     200
GET    /api/v1/quotas                                          401      200    200    200     200
PATCH  /api/v1/quotas                                          401      200    403    403     200
GET    /api/v1/usage                                           401      200    200    200     200
GET    /api/v1/metrics                                         401      200    200    200     200
GET    /api/v1/tokens                                          401      200    403    403     200
POST   /api/v1/tokens                                          401      201    403    403     201
DELETE /api/v1/tokens                                          401      204    403    403     204
GET    /api/v1/tokens/{id}                                     401      404    403    403     200
DELETE /api/v1/tokens/{id}                                     401      404    403    403     204
GET    /api/v1/audit                                           401      200    403    403     200
GET    /api/v1/regions                                         200      200    200    200     200
GET    /api/v1/explain/{id}                                    401      404    200    404     200
GET    /identity/v1/userinfo                                   401      200    200    200     200
GET    /identity/passcode                                      200      200    200    200     200
POST   /identity/passcode                                      400      400    400    400     400
GET    /plugins/simple/                                        200      200    200    200     200
GET    /plugins/simple/{project}/                              404      404    404    404     404
GET    /plugins/files/{filename}                               404      404    404    404     404
GET    /api/v1/info                                            200      200    200    200     200
GET    /api/v1/openapi.json                                    200      200    200    200     200
GET    /api/v1/docs                                            200      200    200    200     200
"""

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.empty.v1+json"
IMAGE_CONFIG = "application/vnd.oci.image.config.v1+json"
APIKEY = "urn:ibm:params:oauth:grant-type:apikey"
ALL = "pull,push,delete"
CLUSTER = {"id": "c1", "workers": [{"id": "w1", "publicIP": "192.0.2.7"}]}


@dataclass(frozen=True)
class Row:
    """What one route answers to each kind of caller."""

    method: str
    path: str
    expected: Mapping[str, int]

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"


def rows() -> list[Row]:
    _, *lines = TABLE.strip().splitlines()
    split = (line.split() for line in lines)
    return [
        Row(method, path, dict(zip(CALLERS, map(int, cells), strict=True)))
        for method, path, *cells in split
    ]


ROWS = {row.name: row for row in rows()}


class Home:
    """The account that owns what is asked for; makes fresh things, as some calls use them up."""

    def __init__(self, server: Server, operator: Operator, marker: str) -> None:
        self.tenant = operator.create_tenant(f"{marker}home")
        self.other = operator.create_tenant(f"{marker}away")
        self.namespace = self.tenant.namespace
        self.repository = f"{self.namespace}/app"
        api, account = server.api, self.tenant.account
        self.people: dict[str, Identity | None] = {"anonymous": None, "stranger": self.other}
        for role in ("Reader", "Writer", "Manager"):
            key = self.tenant.service_key(f"{marker}-{role}", role)
            self.people[role.lower()] = Identity(api, account, key)
        self.http = httpx.Client(base_url=api, timeout=60)

    def close(self) -> None:
        self.http.close()
        for person in (self.tenant, *self.people.values()):
            if person is not None:
                person.close()

    def registry_headers(self, who: Identity | None) -> dict[str, str]:
        """A token with as much of the repository, and of the catalogue, as ``who`` is given."""
        scopes = [f"repository:{self.repository}:{ALL}", "registry:catalog:*"]
        if who is None:
            query = httpx.QueryParams([("service", "registry"), *(("scope", s) for s in scopes)])
            answer = self.http.get("/oauth/token", params=query)
            return {"Authorization": f"Bearer {answer.json()['token']}"}
        return {"Authorization": f"Bearer {who.registry_token(scopes)}"}

    def control_headers(self, who: Identity | None) -> dict[str, str]:
        if who is None:
            return {}
        return {"Authorization": f"Bearer {who.iam_token()}", "Account": who.account}

    def made(self, kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
        answer = self.http.post(
            f"/identity/v1/{kind}", json=body, headers=self.control_headers(self.tenant)
        )
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    def fresh_upload(self, who: Identity | None = None) -> str:
        """The id of an upload that ``who`` began; an upload is its beginner's alone."""
        headers = self.registry_headers(who or self.tenant)
        answer = self.http.post(f"/v2/{self.repository}/blobs/uploads/", headers=headers)
        assert answer.status_code == 202, answer.text
        return str(answer.headers["Location"]).rpartition("/")[2].partition("?")[0]

    def fresh_blob(self, content: bytes = b"") -> str:
        content = content or uuid.uuid4().bytes
        digest = f"sha256:{sha256(content).hexdigest()}"
        upload, headers = self.fresh_upload(), self.registry_headers(self.tenant)
        answer = self.http.put(
            f"/v2/{self.repository}/blobs/uploads/{upload}",
            params={"digest": digest},
            content=content,
            headers=headers,
        )
        assert answer.status_code == 201, answer.text
        return digest

    def manifest(self) -> bytes:
        """A manifest that is like no other, with all that it references in place."""
        self.fresh_blob(b"{}")
        config = {"mediaType": CONFIG, "digest": f"sha256:{sha256(b'{}').hexdigest()}", "size": 2}
        content = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "artifactType": "application/vnd.example",
            "config": config,
            "layers": [config],
            "annotations": {"unique": uuid.uuid4().hex},
        }
        return json.dumps(content).encode()

    def fresh_manifest(self) -> str:
        content = self.manifest()
        digest = f"sha256:{sha256(content).hexdigest()}"
        headers = self.registry_headers(self.tenant) | {"Content-Type": MANIFEST}
        path = f"/v2/{self.repository}/manifests/{digest}"
        answer = self.http.put(path, content=content, headers=headers)
        assert answer.status_code == 201, answer.text
        return digest

    def fresh_image(self) -> str:
        """An image with a tag of its own; its name with the tag."""
        config = json.dumps({"architecture": "amd64", "author": uuid.uuid4().hex}).encode()
        digest, tag = self.fresh_blob(config), uuid.uuid4().hex
        described = {"mediaType": IMAGE_CONFIG, "digest": digest, "size": len(config)}
        content = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": described,
            "layers": [],
        }
        headers = self.registry_headers(self.tenant) | {"Content-Type": MANIFEST}
        path = f"/v2/{self.repository}/manifests/{tag}"
        answer = self.http.put(path, content=json.dumps(content), headers=headers)
        assert answer.status_code == 201, answer.text
        return f"{self.repository}:{tag}"

    def deleted_image(self) -> str:
        """An image in the trash; its name with the digest."""
        tagged, headers = self.fresh_image(), self.control_headers(self.tenant)
        path = f"/v2/{self.repository}/manifests/{tagged.rpartition(':')[2]}"
        found = self.http.head(path, headers=self.registry_headers(self.tenant))
        answer = self.http.delete(f"/api/v1/images/{quote(tagged, safe='')}", headers=headers)
        assert answer.status_code == 200, answer.text
        return f"{self.repository}@{found.headers['Docker-Content-Digest']}"

    def fresh_namespace(self) -> str:
        name = f"m{uuid.uuid4().hex[:12]}"
        self.tenant.add_namespace(name)
        return name

    def fresh_cluster(self) -> str:
        name = f"{self.namespace}-{uuid.uuid4().hex[:12]}"
        headers = self.control_headers(self.tenant)
        answer = self.http.put(f"/api/v1/clusters/{name}", json=CLUSTER, headers=headers)
        assert answer.status_code == 201, answer.text
        return name

    def fresh_token(self) -> str:
        headers = self.control_headers(self.tenant)
        answer = self.http.post("/api/v1/tokens", headers=headers)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["_id"])

    def fresh_subject(self) -> str:
        return str(self.made("serviceids", {"name": "subject"})["id"])


Call = tuple[str, dict[str, Any]]


def registry_call(home: Home, row: Row, who: Identity | None) -> Call:
    """Path and arguments of a call of the OCI distribution API."""
    values: dict[str, str] = {"name:path": home.repository}
    more: dict[str, Any] = {"headers": home.registry_headers(who)}
    if "{upload}" in row.path:
        pushers = (home.people["writer"], home.people["manager"])
        values["upload"] = home.fresh_upload(who if who in pushers else None)
    if "{digest}" in row.path:
        values["digest"] = home.fresh_blob()
    if "{reference}" in row.path:
        values["reference"] = home.fresh_manifest()
    if "/tags/list" in row.path:
        home.fresh_manifest()
    if row.name.startswith("PATCH"):
        more["content"] = b"some bytes"
    elif row.name == "PUT /v2/{name:path}/blobs/uploads/{upload}":
        more |= {
            "content": b"bytes",
            "params": {"digest": f"sha256:{sha256(b'bytes').hexdigest()}"},
        }
    elif row.method == "PUT":
        content = home.manifest()
        values["reference"] = f"sha256:{sha256(content).hexdigest()}"
        more["content"] = content
        more["headers"] |= {"Content-Type": MANIFEST}
    return filled(row.path, values), more


def token_call(home: Home, row: Row, who: Identity | None) -> Call:
    """Path and arguments of a call of the token endpoints; the anonymous caller has no secret."""
    key = who.api_key if who else ""
    if row.path == "/oauth/token" and row.method == "GET":
        auth = httpx.BasicAuth("iamapikey", key) if who else None
        return f"{row.path}?service=registry", {"auth": auth}
    if row.path == "/oauth/token":
        form = {"grant_type": "password", "username": "iamapikey", "password": key}
        return row.path, {"data": form | {"service": "registry", "client_id": "test"}}
    return row.path, {"data": {"grant_type": APIKEY, "apikey": key}} if row.method == "POST" else {}


def help_call(home: Home, row: Row, who: Identity | None) -> Call:
    """Path and arguments of a look into what is everybody's; no plug-in is offered here."""
    values = {"code": "WHF0001", "project": "none", "filename": "none-1.0-py3-none-any.whl"}
    return filled(row.path, values), {}


def control_call(home: Home, row: Row, who: Identity | None) -> Call:
    """Path and arguments of a call of the control and identity APIs, about what ``home`` owns."""
    more: dict[str, Any] = {"headers": home.control_headers(who)}
    if "{name:path}" in row.path:
        more["headers"]["X-Auth-Resource-Group"] = "group"
    if row.name == "DELETE /api/v1/tokens":
        more["params"] = {"secondaryOwner": "nothing of this description"}
    elif row.path == "/api/v1/images/tags":
        more["params"] = {"fromimage": home.fresh_image(), "toimage": f"{home.repository}:again"}
    elif row.method in {"POST", "PATCH", "PUT"} and row.path in BODIES:
        more["json"] = BODIES[row.path](home)
    return filled(row.path, control_values(home, row, who)), more


def control_values(home: Home, row: Row, who: Identity | None) -> dict[str, str]:
    """What the path of a control call names."""
    values: dict[str, str] = {}
    if "{name:path}" in row.path:
        values["name:path"] = home.fresh_namespace() if row.method != "PUT" else home.namespace
    if "{cluster:path}" in row.path:
        # The stranger's own must not be taken for one of the account that owns things.
        own = row.method == "PUT" and who is home.other
        values["cluster:path"] = uuid.uuid4().hex if own else home.fresh_cluster()
    if "{namespace}" in row.path:
        values["namespace"] = home.namespace
    if "{id}" in row.path:
        values["id"] = IDENTIFIERS[row.path](home)
    if "{image:path}" in row.path:
        deleted = home.deleted_image if "/trash/" in row.path else home.fresh_image
        values["image:path"] = quote(deleted(), safe="")
    return values


def email() -> str:
    return f"{uuid.uuid4().hex}@example.com"


def policy(home: Home) -> dict[str, Any]:
    return {"iam_id": home.fresh_subject(), "role": "Reader", "namespace": home.namespace}


def refused_to_reader(home: Home) -> str:
    """The id of a request that the reader was refused, about a thing of ``home``."""
    path = f"/v2/{home.repository}/blobs/uploads/"
    answer = home.http.post(path, headers=home.registry_headers(home.people["reader"]))
    assert answer.status_code == 403, answer.text
    return str(answer.headers["X-Request-Id"])


IDENTIFIERS: Mapping[str, Callable[[Home], str]] = {
    "/identity/v1/accounts/{id}": lambda home: home.tenant.account,
    "/identity/v1/users/{id}": lambda home: str(home.made("users", {"email": email()})["id"]),
    "/identity/v1/serviceids/{id}": Home.fresh_subject,
    "/identity/v1/apikeys/{id}": lambda home: str(
        home.made("apikeys", {"name": "key", "iam_id": home.fresh_subject()})["id"]
    ),
    "/api/v1/tokens/{id}": Home.fresh_token,
    "/identity/v1/policies/{id}": lambda home: str(home.made("policies", policy(home))["id"]),
    "/api/v1/explain/{id}": refused_to_reader,
}
BODIES: Mapping[str, Callable[[Home], Any]] = {
    "/api/v1/clusters/{cluster:path}": lambda home: CLUSTER,
    "/api/v1/images/digests": lambda home: {},
    "/api/v1/retentions": lambda home: {"namespace": home.namespace},
    "/api/v1/retentions/analyze": lambda home: {"namespace": home.namespace, "images_per_repo": 1},
    "/api/v1/auth": lambda home: {"private_only": False},
    "/api/v1/settings": lambda home: {"platform_metrics": True},
    "/api/v1/images/bulkdelete": lambda home: [],
    "/identity/v1/accounts": lambda home: {"name": "another"},
    "/identity/v1/users": lambda home: {"email": email()},
    "/identity/v1/serviceids": lambda home: {"name": "robot"},
    "/identity/v1/password": lambda home: {"current_password": "x" * 12, "password": "y" * 12},
    "/identity/v1/apikeys": lambda home: {"name": "key", "iam_id": home.fresh_subject()},
    "/identity/v1/policies": policy,
    "/api/v1/plans": lambda home: {"plan": "Standard"},
    "/api/v1/quotas": lambda home: {"storage_megabytes": -1},
}


def filled(path: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        path = path.replace(f"{{{name}}}", value)
    assert "{" not in path, f"no value for {path}"
    return path


def call_of(row: Row) -> Callable[[Home, Row, Identity | None], Call]:
    if row.path.startswith("/v2"):
        return registry_call
    if row.path.startswith(("/identity/v1", "/api/")):
        return control_call
    if row.path.startswith(("/help/", "/plugins/")):
        return help_call
    return token_call


def is_guarded_control(row: Row) -> bool:
    """Whether the call is refused without a token, and acts in the account that it names."""
    guarded = call_of(row) is control_call and row.expected["anonymous"] == 401
    return guarded and row.path != "/identity/v1/userinfo"


@pytest.fixture(scope="module")
def home(server: Server) -> Iterator[Home]:
    operator = Operator.of(server)
    home = Home(server, operator, f"x{uuid.uuid4().hex[:8]}")
    yield home
    home.close()
    operator.close()


@pytest.fixture(scope="module")
def routes_served(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Every route that the composition root mounts, as METHOD and path; HEAD goes with GET."""
    return served_routes(tmp_path_factory.mktemp("routes"))


def test_the_table_has_every_route_and_no_other(routes_served: set[str]) -> None:
    assert set(ROWS) == routes_served


@every_backend
@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("name", ROWS)
def test_each_caller_gets_what_the_table_says(home: Home, name: str, caller: str) -> None:
    row = ROWS[name]
    methods = ["GET", "HEAD"] if row.method == "GET" else [row.method]
    for method in methods:
        path, more = call_of(row)(home, row, home.people[caller])
        answer = home.http.request(method, path, **more)
        expected = row.expected[caller]
        in_registry = method == "HEAD" and row.path.startswith("/v2")
        hidden = 404 if in_registry and expected == 403 else expected
        assert answer.status_code == hidden, f"{method} {path}: {answer.text}"


@every_backend
@pytest.mark.parametrize(
    "name", [row.name for row in rows() if row.method == "GET" and call_of(row) is control_call]
)
def test_head_tells_what_get_would_send(home: Home, name: str) -> None:
    """RFC 9110, 9.3.2; also the refusals, here of who shows no token."""
    for caller in ("manager", "anonymous"):
        path, more = control_call(home, ROWS[name], home.people[caller])
        got, told = home.http.get(path, **more), home.http.head(path, **more)
        assert told.status_code == got.status_code
        assert lasting(told) == lasting(got)
        assert not told.content
        assert got.status_code == 204 or int(told.headers["Content-Length"]) == len(got.content)


def lasting(answer: httpx.Response) -> dict[str, str]:
    """The headers that are the same in two answers to one question."""
    changing = {"date", "x-request-id", "x-global-transaction-id"}
    return {name: text for name, text in answer.headers.items() if name not in changing}


@every_backend
@pytest.mark.parametrize("name", [row.name for row in rows() if is_guarded_control(row)])
def test_a_token_of_another_account_is_refused_in_this_one(home: Home, name: str) -> None:
    """The stranger names the account that owns the thing, instead of its own."""
    path, more = control_call(home, ROWS[name], home.other)
    more["headers"]["Account"] = home.tenant.account
    answer = home.http.request(ROWS[name].method, path, **more)
    assert answer.status_code == 401, answer.text
    text = answer.json()
    assert text.get("code") == "CRG0009E" or text.get("errorCode") == "BXNIM0141E"


@every_backend
@pytest.mark.parametrize("name", [row.name for row in rows() if row.path.startswith("/v2")])
def test_an_iam_token_is_no_registry_token(home: Home, name: str) -> None:
    row = ROWS[name]
    path, more = registry_call(home, row, home.tenant)
    more["headers"]["Authorization"] = f"Bearer {home.tenant.iam_token()}"
    answer = home.http.request(row.method, path, **more)
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


@every_backend
@pytest.mark.parametrize("name", [row.name for row in rows() if is_guarded_control(row)])
def test_a_registry_token_is_no_iam_token(home: Home, name: str) -> None:
    path, more = control_call(home, ROWS[name], home.tenant)
    more["headers"] |= home.registry_headers(home.tenant)
    assert home.http.request(ROWS[name].method, path, **more).status_code == 401


LISTS = [row.name for row in rows() if row.method == "GET" and row.expected["stranger"] == 200]


@every_backend
@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("caller", ["anonymous", "stranger"])
def test_no_list_shows_anything_of_another_account(home: Home, name: str, caller: str) -> None:
    home.fresh_manifest()
    home.fresh_cluster()
    path, more = call_of(ROWS[name])(home, ROWS[name], home.people[caller])
    text = home.http.request("GET", path, **more).text
    assert home.namespace not in text
    assert home.tenant.account not in text
