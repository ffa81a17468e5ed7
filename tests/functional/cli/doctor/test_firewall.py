"""What a firewall or a resolver does to a machine, and that doctor tells one from the other."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.command_line import CommandLine
from tests.support.doctor import aimed, findings, last
from tests.support.netns import Machine
from tests.support.server import Server

HOST = "registry.test"
IMPATIENT = {"IBMCLOUD_HTTP_TIMEOUT": "3"}
"""For when nobody answers: who does may take as long as a busy machine needs."""


@pytest.fixture(scope="module")
def reachable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A service that other machines reach."""
    data = tmp_path_factory.mktemp("reachable") / "data"
    with Server(data, settings={"WHARFINGER_HOST": "0.0.0.0"}) as server:
        yield server


@pytest.fixture
def machine() -> Iterator[Machine]:
    with Machine() as made:
        yield made


@pytest.fixture
def behind(ibmcloud: CommandLine, machine: Machine, reachable: Server) -> CommandLine:
    """A user on that machine, who aims at the service by a name that the machine knows."""
    machine.know(**{HOST: machine.neighbour})
    aimed(ibmcloud, f"http://{HOST}:{reachable.port}")
    return replace(ibmcloud, prefix=machine.prefix)


def test_an_open_way(behind: CommandLine, machine: Machine) -> None:
    code, told = findings(behind)

    assert (code, told[-1]["check"]) == (17, "sign-in")
    assert told[1]["message"] == f"{HOST} is {machine.neighbour}"


@pytest.mark.parametrize(
    ("rule", "code", "word"),
    [
        ("drop", "WHF0813", "did not answer within 3 seconds"),
        ("reject with tcp reset", "WHF0812", "refused the connection"),
        ("reject with icmp type admin-prohibited", "WHF0814", "cannot be reached"),
    ],
)
def test_a_firewall_on_the_way_out(
    behind: CommandLine, machine: Machine, reachable: Server, rule: str, code: str, word: str
) -> None:
    machine.firewall(f"outbound tcp dport {reachable.port} {rule}")
    exit_code, told = findings(behind, **IMPATIENT)

    assert (exit_code, told[-1]["check"], told[-1]["code"]) == (13, "tcp", code)
    assert word in told[-1]["message"]
    machine.firewall()
    assert last(behind)[1] == "sign-in"


def test_a_firewall_that_drops_what_comes_back(
    behind: CommandLine, machine: Machine, reachable: Server
) -> None:
    machine.firewall(f"inbound tcp sport {reachable.port} drop")

    assert last(behind, **IMPATIENT) == (13, "tcp", "WHF0813")


def test_questions_to_the_name_server_are_dropped(ibmcloud: CommandLine, machine: Machine) -> None:
    aimed(ibmcloud, "https://registry.example")
    machine.name_server(machine.neighbour)
    machine.firewall("outbound udp dport 53 drop")

    assert last(replace(ibmcloud, prefix=machine.prefix)) == (12, "dns", "WHF1185")


def test_a_name_server_that_knows_no_such_name(ibmcloud: CommandLine, machine: Machine) -> None:
    aimed(ibmcloud, "https://registry.example")
    machine.name_server(machine.neighbour)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((machine.neighbour, 53))
        threading.Thread(target=_deny_all, args=(server,), daemon=True).start()
        code, told = findings(replace(ibmcloud, prefix=machine.prefix))

    assert (code, told[-1]["check"], told[-1]["code"]) == (12, "dns", "WHF0811")


def _deny_all(server: socket.socket) -> None:
    """Answer every question with NXDOMAIN (RFC 1035, section 4.1.1)."""
    while True:
        try:
            question, sender = server.recvfrom(512)
        except OSError:
            return
        server.sendto(question[:2] + b"\x81\x83" + question[4:], sender)


def test_the_registry_of_the_image_is_walked_to_by_itself(
    ibmcloud: CommandLine, machine: Machine, tmp_path: Path
) -> None:
    """The service answers; the region's registry, another host, is what the firewall stops."""
    regions = (
        '[{"name": "here", "hosts": ["registry.test:%d"]}, {"name": "there", "hosts": ["%s"]}]'
    )
    settings = {"WHARFINGER_HOST": "0.0.0.0"}
    server = Server(tmp_path / "data", settings=settings)
    there = f"there.test:{server.port}"
    server.settings["WHARFINGER_REGIONS"] = regions % (server.port, there)
    machine.know(**{HOST: machine.neighbour, "there.test": "198.51.100.7"})
    with server:
        user = replace(ibmcloud, prefix=machine.prefix)
        user.ok("login", "-a", f"http://{HOST}:{server.port}", "--apikey", server.operator.api_key)
        machine.firewall("outbound ip daddr 198.51.100.7 drop")

        assert last(user, f"{there}/team/app") == (13, "registry-tcp", "WHF0813")
        assert last(user, "elsewhere.test/team/app") == (19, "registry", "WHF1189")
