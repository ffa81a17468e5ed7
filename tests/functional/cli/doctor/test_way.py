"""What doctor tells apart on the way to the service; each condition is made for real."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.certificates import Authority, Days, shaking_hands
from tests.support.clocks import ahead
from tests.support.command_line import CommandLine
from tests.support.doctor import aimed, findings, last
from tests.support.proxies import connecting, tinyproxy
from tests.support.server import Server, Tenant, free_ports
from tests.support.static_files import serving

WAY = [
    *("config", "dns", "tcp", "http", "clock", "sign-in", "plugins"),
    *("registry", "registry-http", "token"),
]
SERVICE = "localhost"


def test_all_is_well(signed_in: tuple[CommandLine, Tenant]) -> None:
    ibmcloud, _ = signed_in
    code, told = findings(ibmcloud)

    assert code == 0
    assert [one["check"] for one in told] == [*WAY, "client"]
    unwell = {one["check"]: one["code"] for one in told if one["severity"] != "ok"}
    assert unwell == {"plugins": "WHF1174", "client": "WHF1195"}
    assert ibmcloud.ok("doctor").rstrip().endswith("OK")


def test_no_endpoint(ibmcloud: CommandLine) -> None:
    assert last(ibmcloud) == (10, "config", "WHF0805")


def test_rights_that_are_too_wide(signed_in: tuple[CommandLine, Tenant]) -> None:
    ibmcloud, _ = signed_in
    (ibmcloud.folder / "config.json").chmod(0o644)
    code, told = findings(ibmcloud)

    assert (code, told[0]["severity"], told[0]["code"]) == (0, "warning", "WHF1181")


def test_nobody_signed_in(targeted: CommandLine) -> None:
    code, told = findings(targeted)

    assert (code, told[-1]["check"], told[-1]["code"]) == (17, "sign-in", "WHF1183")
    assert told[-1]["cure"] == "Sign in: ibmcloud login."


@pytest.mark.parametrize(
    ("offset", "said"), [("+2h", "seconds ahead of"), ("-2h", "seconds behind")]
)
def test_a_clock_that_is_wrong(targeted: CommandLine, offset: str, said: str) -> None:
    code, told = findings(replace(targeted, prefix=ahead(offset)))

    assert (code, told[-1]["check"], told[-1]["code"]) == (16, "clock", "WHF1182")
    assert said in told[-1]["message"]
    assert last(targeted)[1] == "sign-in"


def test_a_name_that_nobody_knows(ibmcloud: CommandLine) -> None:
    aimed(ibmcloud, "https://registry..invalid")
    code, told = findings(ibmcloud)

    assert (code, told[-1]["check"], told[-1]["code"]) == (12, "dns", "WHF0811")
    assert told[-1]["message"] == "The name 'registry..invalid' cannot be resolved"


def test_a_port_that_nobody_listens_on(ibmcloud: CommandLine) -> None:
    port = free_ports(1)[0]
    aimed(ibmcloud, f"http://localhost:{port}")

    assert last(ibmcloud) == (13, "tcp", "WHF0812")
    page = ibmcloud("doctor").out
    assert f"error   tcp            localhost:{port} refused the connection" in page
    assert "- The service is not running" in page
    assert f"localhost:{port} 拒绝了连接" in ibmcloud.in_chinese()("doctor").out


def test_a_page_of_a_network_that_wants_a_sign_in(ibmcloud: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "api/v1").mkdir(parents=True)
    page = "<html><title>Sign in\n to \x1b[31mthis network</title></html>"
    (tmp_path / "api/v1/info").write_text(page)
    with serving(tmp_path) as url:
        aimed(ibmcloud, url)
        code, told = findings(ibmcloud)

    assert (code, told[-1]["check"], told[-1]["code"]) == (15, "http", "WHF1188")
    assert told[-1]["message"].endswith("something on the way: Sign in to ?[31mthis network")


@pytest.mark.parametrize(
    ("said", "code"), [(b"", "WHF0815"), (b"SSH-2.0-OpenSSH_9.2\r\n", "WHF1188")]
)
def test_what_listens_is_no_service(ibmcloud: CommandLine, said: bytes, code: str) -> None:
    """Silence behind an open port, and a program of another kind."""
    with saying(said) as port:
        aimed(ibmcloud, f"http://localhost:{port}")
        assert last(ibmcloud, IBMCLOUD_HTTP_TIMEOUT="2") == (15, "http", code)


@contextlib.contextmanager
def saying(said: bytes) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_say, args=(listener, said), daemon=True).start()
        yield int(listener.getsockname()[1])


def _say(listener: socket.socket, said: bytes) -> None:
    standing = []
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        connection.sendall(said)
        standing.append(connection)


def test_a_proxy_that_is_away(ibmcloud: CommandLine) -> None:
    port = free_ports(1)[0]
    aimed(ibmcloud, "http://registry.example")
    code, told = findings(ibmcloud, http_proxy=f"http://me:secret@localhost:{port}")

    assert (code, told[-1]["check"], told[-1]["code"]) == (11, "proxy", "WHF0817")
    assert "secret" not in json.dumps(told)


def test_a_proxy_whose_rules_forbid_the_port(
    ibmcloud: CommandLine, server: Server, tmp_path: Path
) -> None:
    aimed(ibmcloud, f"https://{server.tls_registry}")
    with tinyproxy(tmp_path, "ConnectPort 443") as proxy:
        code, told = findings(ibmcloud, https_proxy=proxy.url)

    assert (code, told[-1]["check"], told[-1]["code"]) == (11, "proxy", "WHF0817")
    assert "403" in told[-1]["message"]


def test_a_proxy_that_wants_to_be_signed_in_to(
    ibmcloud: CommandLine, server: Server, tmp_path: Path
) -> None:
    with tinyproxy(tmp_path, "BasicAuth me secret") as proxy:
        aimed(ibmcloud, f"https://{server.tls_registry}")
        code, told = findings(ibmcloud, https_proxy=proxy.url)
        assert (code, told[-1]["code"]) == (11, "WHF0817")

        there = f"http://me:secret@127.0.0.1:{proxy.port}"
        ibmcloud.ok("config", "--ca", str(server.ca))
        code, told = findings(ibmcloud, https_proxy=there)
    assert [one["check"] for one in told] == ["config", "proxy", "tls", "http", "clock", "sign-in"]
    assert told[1]["code"] == "WHF1184"


def test_a_proxy_that_answers_with_a_page_of_its_own(
    ibmcloud: CommandLine, server: Server, tmp_path: Path
) -> None:
    (tmp_path / "allowed").write_text("^elsewhere$\n")
    aimed(ibmcloud, server.api)
    rules = (f'Filter "{tmp_path / "allowed"}"', "FilterDefaultDeny Yes")
    with tinyproxy(tmp_path, *rules) as proxy:
        code, told = findings(ibmcloud, http_proxy=proxy.url)

    assert (code, told[-1]["check"], told[-1]["code"]) == (15, "http", "WHF1188")
    assert told[-1]["facts"]["status"] == "403"


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


@pytest.mark.parametrize("way", ["direct", "proxy"])
def test_somebody_on_the_way_opens_the_connection(
    ibmcloud: CommandLine, server: Server, tmp_path: Path, way: str
) -> None:
    """The service's authority is trusted, and a firewall answers with a certificate of its own."""
    other = Authority(tmp_path / "firewall", "Company Firewall")
    variables = {}
    with (
        shaking_hands(other.sign(SERVICE)) as port,
        connecting("200 OK", instead=port) as proxy,
    ):
        if way == "proxy":
            variables = {"https_proxy": proxy.url}
        aimed(ibmcloud, f"https://localhost:{server.tls_port if variables else port}")
        ibmcloud.ok("config", "--ca", str(server.ca))
        code, told = findings(ibmcloud, **variables)

    assert (code, told[-1]["check"], told[-1]["code"]) == (14, "tls", "WHF1186")
    assert told[-1]["facts"]["issuer"] == "Company Firewall"
    assert "config --ca FILE" in told[-1]["cure"]


def test_an_authority_that_was_made_anew(ibmcloud: CommandLine, tmp_path: Path) -> None:
    old, new = (Authority(tmp_path / name, "The same name") for name in ("old", "new"))
    with shaking_hands(new.sign(SERVICE)) as port:
        aimed(ibmcloud, f"https://localhost:{port}")
        ibmcloud.ok("config", "--ca", str(old.file))
        assert last(ibmcloud) == (14, "tls", "WHF1187")

        ibmcloud.ok("config", "--ca", str(new.file))
        assert findings(ibmcloud)[1][3]["severity"] == "ok"


@pytest.mark.parametrize(
    ("name", "days", "code"),
    [("elsewhere.example", (-1, 1), "WHF0820"), (SERVICE, (-3, -1), "WHF0819")],
)
def test_certificates_that_do_not_fit(
    ibmcloud: CommandLine, tmp_path: Path, name: str, days: Days, code: str
) -> None:
    authority = Authority(tmp_path / "authority", "Authority")
    with shaking_hands(authority.sign(name, days)) as port:
        aimed(ibmcloud, f"https://localhost:{port}")
        ibmcloud.ok("config", "--ca", str(authority.file))
        assert last(ibmcloud) == (14, "tls", code)


def test_plain_http_where_tls_is_expected(ibmcloud: CommandLine, server: Server) -> None:
    aimed(ibmcloud, f"https://localhost:{server.port}")

    assert last(ibmcloud) == (14, "tls", "WHF0821")
