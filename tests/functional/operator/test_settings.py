"""Settings: how they are shown, and what stops with the name, the value and what is allowed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.functional.operator.support import command


def test_config_show_tells_value_default_and_range() -> None:
    shown = command("config", "show", settings={"WHARFINGER_PORT": "5055"}).stdout

    assert "port = 5055   (default: 5000)" in shown
    assert "an integer, at least 1, at most 65535" in shown


def test_config_show_as_json_lists_every_setting() -> None:
    rows = json.loads(command("config", "show", "--output", "json").stdout)

    assert {"name", "value", "default", "allowed", "help"} == set(rows[0])
    assert {"data", "port", "workers", "manifest_bytes"} <= {row["name"] for row in rows}


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("port", "70000", "at most 65535"),
        ("workers", "none", "an integer, at least 0, at most 64"),
        ("log_level", "loud", "one of debug, info, warning, error"),
        ("drain_seconds", "-1", "at least 0"),
        ("region", "Über", "matching ^[a-z0-9]"),
    ],
)
def test_bad_value_stops_with_name_value_and_range(name: str, value: str, allowed: str) -> None:
    done = command("serve", settings={f"WHARFINGER_{name.upper()}": value})

    assert done.returncode == 1
    assert f"{name}: '{value}' is not allowed" in done.stderr
    assert allowed in done.stderr


@pytest.mark.parametrize(
    ("name", "value", "cure"),
    [
        ("public_urls", "registry.example.com", "http:// or https://, a host"),
        ("public_urls", "https://registry.example.com/below", "http:// or https://, a host"),
        ("public_urls", "ftp://registry.example.com", "http:// or https://, a host"),
        ("tls_names", "bücher.example", "a host name in ASCII, or an address"),
        ("tls_names", "two names", "a host name in ASCII, or an address"),
        ("trusted_proxies", "300.1.1.1/8", "such as 10.0.0.0/8"),
        ("metrics_networks", "10.0.0.1/8", "such as 10.0.0.0/8"),
        ("default_plan", "gold", "name one of free, standard"),
        ("blob_bytes", str(10**20), "at most "),
        ("public_urls", "https://registry.example.com:65536", "such as "),
        ("public_urls", "http://[:::]", "such as "),
        ("oidc_issuer", "https://[id.example.com]", "such as "),
        ("host", "a" * 254, "253 characters at most"),
        ("database_url", "sqlite:///:memory:", "names no file"),
        ("database_url", "sqlite:///", "names no file"),
        ("database_url", "sqlite:////data/db?mode=ro", "names no file"),
    ],
)
def test_a_value_that_would_fail_later_stops_with_its_cure(
    name: str, value: str, cure: str
) -> None:
    done = command("config", "show", settings={f"WHARFINGER_{name.upper()}": value})

    assert done.returncode == 1
    assert f"{name}: " in done.stderr
    assert value in done.stderr
    assert cure in done.stderr


def test_every_number_has_a_lowest_and_a_highest_value() -> None:
    rows = json.loads(command("config", "show", "--output", "json").stdout)

    kinds = ("a number, ", "an integer, ")
    numbers = {row["name"]: row["allowed"] for row in rows if row["allowed"].startswith(kinds)}
    assert len(numbers) > 50
    assert not {name for name, text in numbers.items() if "at most " not in text}
    assert not {name for name, text in numbers.items() if not re.search("at least|more than", text)}


def test_unknown_variable_stops() -> None:
    done = command("serve", settings={"WHARFINGER_PROT": "5000"})

    assert done.returncode == 1
    assert "prot: no such setting" in done.stderr


def test_unknown_key_of_the_file_stops(tmp_path: Path) -> None:
    file = tmp_path / "wharfinger.toml"
    file.write_text("prot = 5000\n")

    done = command("--config", str(file), "serve")

    assert done.returncode == 1
    assert "prot: no such setting" in done.stderr


def test_variable_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "wharfinger.toml"
    file.write_text("port = 5001\nworkers = 2\n")

    done = command("--config", str(file), "config", "show", settings={"WHARFINGER_PORT": "5002"})

    assert "port = 5002" in done.stdout
    assert "workers = 2" in done.stdout


def test_ports_must_differ() -> None:
    done = command("serve", settings={"WHARFINGER_PORT": "4443"})

    assert done.returncode == 1
    assert "port, tls_port, metrics_port and trust_port must differ" in done.stderr


@pytest.mark.parametrize("name", ["data", "port", "log_level", "tls_names", "regions"])
def test_bytes_that_are_no_text_stop(name: str) -> None:
    # As the system hands them on: Python's name for a byte that is not UTF-8.
    done = command("config", "show", settings={f"WHARFINGER_{name.upper()}": "[\udcff"})

    assert done.returncode == 1
    assert f"{name}: " in done.stderr
    assert "bytes that are not UTF-8" in done.stderr


def test_text_that_no_path_can_hold_stops(tmp_path: Path) -> None:
    file = tmp_path / "wharfinger.toml"
    file.write_text('data = "a\\u0000b"\n')

    done = command("--config", str(file), "config", "show")

    assert done.returncode == 1
    assert "data: 'a\\x00b' is not allowed: it holds a NUL" in done.stderr


@pytest.mark.parametrize("host", ["[:::]", "a.example:65536"])
def test_hosts_of_regions_are_looked_at(tmp_path: Path, host: str) -> None:
    file = tmp_path / "wharfinger.toml"
    file.write_text(f'[[regions]]\nname = "a"\nhosts = ["{host}"]\n')

    done = command("--config", str(file), "config", "show")

    assert done.returncode == 1
    assert f"regions: '{host}' is not allowed" in done.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("database_url", "postgresql://me:hidden@db.example/registry"),
        ("database_url", "postgresql://me:hid/den@db.example/registry"),
        ("database_url", "postgresql://me:hid@den@db.example/registry"),
        ("database_url", "postgresql://db.example/registry?user=me&password=hidden"),
        ("database_url", "postgresql://db.example/registry?sslpassword=hidden&user=me"),
        ("database_url", "mysql://me:hidden@db.example/registry"),
        ("public_urls", "https://me:hidden@registry.example.com"),
        ("oidc_issuer", "https://me:hidden@id.example.com"),
    ],
)
def test_nothing_shows_the_passwords_of_urls(name: str, value: str) -> None:
    settings = {f"WHARFINGER_{name.upper()}": value}

    done = command("config", "show", settings=settings)

    told = done.stdout + done.stderr
    assert name in told
    assert "hid" not in told.replace("hide", "")
    assert "den@" not in told
