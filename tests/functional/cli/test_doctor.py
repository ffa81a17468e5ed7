"""What doctor tells apart on the way to the service; each condition is made for real."""

from __future__ import annotations

import contextlib
import datetime
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support.command_line import CommandLine
from tests.support.server import Server, Tenant, free_ports
from tests.support.static_files import serving


def aimed(ibmcloud: CommandLine, endpoint: str) -> None:
    """Write the endpoint into the configuration, as nobody answers there to be asked first."""
    ibmcloud.folder.mkdir(mode=0o700, exist_ok=True)
    path = ibmcloud.folder / "config.json"
    path.write_text(json.dumps({"SessionFormat": 2, "APIEndpoint": endpoint}))
    path.chmod(0o600)


def findings(ibmcloud: CommandLine, **variables: str) -> tuple[int, list[dict[str, Any]]]:
    done = ibmcloud("doctor", "--output", "json", variables=variables)
    told = json.loads(done.out)
    assert told["exit"] == done.code
    return done.code, told["findings"]


def test_all_is_well(signed_in: tuple[CommandLine, Tenant]) -> None:
    ibmcloud, _ = signed_in
    code, told = findings(ibmcloud)

    assert code == 0
    assert [one["check"] for one in told] == ["config", "dns", "tcp", "http", "clock", "sign-in"]
    assert {one["severity"] for one in told} == {"ok"}
    assert ibmcloud.ok("doctor").rstrip().endswith("OK")


def test_no_endpoint(ibmcloud: CommandLine) -> None:
    code, told = findings(ibmcloud)

    assert (code, told[-1]["code"]) == (10, "WHF0805")


def test_nobody_signed_in(targeted: CommandLine) -> None:
    code, told = findings(targeted)

    assert (code, told[-1]["check"], told[-1]["code"]) == (17, "sign-in", "WHF1183")
    assert told[-1]["cure"] == "Sign in: ibmcloud login."


def test_a_name_that_nobody_knows(ibmcloud: CommandLine) -> None:
    aimed(ibmcloud, "https://registry.invalid")
    code, told = findings(ibmcloud)

    assert (code, told[-1]["check"], told[-1]["code"]) == (12, "dns", "WHF0811")
    assert told[-1]["message"] == "The name 'registry.invalid' cannot be resolved"


def test_a_port_that_nobody_listens_on(ibmcloud: CommandLine) -> None:
    port = free_ports(1)[0]
    aimed(ibmcloud, f"http://localhost:{port}")
    code, told = findings(ibmcloud)

    assert (code, told[-1]["check"], told[-1]["code"]) == (13, "tcp", "WHF0812")
    page = ibmcloud("doctor").out
    assert f"error   tcp      localhost:{port} refused the connection" in page
    assert "- The service is not running" in page


def test_a_service_of_another_kind(ibmcloud: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "api/v1").mkdir(parents=True)
    (tmp_path / "api/v1/info").write_text("<html>Sign in to this network</html>")
    with serving(tmp_path) as url:
        aimed(ibmcloud, url)
        code, told = findings(ibmcloud)

    assert (code, told[-1]["check"], told[-1]["code"]) == (15, "http", "WHF0822")


def test_a_proxy_that_is_away(ibmcloud: CommandLine) -> None:
    port = free_ports(1)[0]
    aimed(ibmcloud, "http://registry.example")
    code, told = findings(ibmcloud, http_proxy=f"http://me:secret@localhost:{port}")

    assert (code, told[-1]["check"], told[-1]["code"]) == (15, "http", "WHF0817")
    assert told[1]["code"] == "WHF1184"
    assert "secret" not in json.dumps(told)


def test_an_authority_that_is_not_trusted_and_then_is(
    ibmcloud: CommandLine, server: Server
) -> None:
    aimed(ibmcloud, f"https://{server.tls_registry}")
    code, told = findings(ibmcloud)
    assert (code, told[-1]["check"], told[-1]["code"]) == (14, "tls", "WHF0818")
    assert told[-1]["cure"].endswith("ibmcloud config --ca FILE.")

    ibmcloud.ok("config", "--ca", str(server.ca))
    ibmcloud.ok("api", f"https://{server.tls_registry}")
    ibmcloud.ok("login", "--apikey", server.operator.api_key)
    code, told = findings(ibmcloud)
    assert code == 0
    assert [one["check"] for one in told][3] == "tls"


@pytest.mark.parametrize(
    ("name", "days", "code"),
    [("elsewhere.example", (-1, 1), "WHF0820"), ("localhost", (-3, -1), "WHF0819")],
)
def test_certificates_that_do_not_fit(
    ibmcloud: CommandLine, tmp_path: Path, name: str, days: tuple[int, int], code: str
) -> None:
    with tls_server(tmp_path, name, days) as port:
        aimed(ibmcloud, f"https://localhost:{port}")
        ibmcloud.ok("config", "--ca", str(tmp_path / "certificate.pem"))
        exit_code, told = findings(ibmcloud)

    assert (exit_code, told[-1]["code"]) == (14, code)


def test_plain_http_where_tls_is_expected(ibmcloud: CommandLine, server: Server) -> None:
    aimed(ibmcloud, f"https://localhost:{server.port}")
    code, told = findings(ibmcloud)

    assert (code, told[-1]["code"]) == (14, "WHF0821")


def test_rights_that_are_too_wide(signed_in: tuple[CommandLine, Tenant]) -> None:
    ibmcloud, _ = signed_in
    (ibmcloud.folder / "config.json").chmod(0o644)
    code, told = findings(ibmcloud)

    assert (code, told[0]["severity"], told[0]["code"]) == (0, "warning", "WHF1181")


@contextlib.contextmanager
def tls_server(folder: Path, name: str, days: tuple[int, int]) -> Iterator[int]:
    """A listener that only shakes hands, with a certificate for ``name``, valid in ``days``."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    begin, end = (now + datetime.timedelta(days=each) for each in days)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(pem))
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "key.pem").write_bytes(private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_shake_hands, args=(listener, context), daemon=True)
        thread.start()
        yield int(listener.getsockname()[1])


def _shake_hands(listener: socket.socket, context: ssl.SSLContext) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True) as tls:
            tls.recv(1)
