"""Container clients name registries as hosts and as URLs; both mean the same."""

from __future__ import annotations

import pytest

from wharf.credentials.helper import host_of


@pytest.mark.parametrize(
    ("server", "host"),
    [
        ("registry.example", "registry.example"),
        ("registry.example:5000\n", "registry.example:5000"),
        ("https://registry.example", "registry.example"),
        ("http://localhost:5000/v2/", "localhost:5000"),
        ("https://index.docker.io/v1/", "index.docker.io"),
        ("registry.example/team", "registry.example"),
        ("[::1]:5000", "[::1]:5000"),
        ("", ""),
    ],
)
def test_the_host_is_found(server: str, host: str) -> None:
    assert host_of(server) == host
