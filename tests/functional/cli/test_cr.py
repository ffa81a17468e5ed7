"""The `cr` commands against a real service, with the plug-in installed from that service."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator

import pytest

from tests.support.command_line import CHINESE, CommandLine, program
from tests.support.images import Dock
from tests.support.server import Server, Tenant


@pytest.fixture
def cr(signed_in: tuple[CommandLine, Tenant], offered_house: None) -> CommandLine:
    """A user who is signed in and has installed the plug-in."""
    user, _ = signed_in
    user.ok("plugin", "install", "container-registry", "-f")
    return user


@pytest.fixture
def tenant(signed_in: tuple[CommandLine, Tenant]) -> Tenant:
    return signed_in[1]


@pytest.fixture
def dock(server: Server, tenant: Tenant) -> Iterator[Dock]:
    made = Dock(server.api, tenant)
    yield made
    made.close()


def columns(text: str) -> list[list[str]]:
    """The cells of a table: three blanks or more part them."""
    return [
        [cell.strip() for cell in line.split("   ") if cell.strip()]
        for line in text.splitlines()
        if line.strip()
    ]


def test_info_is_a_block_that_the_known_script_reads(
    cr: CommandLine, server: Server, tenant: Tenant
) -> None:
    shell = f"{program('ibmcloud')} cr info | head -2 | awk '{{print $3}}'"
    done = subprocess.run(
        ["bash", "-c", shell], env=cr.environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [server.registry]
    told = cr.ok("cr", "info")
    assert told.startswith(" ")
    assert told.endswith("\n\nOK\n")
    assert columns(told)[1] == ["Container Registry API endpoint", f"{server.api}/api"]
    assert f"({tenant.account})" in told


def test_namespaces_come_and_go(cr: CommandLine, tenant: Tenant) -> None:
    name = f"{tenant.namespace}x"
    added = cr.ok("cr", "namespace-add", name)
    assert added == f"Adding namespace '{name}'...\n\nSuccessfully added namespace '{name}'\n\nOK\n"
    assert "The requested namespace is already owned by your account." in cr.ok(
        "cr", "namespace-add", name
    )
    shell = f"{program('ibmcloud')} cr namespaces | sed 's/ *$//' | grep -x {name}"
    subprocess.run(["bash", "-c", shell], env=cr.environment, capture_output=True, check=True)
    asked = cr("cr", "namespace-rm", name, stdin="n\n")
    assert asked.code == 0
    assert "[y/N]> " in asked.out
    removed = cr.ok("cr", "namespace-rm", name, stdin="y\n")
    assert f"Removing namespace '{name}'...\n\nSuccessfully removed namespace '{name}'." in removed
    assert json.loads(cr.ok("cr", "namespaces", "--output", "json")) == [tenant.namespace]


def test_images_are_listed_formatted_and_deleted(
    cr: CommandLine, dock: Dock, server: Server, tenant: Tenant
) -> None:
    repository = f"{tenant.namespace}/app"
    dock.push(repository, "1")
    full = f"{server.registry}/{repository}"
    listed = columns(cr.ok("cr", "image-list"))
    assert listed[0] == ["Listing images..."]
    assert listed[1] == [
        "REPOSITORY",
        "TAG",
        "DIGEST",
        "NAMESPACE",
        "CREATED",
        "SIZE",
        "SECURITY STATUS",
    ]
    assert listed[2][:2] == [full, "1"]
    assert len(listed[2][2]) == 12
    assert listed[2][3] == tenant.namespace
    assert cr.ok("cr", "images", "-q") == f"{full}:1\n"
    template = '{{if eq .Tag "1"}}{{.Repository}}:{{.Tag}} {{gt .Size 0}}{{end}}'
    assert cr.ok("cr", "images", "--format", template) == f"{full}:1 true\n"
    wrong = cr("cr", "images", "--format", "{{.Nope}}")
    assert wrong.code == 1
    assert "there is no field Nope" in wrong.err
    assert cr.ok("cr", "digests", "-q").startswith(f"{full}@sha256:")
    inspected = cr.ok("cr", "image-inspect", "--format", "{{.Architecture}}", f"{repository}:1")
    assert inspected == "amd64\n"
    deleted = cr.ok("cr", "image-rm", f"{repository}:1")
    assert deleted == (
        f"Deleting image '{full}:1'...\n\nSuccessfully deleted image '{full}:1'.\n\nOK\n"
    )
    assert cr.ok("cr", "images", "-q") == ""


def test_a_deleted_image_is_restored(
    cr: CommandLine, dock: Dock, server: Server, tenant: Tenant
) -> None:
    repository = f"{tenant.namespace}/app"
    dock.push(repository, "latest")
    cr.ok("cr", "image-rm", repository)
    assert f"{server.registry}/{repository}@sha256:" in cr.ok("cr", "trash-list")
    restored = cr.ok("cr", "image-restore", repository)
    assert f"Successfully restored image '{server.registry}/{repository}:latest'." in restored
    assert cr.ok("cr", "images", "-q") == f"{server.registry}/{repository}:latest\n"


def test_tags_are_given_and_taken(cr: CommandLine, dock: Dock, tenant: Tenant) -> None:
    repository = f"{tenant.namespace}/app"
    dock.push(repository, "1")
    cr.ok("cr", "image-tag", f"{repository}:1", f"{repository}:2")
    assert len(cr.ok("cr", "images", "-q").splitlines()) == 2
    untagged = cr.ok("cr", "image-untag", f"{repository}:1")
    assert "Successfully removed tag '1' from image" in untagged
    assert cr.ok("cr", "images", "-q").endswith(":2\n")


def test_registry_tokens_are_made_shown_and_removed(cr: CommandLine) -> None:
    made = cr.ok("cr", "token-add", "--description", "for the build", "--readwrite")
    assert made.startswith("Requesting a registry token...\n\n")
    rows = dict(row for row in columns(made) if len(row) == 2)
    identifier, token = rows["Token identifier"], rows["Token"]
    assert token in cr.ok("cr", "token-get", identifier)
    lasting = cr.ok("cr", "token-add", "-q", "--non-expiring").strip()
    listed = columns(cr.ok("cr", "tokens"))
    assert listed[1] == ["TOKEN ID", "READ-ONLY", "EXPIRY", "DESCRIPTION"]
    assert [identifier, "false"] in [row[:2] for row in listed]
    template = "{{if not .Expiry}}{{.ReadOnly}}{{end}}"
    assert cr.ok("cr", "token-list", "--format", template) == "true\n"
    cr.ok("cr", "token-rm", identifier, lasting)
    assert cr.ok("cr", "token-list", "--output", "json").strip() == "[]"


def test_plan_and_quotas(cr: CommandLine) -> None:
    assert cr.ok("cr", "plan").startswith("You are using the '")
    shown = columns(cr.ok("cr", "quota"))
    assert shown[1] == ["QUOTA", "LIMIT", "USED"]
    assert [row[0] for row in shown[2:4]] == ["Pull traffic", "Storage"]
    told = cr.ok("cr", "quota-set", "--storage", "100", "--traffic", "200")
    assert told.startswith("Setting quotas: 'storage: 100 , traffic: 200'...")
    kept = json.loads(cr.ok("cr", "quota", "--output", "json"))
    assert kept["limit"] == {"traffic": 200 * 2**20, "store": 100 * 2**20}


def test_policies_are_set_and_listed(cr: CommandLine, tenant: Tenant) -> None:
    name = tenant.namespace
    told = cr.ok("cr", "retention-policy-set", "--images", "20", name)
    assert (
        f"A scheduled retention policy is set that keeps 20 images in each repository in {name} "
        "and retain-untagged is set to false." in told
    )
    kept = json.loads(cr.ok("cr", "retention-policy-list", "-o", "json"))
    assert kept[name]["images_per_repo"] == 20


def test_switches_of_the_account(cr: CommandLine) -> None:
    assert ["Private connections only", "disabled"] in columns(
        cr.ok("cr", "private-only", "--status")
    )
    assert ["Platform metrics", "enabled"] in columns(cr.ok("cr", "platform-metrics", "--enable"))
    assert cr.ok("cr", "iam-policies-status").startswith("IAM access policies are enabled.")


def test_images_of_another_registry_are_refused(cr: CommandLine) -> None:
    assert "the targeted registry is" in cr.failed("cr", "image-rm", "docker.io/library/x:1")
    assert "is not the name of an image" in cr.failed("cr", "image-rm", "x")


def test_credentials_are_written_without_a_client(cr: CommandLine, server: Server) -> None:
    folder = cr.home / ".docker"
    folder.mkdir()
    (folder / "config.json").write_text('{"currentContext": "mine"}')
    told = cr.ok("cr", "login", "--credentials-only")
    assert f"Logging in to '{server.registry}'...\nLogged in to '{server.registry}'." in told
    kept = json.loads((folder / "config.json").read_text())
    assert kept["currentContext"] == "mine"
    assert list(kept["auths"]) == [server.registry]
    assert (folder / "config.json").stat().st_mode & 0o077 == 0


def test_a_missing_client_is_named(cr: CommandLine) -> None:
    told = cr("cr", "login", variables={"PATH": str(cr.home)})
    assert told.code == 1
    assert "Docker is not installed, or not in your PATH." in told.out
    assert "--credentials-only" in told.out


@pytest.mark.parametrize("name", ["build", "va", "exemption-list", "ppa-archive-load"])
def test_what_is_coming_says_so(cr: CommandLine, name: str) -> None:
    assert f"The command '{name}' is coming" in cr.failed("cr", name)


def test_it_speaks_chinese(cr: CommandLine, tenant: Tenant) -> None:
    cr.locale = CHINESE
    name = f"{tenant.namespace}y"
    assert f"已成功添加名称空间“{name}”" in cr.ok("cr", "namespace-add", name)
    assert "列出有标记的映像" in cr.ok("help", "cr", "image-list")
