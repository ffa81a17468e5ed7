"""A machine of its own for a test: network namespace, cable to this one, firewall, name servers.

Nothing of it touches the network of the machine that runs the tests but one end of the cable,
which ends with the namespace.
"""

from __future__ import annotations

import contextlib
import ipaddress
import secrets
import shutil
import subprocess
from pathlib import Path
from typing import Self

from tests.support.tools import SYSTEM_PATH, ensure

CABLES = ipaddress.IPv4Network("198.18.0.0/15")
"""Networks for tests of network devices (RFC 2544): nobody's machine is in there."""
SETTINGS = Path("/etc/netns")
FILES = ("hosts", "resolv.conf")
SECONDS = 60


class Machine:
    """A machine behind a firewall of its own; a context manager.

    ``address`` is its own, ``neighbour`` that of the machine that runs the tests.
    """

    def __init__(self) -> None:
        self.name = f"whf{secrets.token_hex(4)}"
        block = secrets.randbelow(CABLES.num_addresses // 4) * 4
        self.network = ipaddress.IPv4Network((int(CABLES.network_address) + block, 30))
        self.neighbour, self.address = map(str, self.network.hosts())
        self._settings = SETTINGS / self.name
        self._hosts: dict[str, str] = {"localhost": "127.0.0.1"}

    @property
    def prefix(self) -> tuple[str, ...]:
        """What a command begins with to run there.

        As ``ip netns exec``, which however hides the control groups that a Docker engine needs.
        """
        mount, enter, unshare, shell = map(_base, ("mount", "nsenter", "unshare", "sh"))
        mounts = (f"{mount} --bind {self._settings / name} /etc/{name}" for name in FILES)
        script = " && ".join([*mounts, 'exec "$@"'])
        inside = (enter, f"--net=/run/netns/{self.name}", unshare, "--mount")
        return (*inside, shell, "-c", script, shell)

    def __enter__(self) -> Self:
        self._settings.mkdir(parents=True)
        self.know()
        self.name_server("127.0.0.1")
        _ip("netns", "add", self.name)
        try:
            self._plug()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(subprocess.CalledProcessError):
            _ip("netns", "delete", self.name)
        shutil.rmtree(self._settings, ignore_errors=True)

    def know(self, **hosts: str) -> None:
        """Let the machine know hosts: names to addresses."""
        self._hosts.update(hosts)
        lines = (f"{address} {name}\n" for name, address in self._hosts.items())
        (self._settings / "hosts").write_text("".join(lines))

    def name_server(self, address: str) -> None:
        """Set the one name server; nobody waits long for it."""
        text = f"nameserver {address}\noptions timeout:1 attempts:1\n"
        (self._settings / "resolv.conf").write_text(text)

    def firewall(self, *rules: str) -> None:
        """Replace all rules: each is a chain, ``inbound`` or ``outbound``, and what nft takes."""
        lines = [
            "flush ruleset",
            "table inet fence {",
            "chain inbound { type filter hook input priority 0; }",
            "chain outbound { type filter hook output priority 0; }",
            "}",
            *(f"add rule inet fence {rule}" for rule in rules),
        ]
        command = [str(ensure("ip")), "netns", "exec", self.name, str(ensure("nft")), "-f", "-"]
        _run(command, "\n".join(lines) + "\n")

    def _plug(self) -> None:
        cable = self.name
        _ip("link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", self.name)
        _ip("address", "add", f"{self.neighbour}/{self.network.prefixlen}", "dev", cable)
        _ip("link", "set", cable, "up")
        inside = ("-n", self.name)
        _ip(*inside, "link", "set", "lo", "up")
        _ip(*inside, "address", "add", f"{self.address}/{self.network.prefixlen}", "dev", "eth0")
        _ip(*inside, "link", "set", "eth0", "up")
        _ip(*inside, "route", "add", "default", "via", self.neighbour)


def _base(name: str) -> str:
    """The path of what every Debian has, whatever the PATH of the one who runs it."""
    found = shutil.which(name, path=SYSTEM_PATH)
    assert found, f"no {name} here"
    return found


def _ip(*words: str) -> None:
    _run([str(ensure("ip")), *words])


def _run(command: list[str], given: str = "") -> None:
    subprocess.run(
        command, input=given, check=True, capture_output=True, text=True, timeout=SECONDS
    )
