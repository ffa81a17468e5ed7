"""The form of API keys, and the master key's file."""

import re
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wharfinger.identity import keys
from wharfinger.identity.secrets import MasterKeyInvalid, Seal, load_or_create_master_key


def test_keys_have_the_form_that_secret_scanners_look_for() -> None:
    made = {keys.generate() for _ in range(200)}
    assert len(made) == 200
    assert all(re.fullmatch(r"whf_[0-9A-Za-z]{46}", key) for key in made)
    assert all(keys.well_formed(key) for key in made)


@given(st.integers(0, keys.LENGTH - 1), st.sampled_from(keys.ALPHABET))
def test_one_wrong_character_is_noticed(position: int, character: str) -> None:
    key = keys.generate(lambda _: 7)
    changed = key[:position] + character + key[position + 1 :]
    assert keys.well_formed(changed) == (changed == key)


@given(st.text(max_size=60))
def test_other_texts_are_no_keys(text: str) -> None:
    assert not keys.well_formed(text)


def test_the_master_key_is_made_once_and_for_the_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: load_or_create_master_key(path), range(32)))
    assert found == {path.read_bytes()}
    assert len(path.read_bytes()) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_damaged_master_key_is_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    path.write_bytes(b"short")
    with pytest.raises(MasterKeyInvalid, match="5 bytes"):
        load_or_create_master_key(path)
    assert path.read_bytes() == b"short"


def test_a_sealed_value_opens_with_its_key_and_purpose_only() -> None:
    seal = Seal(bytes(32))
    sealed = seal.close(b"secret", "a")
    assert b"secret" not in sealed
    assert seal.open(sealed, "a") == b"secret"
    with pytest.raises(MasterKeyInvalid):
        seal.open(sealed, "b")
    with pytest.raises(MasterKeyInvalid):
        Seal(bytes([1]) * 32).open(sealed, "a")
