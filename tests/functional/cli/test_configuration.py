"""The configuration folder: private, whole, shared by commands at once, read in older forms."""

from __future__ import annotations

import json
import stat
import subprocess
from pathlib import Path

import pytest

from tests.support.command_line import CommandLine, program
from tests.support.server import Server, Tenant


def test_files_are_private(signed_in: tuple[CommandLine, Tenant]) -> None:
    ibmcloud, _ = signed_in
    ibmcloud("explain", "0" * 24)

    assert stat.S_IMODE(ibmcloud.folder.stat().st_mode) == 0o700
    for path in ibmcloud.folder.rglob("*"):
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077, path


def test_an_open_umask_changes_nothing(ibmcloud: CommandLine, server: Server) -> None:
    command = f"umask 000; {program('ibmcloud')} api {server.api}"
    subprocess.run(
        ["bash", "-c", command], env=ibmcloud.environment, check=True, capture_output=True
    )

    assert stat.S_IMODE((ibmcloud.folder / "config.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(ibmcloud.folder.stat().st_mode) == 0o700


def test_many_commands_at_once_lose_nothing(ibmcloud: CommandLine) -> None:
    changes = [
        ("--http-timeout", "77"),
        ("--color", "false"),
        ("--locale", "en_GB"),
        ("--check-version", "false"),
        ("--trace", "/tmp/trace"),
    ]
    started = [
        subprocess.Popen([program("ibmcloud"), "config", *change], env=ibmcloud.environment)
        for change in changes
    ]
    assert [process.wait(120) for process in started] == [0] * len(changes)

    kept = json.loads((ibmcloud.folder / "config.json").read_text())
    assert kept["HTTPTimeout"] == 77
    assert kept["ColorEnabled"] == "false"
    assert kept["Locale"] == "en_GB"
    assert kept["CheckCLIVersionDisabled"] is True
    assert kept["Trace"] == "/tmp/trace"


def test_a_full_disk_costs_nothing_that_was_kept(signed_in: tuple[CommandLine, Tenant]) -> None:
    ibmcloud, _ = signed_in
    before = (ibmcloud.folder / "config.json").read_bytes()
    # No file may grow beyond this, which is less than the configuration is long.
    command = f"ulimit -f 1; exec {program('ibmcloud')} config --trace /{'x' * 2000}"
    done = subprocess.run(
        ["bash", "-c", command],
        env=ibmcloud.environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout.split("\n")[0]) == (1, "FAILED")
    assert "File too large" in done.stdout
    assert (ibmcloud.folder / "config.json").read_bytes() == before
    assert [path.name for path in ibmcloud.folder.glob("*.tmp")] == []
    assert [path.name for path in ibmcloud.folder.glob(".*.tmp")] == []
    assert "IAM token:" in ibmcloud.ok("iam", "oauth-tokens")


@pytest.mark.parametrize(
    ("variables", "place"),
    [
        ({}, ".bluemix"),
        ({"IBMCLOUD_HOME": "{}/elsewhere"}, "elsewhere/.bluemix"),
        ({"BLUEMIX_HOME": "{}/elsewhere"}, "elsewhere/.bluemix"),
        ({"WHARF_HOME": "{}/elsewhere"}, "elsewhere/.bluemix"),
        ({"IBMCLOUD_CONFIG_HOME": "{}/itself"}, "itself"),
    ],
)
def test_the_folder_is_where_the_environment_says(
    ibmcloud: CommandLine, variables: dict[str, str], place: str
) -> None:
    told = {name: value.format(ibmcloud.home) for name, value in variables.items()}

    assert ibmcloud("config", "--color", "false", variables=told).code == 0
    assert (ibmcloud.home / place / "config.json").exists()


def test_a_folder_of_the_newer_name_is_used(ibmcloud: CommandLine) -> None:
    (ibmcloud.home / ".ibmcloud").mkdir()

    ibmcloud.ok("config", "--color", "false")

    assert (ibmcloud.home / ".ibmcloud/config.json").exists()
    assert not (ibmcloud.home / ".bluemix").exists()


def test_a_session_of_2018_is_read(signed_in: tuple[CommandLine, Tenant], server: Server) -> None:
    ibmcloud, tenant = signed_in
    path = ibmcloud.folder / "config.json"
    kept = json.loads(path.read_text())
    old = {
        "APIEndpoint": kept["APIEndpoint"],
        "Region": "local",
        "IAMToken": f"Bearer {kept['IAMToken']}",
        "IAMRefreshToken": kept["IAMRefreshToken"],
        "Account": kept["Account"],
        "ResourceGroup": {"Name": "default"},
        "PluginRepos": [{"Name": "theirs", "URL": "https://plugins.example.com/simple/"}],
        "ColorEnabled": False,
        "SDKVersion": "0.1.1",
    }
    path.write_text(json.dumps(old))

    assert ibmcloud.ok("iam", "oauth-tokens").splitlines()[0] == (
        f"IAM token:  Bearer {kept['IAMToken']}"
    )
    assert f"{tenant.namespace}@example.com" in ibmcloud.ok("iam", "users")
    ibmcloud.ok("config", "--http-timeout", "30")
    new = json.loads(path.read_text())
    assert (new["SessionFormat"], new["IAMToken"]) == (2, kept["IAMToken"])
    assert new["PluginRepos"] == old["PluginRepos"]
    assert new["SDKVersion"] == "0.1.1"


@pytest.mark.parametrize("content", ["{", "[]", '"text"', "\x00", '{"a":' * 5000])
def test_a_damaged_file_is_named(ibmcloud: CommandLine, content: str) -> None:
    ibmcloud.folder.mkdir(mode=0o700)
    (ibmcloud.folder / "config.json").write_text(content)

    assert ibmcloud.failed("target").startswith(f"Could not read {ibmcloud.folder}/config.json: ")
    assert (ibmcloud.folder / "config.json").read_text() == content


def test_a_trace_shows_calls_without_secrets(
    signed_in: tuple[CommandLine, Tenant], tmp_path: Path
) -> None:
    ibmcloud, tenant = signed_in
    file = tmp_path / "trace.log"
    ibmcloud.ok("config", "--trace", str(file))
    ibmcloud.ok("login", "--apikey", tenant.api_key)
    made = ibmcloud.ok("iam", "api-key-create", "k", "--output", "json")
    token = json.loads((ibmcloud.folder / "config.json").read_text())["IAMToken"]

    trace = file.read_text()
    assert "POST" in trace
    assert "/identity/v1/apikeys" in trace
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    for secret in (tenant.api_key, token, token.split(".")[2], json.loads(made)["apikey"]):
        assert secret not in trace
    ibmcloud.ok("config", "--trace", "false")
    shown = ibmcloud("iam", "users", variables={"IBMCLOUD_TRACE": "true"})
    assert "REQUEST: [" in shown.err
    assert token not in shown.err
    assert "REQUEST" not in shown.out


def test_no_secret_of_any_call_is_traced(
    signed_in: tuple[CommandLine, Tenant], house_wheels: dict[str, Path], tmp_path: Path
) -> None:
    ibmcloud, tenant = signed_in
    email, password = "pat@example.com", "correct horse battery"
    ibmcloud.ok("plugin", "install", str(house_wheels["container-registry"]))
    file = tmp_path / "trace.log"
    ibmcloud.ok("config", "--trace", str(file))

    ibmcloud.ok("iam", "user-add", email, "--roles", "Manager", "--password", stdin=password)
    registry_token = ibmcloud.ok("cr", "token-add", "-q").strip()
    name = ibmcloud.ok("cr", "tokens", "--format", "{{.ID}}").strip()
    ibmcloud.ok("cr", "token-get", name)
    ibmcloud.ok("cr", "token-rm", registry_token)
    ibmcloud("login", "--sso", stdin="BBBB-CCCC-DDDD")
    ibmcloud.ok("login", "-u", email, "-p", password)
    ibmcloud.ok("target", "-c", tenant.account)
    kept = json.loads((ibmcloud.folder / "config.json").read_text())

    trace = file.read_text()
    for called in ("/identity/v1/users", "/api/v1/tokens", "/identity/token"):
        assert called in trace
    secrets = (password, registry_token, registry_token.split(".")[-1], "BBBB", "BBBBCCCCDDDD")
    for secret in (*secrets, kept["IAMToken"], kept["IAMRefreshToken"], "correct+horse"):
        assert secret not in trace


def test_what_older_versions_remembered_of_endpoints_is_read(
    ibmcloud: CommandLine, server: Server
) -> None:
    ibmcloud.ok("api", server.api)
    path = ibmcloud.folder / "config.json"
    kept = json.loads(path.read_text()) | {"APIEndpoint": "", "KnownEndpoints": [server.api]}
    path.write_text(json.dumps(kept))

    said = ibmcloud("login", stdin="1\n").out
    assert f"Select an API endpoint:\n1. {server.api}\n2. Enter a" in said
    ibmcloud.ok("api", "--unset")
    assert f"1. local - {server.api}\n" in ibmcloud("login", stdin="1\n").out


def test_a_bundle_holds_what_helps_and_no_secret(
    signed_in: tuple[CommandLine, Tenant], tmp_path: Path
) -> None:
    import zipfile

    ibmcloud, tenant = signed_in
    ibmcloud("explain", "0" * 24)
    path = tmp_path / "bundle.zip"
    variables = {
        "IBMCLOUD_API_KEY": tenant.api_key,
        "HTTPS_PROXY": "http://me:hidden@proxy.example",
    }
    done = ibmcloud("support", "bundle", "--file", str(path), variables=variables)
    assert done.out == (
        f"Collecting versions, settings and findings...\nOK\nThe archive is {path}\n"
    )

    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name).decode() for name in archive.namelist()}
    assert set(parts) == {
        "versions.json",
        "config.json",
        "plugins.json",
        "environment.json",
        "doctor.json",
        "requests.json",
    }
    everything = "".join(parts.values())
    kept = json.loads((ibmcloud.folder / "config.json").read_text())
    for secret in (tenant.api_key, kept["IAMToken"], kept["IAMRefreshToken"], "hidden@"):
        assert secret not in everything
    assert kept["APIEndpoint"] in parts["config.json"]
    assert "sign-in" in {one["check"] for one in json.loads(parts["doctor.json"])}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
