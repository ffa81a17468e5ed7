"""Properties of the live server: whatever is sent, the answer is right and nobody gets too much."""

import base64
import json
from collections.abc import Iterator
from hashlib import sha256
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.rawhttp import exchange, request
from tests.support.target import Target, refused, running_target
from wharfinger_common.digests import Digest, DigestInvalid
from wharfinger_common.names import REPOSITORY, TAG

LIVE = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
SIZE = 1000
BLOB = bytes(number % 251 for number in range(SIZE))
BLOB_DIGEST = f"sha256:{sha256(BLOB).hexdigest()}"

PARTS = st.sampled_from(
    ["a", "app", "-", "_", "__", "___", ".", "..", "/", "//", "A", "é", "%", "~"]
)
NAMES = st.lists(PARTS, min_size=1, max_size=8).map("".join) | st.text(max_size=40)
HEX = st.text("0123456789abcdefABCDEFg²", min_size=0, max_size=70)
DIGESTS = st.builds(
    "{}{}{}".format,
    st.sampled_from(["sha256", "sha512", "md5", "SHA256", "sha256+b64", ""]),
    st.sampled_from([":", "", "::", "%3A"]),
    HEX | st.sampled_from(["a" * 64, "0" * 128, BLOB_DIGEST[7:]]),
)
EDGES = st.integers(0, SIZE + 5) | st.integers(0, 10**25)


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    patience = {"WHARFINGER_REGISTRY_TOKEN_SECONDS": "3600"}
    with running_target(tmp_path_factory.mktemp("properties") / "data", patience) as target:
        path = f"{target.upload()}?digest={BLOB_DIGEST}"
        pushed = exchange(target.port, request("PUT", path, target.bearer, body=BLOB))
        assert pushed.status == 201
        yield target
        target.push_and_pull()


@LIVE
@given(name=NAMES)
def test_names(target: Target, name: str) -> None:
    """A repository that is not ours is never found, and no name that is none is taken."""
    answer = target.send("GET", f"/v2/{quote(name, safe='/')}/tags/list")
    if answer.status == 200:
        assert REPOSITORY.fullmatch(name)
        assert name.startswith(f"{target.tenant.namespace}/")
    else:
        refused(answer)


@LIVE
@given(tag=st.text(max_size=140) | st.from_regex(TAG, fullmatch=True))
def test_tags(target: Target, tag: str) -> None:
    answer = target.send("GET", f"/v2/{target.repository}/manifests/{quote(tag, safe='')}")
    error = refused(answer)
    if TAG.fullmatch(tag) and tag not in {".", ".."}:
        assert (answer.status, error["code"]) == (404, "MANIFEST_UNKNOWN")


@LIVE
@given(text=DIGESTS)
def test_digests(target: Target, text: str) -> None:
    """Only digests are taken for such; and of those only the one that is there is found."""
    answer = target.send("GET", f"/v2/{target.repository}/blobs/{quote(text, safe=':+%')}")
    text = text.replace("%3A", ":")
    try:
        valid = str(Digest.parse(text))
    except DigestInvalid:
        refused(answer, 400, 404)
        return
    if valid == BLOB_DIGEST:
        assert (answer.status, answer.body) == (200, BLOB)
    else:
        refused(answer, 404)


RANGES = (
    st.builds("bytes={}-{}".format, EDGES, EDGES)
    | st.builds("bytes={}-".format, EDGES)
    | st.builds("bytes=-{}".format, EDGES)
    | st.builds("bytes={}-{},{}-{}".format, EDGES, EDGES, EDGES, EDGES)
    | st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=20)
    | st.text("bytes=-,0123 ", max_size=20)
)


@LIVE
@given(asked=RANGES)
def test_ranges(target: Target, asked: str) -> None:
    """RFC 9110, section 14: exactly the bytes that Content-Range names, all, or none."""
    answer = target.send("GET", f"/v2/{target.repository}/blobs/{BLOB_DIGEST}", f"Range: {asked}")
    if answer.status == 200:
        assert answer.body == BLOB
    elif answer.status == 206:
        unit, _, rest = answer.headers["content-range"].partition(" ")
        span, _, total = rest.partition("/")
        first, _, last = span.partition("-")
        assert (unit, int(total)) == ("bytes", SIZE)
        assert answer.body == BLOB[int(first) : int(last) + 1]
        assert wanted(asked) == (int(first), int(last))
    else:
        refused(answer, 416)
        assert answer.headers["content-range"] == f"bytes */{SIZE}"
        assert wanted(asked) is None


def wanted(asked: str) -> tuple[int, int] | None:
    """What a single range asks of the blob; None where it asks for nothing of it."""
    first, _, last = asked.partition("=")[2].strip().partition("-")
    if not first:
        length = min(int(last), SIZE)
        return (SIZE - length, SIZE - 1) if length else None
    end = min(int(last), SIZE - 1) if last else SIZE - 1
    return (int(first), end) if int(first) <= end else None


@LIVE
@given(first=st.integers(0, 12), last=st.integers(0, 12), sent=st.integers(0, 12))
def test_chunk_ranges(target: Target, first: int, last: int, sent: int) -> None:
    """OCI distribution 1.1, Pushing a blob in chunks: a chunk continues what stands, or 416."""
    path = target.upload()
    answer = target.send("PATCH", path, f"Content-Range: {first}-{last}", body=b"x" * sent)
    status = target.send("GET", path)
    assert status.status == 204
    if answer.status == 202:
        assert (first, last) == (0, sent - 1)
        assert status.headers["range"] == f"0-{last}"
    else:
        refused(answer, 400, 416)
        assert status.headers["range"] == "0-0"


SCOPES = st.lists(
    st.builds(
        "{}:{}:{}".format,
        st.sampled_from(["repository", "registry", "repository(plugin)", "x"])
        | st.text(max_size=5),
        st.sampled_from(
            ["NS/app", "NS/other", "other/app", "catalog", "NS", "NS/APP", "*", "a:5/b"]
        )
        | st.text(max_size=10),
        st.lists(st.sampled_from(["pull", "push", "delete", "*", "", "admin"]), max_size=5).map(
            ",".join
        ),
    )
    | st.text(max_size=20),
    max_size=5,
)


@LIVE
@given(scopes=SCOPES, signed_in=st.booleans())
def test_scopes(target: Target, scopes: list[str], signed_in: bool) -> None:
    """A token grants what was asked for in one's own namespace, and nothing else to anybody."""
    asked = [scope.replace("NS", target.tenant.namespace) for scope in scopes]
    query = urlencode([("service", "registry"), *(("scope", scope) for scope in asked)])
    pair = base64.b64encode(f"iamapikey:{target.tenant.api_key}".encode()).decode()
    headers = [f"Authorization: Basic {pair}"] if signed_in else []
    answer = exchange(target.port, request("GET", f"/oauth/token?{query}", *headers))
    if answer.status != 200:
        refused(answer, 400)
        return
    for entry in granted(json.loads(answer.body)["token"]):
        if entry["type"] == "registry":
            assert entry["name"] == "catalog"
            continue
        assert signed_in
        assert entry["type"] == "repository"
        assert str(entry["name"]).startswith(f"{target.tenant.namespace}/")
        assert any(f":{entry['name']}:" in scope for scope in asked)
        assert set(entry["actions"]) <= {"pull", "push", "delete", "*"}


def granted(token: str) -> list[dict[str, list[str] | str]]:
    """The access claim of a registry token, unverified (Docker token specification)."""
    payload = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return list(claims.get("access", []))
