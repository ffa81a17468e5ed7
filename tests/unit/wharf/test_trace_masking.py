"""What a trace and a support bundle show holds no secret."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wharf.trace import HIDDEN, masked, masked_body, masked_url

SECRET = "s3cr3t-value"
NAMES = (
    "apikey",
    "api_key",
    "apiKey",
    "password",
    "owner_password",
    "passcode",
    "access_token",
    "refresh_token",
    "IAMToken",
    "client_secret",
    "Authorization",
    "credentials",
    "private_key",
)
LEAVES = st.none() | st.booleans() | st.integers() | st.text()


@pytest.mark.parametrize("name", NAMES)
@given(
    around=st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))
)
def test_a_secret_field_is_hidden_at_any_depth(name: str, around: object) -> None:
    value = {"a": [around, {"b": {name: SECRET}}], "c": around}

    assert SECRET not in json.dumps(masked(value))


@pytest.mark.parametrize("name", NAMES)
def test_a_secret_field_of_a_form_is_hidden(name: str) -> None:
    assert masked_body(f"grant_type=x&{name}={SECRET}".encode()) == f"grant_type=x&{name}={HIDDEN}"
    assert SECRET not in masked_url(f"https://user:{SECRET}@h/p?{name}={SECRET}&x=1")
    assert masked_url(f"https://h/p?{name}={SECRET}&x=1").endswith("&x=1")


def test_a_token_is_hidden_in_any_text() -> None:
    token = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"

    assert masked({"note": f"use {token} now"}) == {"note": f"use {HIDDEN} now"}


@pytest.mark.parametrize("body", [b"\x00\xff", b"<html>secret</html>", b"x" * 100_000])
def test_what_is_not_understood_is_not_shown(body: bytes) -> None:
    assert masked_body(body) == f"({len(body)} bytes)"


def test_what_is_harmless_is_shown() -> None:
    value = {"name": "team", "token_type": "Bearer", "expires_in": 3600}

    assert masked(value) == value
    assert json.loads(masked_body(json.dumps(value).encode())) == value
