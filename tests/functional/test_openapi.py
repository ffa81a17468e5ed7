"""The published description of the control API, held against the running server by schemathesis."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest
import schemathesis

from tests.support.server import Operator, Server

EXAMPLES = 30
SECONDS = 600
SETTINGS = {"WHARFINGER_SIGNIN_FAILURES": "10000"}
KEY = "urn:ibm:params:oauth:grant-type:apikey"
CLIENT = {"Authorization": "Basic Yng6Yng="}

# Who signs in is described as nobody yet, so the token goes only where the description asks for
# one. That a secret has the right form does not make it one that somebody has.
CONFIG = """
[auth.openapi.iam]
bearer = "{token}"

[auth.openapi.account]
api_key = "{account}"

[[operations]]
include-path-regex = "^/(identity|oidc)/token$"
checks.positive_data_acceptance.expected-statuses = ["2xx", "400", "401"]
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server of its own: what is sent at random takes roles away, and sets quotas to nothing."""
    with Server(tmp_path / "data", settings=SETTINGS) as running:
        yield running


def test_the_server_does_what_its_description_says(server: Server, tmp_path: Path) -> None:
    """All checks in all phases: examples, boundaries, random calls, and chains of calls."""
    operator = Operator.of(server)
    config = tmp_path / "schemathesis.toml"
    config.write_text(CONFIG.format(token=operator.iam_token(), account=operator.account))
    command = [
        str(Path(sys.executable).parent / "schemathesis"),
        f"--config-file={config}",
        "run",
        f"{server.api}/api/v1/openapi.json",
        "--checks=all",
        f"--max-examples={EXAMPLES}",
        "--generation-deterministic",
        "--no-color",
    ]
    operator.close()
    run = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert run.returncode == 0, f"{run.stdout[-20_000:]}\n{run.stderr[-2_000:]}"
    assert httpx.get(f"{server.api}/health/ready").status_code == 200


def test_tokens_are_given_as_the_description_says(server: Server) -> None:
    """What random calls cannot know: secrets that are somebody's."""
    operator = Operator.of(server)
    tenant = operator.create_tenant("described")
    signing = SignIn(server.api)
    by_key = {"grant_type": KEY, "apikey": tenant.api_key, "response_type": "cloud_iam"}
    for path in ("/identity/token", "/oidc/token"):
        assert signing.token(path, by_key)["refresh_token"] == "not_supported"
        refresh = signing.token(path, by_key, CLIENT)["refresh_token"]
        signing.token(path, {"grant_type": "refresh_token", "refresh_token": refresh})
    email, password = "somebody@example.com", "correct horse battery"
    operator.create_user(email, "Reader", password)
    form = {"grant_type": "password", "username": email, "password": password}
    signing.token("/identity/token", form)
    for each in (signing.http, tenant, operator):
        each.close()


class SignIn:
    """Asks for tokens, and holds the answers against the description."""

    def __init__(self, api: str) -> None:
        self.http = httpx.Client(base_url=api, timeout=30)
        document = self.http.get("/api/v1/openapi.json").json()
        self._described = schemathesis.openapi.from_dict(document)

    def token(
        self, path: str, form: dict[str, str], client: Mapping[str, str] | None = None
    ) -> dict[str, str]:
        """The answer, which has to be a token."""
        answer = self.http.post(path, data=form, headers=client)
        assert answer.status_code == 200, answer.text
        self._described[path]["POST"].validate_response(answer)
        token: dict[str, str] = answer.json()
        return token
