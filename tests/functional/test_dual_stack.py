"""Listening on ``::``, which takes IPv4 too: clients of it are known by their own address."""

from __future__ import annotations

from pathlib import Path

import httpx

from tests.support.server import Operator, Server


def test_ipv4_clients_are_known_by_their_own_address(tmp_path: Path) -> None:
    settings = {"WHARFINGER_HOST": "::", "WHARFINGER_TRUSTED_PROXIES": "127.0.0.1/32"}
    with Server(tmp_path / "data", settings=settings) as server:
        api = f"http://127.0.0.1:{server.port}"
        proxied = {"X-Forwarded-Host": "registry.example", "X-Forwarded-Proto": "https"}
        assert "https://registry.example/" in _realm(api, proxied)
        assert "registry.example" not in _realm(f"http://[::1]:{server.port}", proxied)

        form = {"grant_type": "password", "username": "kim@example.com", "password": "wrong"}
        for told in ("192.0.2.1", "::ffff:192.0.2.1"):
            failed = [_exchange(api, form, told) for _ in range(6)]
        assert failed[-1] == 429, "both ways to write the address count as one"
        assert _exchange(api, form, "::ffff:192.0.2.2") == 401, "another one is another one"

        operator = Operator.of(server)
        assert operator.iam_token()
        operator.close()


def _realm(api: str, headers: dict[str, str]) -> str:
    return httpx.get(f"{api}/v2/", headers=headers).headers["WWW-Authenticate"]


def _exchange(api: str, form: dict[str, str], client: str) -> int:
    headers = {"X-Forwarded-For": client}
    return httpx.post(f"{api}/identity/token", data=form, headers=headers).status_code
