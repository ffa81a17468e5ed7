"""Starts that cannot be: each ends with its cause and its cure."""

from __future__ import annotations

import shutil
import socket
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.functional.operator.support import command
from tests.support.server import Server, free_ports


def serving(data: Path) -> dict[str, str]:
    """Settings of a service over the folder, on ports that are free."""
    port, trust = map(str, free_ports(2))
    return {
        "WHARFINGER_DATA": str(data),
        "WHARFINGER_PORT": port,
        "WHARFINGER_TRUST_PORT": trust,
        "WHARFINGER_WORKERS": "1",
    }


def refused(done: subprocess.CompletedProcess[str], cause: str, cure: str) -> None:
    """It ended, and said why and what to do, in words for operators."""
    assert done.returncode == 1
    assert cause in done.stderr
    assert cure in done.stderr
    for inside in ("Traceback", "[SQL", "hidden"):
        assert inside not in done.stderr


def test_second_service_on_a_folder_is_refused(server: Server) -> None:
    port, trust = free_ports(2)
    settings = {"WHARFINGER_PORT": str(port), "WHARFINGER_TRUST_PORT": str(trust)}

    done = command("--data", str(server.data), "serve", settings=settings)

    assert done.returncode == 1
    assert f"another service runs on {server.data}" in done.stderr
    assert httpx.get(f"{server.api}/health/ready").status_code == 200


def test_taken_port_is_refused_and_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        settings = {"WHARFINGER_PORT": port, "WHARFINGER_TRUST_PORT": str(free_ports(1)[0])}

        done = command("--data", str(tmp_path / "data"), "serve", settings=settings)

    assert done.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in done.stderr
    assert "choose another" in done.stderr


@pytest.mark.parametrize(
    ("name", "value", "cause", "cure"),
    [
        ("host", "192.0.2.1", "Cannot assign requested address", "WHARFINGER_HOST"),
        ("host", "no-such-host.invalid", "cannot listen on", "an address of this machine"),
        ("data", "{file}", "cannot be made: File exists", "WHARFINGER_DATA"),
        ("blobs_url", "{file}", "File exists", "WHARFINGER_BLOBS_URL"),
        ("blobs_url", "/proc/blobs", "No such file", "WHARFINGER_BLOBS_URL"),
        ("database_url", "sqlite:///{file}/db", "unable to open database file", "database_url"),
        ("database_url", "sqlite:///{file}", "file is not a database", "database_url"),
        ("tls_certificate", "{file}", "PEM", "another with its key"),
        ("tls_certificate", "/no/such/file", "No such file", "another with its key"),
    ],
)
def test_a_start_that_cannot_be_tells_cause_and_cure(
    tmp_path: Path, name: str, value: str, cause: str, cure: str
) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"neither a folder nor a database nor a certificate" * 99)
    settings = serving(tmp_path / "data")
    if name == "tls_certificate":
        tls = str(free_ports(1)[0])
        settings |= {"WHARFINGER_TLS_PORT": tls, "WHARFINGER_TLS_KEY": str(file)}
    settings[f"WHARFINGER_{name.upper()}"] = value.format(file=file)

    refused(command("serve", settings=settings), cause, cure)


@pytest.mark.parametrize(
    ("name", "value", "cause", "cure"),
    [
        ("master_key_file", "/no/such/file", "No such file", "WHARFINGER_MASTER_KEY_FILE"),
        ("metrics_folder", "{file}", "metrics_folder: ", "WHARFINGER_METRICS_FOLDER"),
        ("metrics_token_file", "/no/such/file", "cannot be read", "the service's user may read"),
        ("oidc_client_secret_file", "/no/such/file", "cannot be used", "the client's secret"),
        ("oidc_client_secret_file", "/dev/null", "it is empty", "the client's secret"),
        ("database_url", "postgresql://me:hidden@127.0.0.1:1/db", "Connection refused", "it runs"),
        ("database_url", "postgresql://me:hidden@localhost/db?no=1", 'parameter: "no"', "correct"),
        ("database_url", "postgresql://me:hidden@[::1/db", "leads to no database", "correct"),
    ],
)
def test_a_file_or_database_that_is_not_there_is_named_with_its_cure(
    tmp_path: Path, name: str, value: str, cause: str, cure: str
) -> None:
    file = tmp_path / "file"
    file.touch()
    settings = {**serving(tmp_path / "data"), "WHARFINGER_DATABASE_WAIT_SECONDS": "0"}
    if name.startswith("oidc"):
        settings |= {
            "WHARFINGER_OIDC_ISSUER": "https://id.invalid",
            "WHARFINGER_OIDC_CLIENT_ID": "a",
        }
    settings[f"WHARFINGER_{name.upper()}"] = value.format(file=file)

    refused(command("serve", settings=settings), cause, cure)


@pytest.mark.parametrize(
    ("file", "content", "cause", "cure"),
    [
        ("operator.json", "{", "truncated", "the next start writes it anew"),
        ("operator.json", "[]", "Expected `object`", "the next start writes it anew"),
        ("operator.json", "{}", "it lacks account, api_key, registry, user", "from a backup"),
        ("tls/ca.pem", "no certificate", "cannot be used", "the next start makes another"),
        ("tls/ca.key", "no key", "cannot be used", "the next start makes another"),
        ("lock/file", "", "cannot be written: Is a directory", "WHARFINGER_DATA"),
        ("master.key", "short", "holds 5 bytes", "of a master key"),
    ],
)
def test_a_damaged_data_folder_tells_what_to_put_back(
    tmp_path: Path, file: str, content: str, cause: str, cure: str
) -> None:
    data = tmp_path / "data"
    assert command("--data", str(data), "init").returncode == 0
    damaged = data / file
    if damaged.parent.name == "lock":
        damaged.parent.unlink()
        damaged.parent.mkdir()
    damaged.write_text(content)
    settings = {**serving(data), "WHARFINGER_TLS_PORT": str(free_ports(1)[0])}

    refused(command("serve", settings=settings), cause, cure)


def test_a_database_that_was_lost_is_not_replaced_by_an_empty_one(tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert command("--data", str(data), "init").returncode == 0
    for file in data.glob("wharfinger.db*"):
        file.unlink()

    refused(command("serve", settings=serving(data)), "is empty, but a service has run", "a backup")

    (data / "operator.json").unlink()
    assert command("--data", str(data), "init").returncode == 0, "who wants it begins anew"


def test_a_certificate_that_was_damaged_is_issued_again(tmp_path: Path) -> None:
    server = Server(tmp_path / "data", tls=True)
    with server:
        before = (server.data / "tls/server.pem").read_bytes()
    (server.data / "tls/server.pem").write_text("no certificate")

    with server:
        after = (server.data / "tls/server.pem").read_bytes()

    assert after.startswith(b"-----BEGIN CERTIFICATE-----")
    assert after != before


def test_a_later_start_refuses_blobs_that_cannot_be_stored(tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert command("--data", str(data), "init").returncode == 0
    shutil.rmtree(data / "blobs")
    (data / "blobs").touch()

    refused(command("serve", settings=serving(data)), "blobs_url: ", "WHARFINGER_BLOBS_URL")


def test_an_encrypted_key_is_refused_without_asking_the_terminal(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    typed = ["req", "-x509", "-newkey", "rsa:2048", "-passout", "pass:secret", "-subj", "/CN=a"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(["openssl", *typed, *files], check=True, capture_output=True, timeout=60)
    settings = {
        **serving(tmp_path / "data"),
        "WHARFINGER_TLS_PORT": str(free_ports(1)[0]),
        "WHARFINGER_TLS_CERTIFICATE": str(certificate),
        "WHARFINGER_TLS_KEY": str(key),
    }

    done = command("serve", settings=settings)

    refused(done, "the key is encrypted", "another with its key")
    assert "pass phrase" not in done.stderr


@pytest.mark.parametrize(
    ("name", "mode", "cause", "cure"),
    [
        ("lock", 0o000, "lock cannot be written: Permission denied", "the user that owns the"),
        ("wharfinger.db", 0o444, "wharfinger.db cannot be written", "as the user that owns it"),
        ("blobs", 0o500, "blobs cannot be stored there", "the service may write"),
        ("master.key", 0o000, "Permission denied", "let the service's user"),
        ("operator.json", 0o000, "Permission denied", "from a backup"),
        ("tls", 0o000, "Permission denied", "the user that owns the file"),
    ],
)
def test_a_file_that_the_service_may_not_use_is_named(
    tmp_path: Path, name: str, mode: int, cause: str, cure: str
) -> None:
    data = tmp_path / "data"
    assert command("--data", str(data), "init").returncode == 0
    (data / name).chmod(mode)

    done = command("serve", settings=serving(data), bound_by_modes=True)

    (data / name).chmod(0o700)
    refused(done, cause, cure)


def test_a_start_that_cannot_make_its_authority_says_so(tmp_path: Path) -> None:
    (tmp_path / "tls").touch()
    ports = free_ports(2)
    settings = {"WHARFINGER_PORT": str(ports[0]), "WHARFINGER_TRUST_PORT": str(ports[1])}

    done = command("--data", str(tmp_path), "serve", settings=settings)

    assert done.returncode == 1
    assert "the certificate authority could not be made" in done.stderr
    assert not (tmp_path / "operator.json").exists(), "it would say that all is there"
