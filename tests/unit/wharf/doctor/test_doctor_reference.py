"""Image names are read as docker reads them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wharf.doctor.reference import ImageNameWrong, Reference

REGISTRY = "registry.example:5000"
COMPONENTS = st.from_regex(r"[a-z0-9]{1,8}(?:[._-][a-z0-9]{1,4})?", fullmatch=True)
PATHS = st.lists(COMPONENTS, min_size=2, max_size=4).map("/".join)
TAGS = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,20}", fullmatch=True)
DIGESTS = st.binary(min_size=32, max_size=32).map(lambda raw: f"sha256:{raw.hex()}")


@given(PATHS.filter(lambda path: "." not in path.split("/")[0]), TAGS, DIGESTS)
def test_what_is_left_out_is_filled_in(path: str, tag: str, digest: str) -> None:
    if path.startswith("localhost/"):
        return
    assert Reference.read(path, REGISTRY) == Reference(REGISTRY, path, "latest", "")
    assert Reference.read(f"{path}:{tag}", REGISTRY) == Reference(REGISTRY, path, tag, "")
    named = Reference.read(f"other.example/{path}:{tag}@{digest}", REGISTRY)
    assert named == Reference("other.example", path, tag, digest)
    assert named.target == digest
    assert named.namespace == path.split("/", maxsplit=1)[0]


@given(st.text(max_size=60))
def test_any_text_is_a_name_or_refused(text: str) -> None:
    try:
        found = Reference.read(text, REGISTRY)
    except ImageNameWrong:
        return
    assert "/" in found.repository
    assert found.tag


@pytest.mark.parametrize(
    "text", ["", "app", "a/b:", "a/b@", "A/b", "a/b:t@sha256:12", "host.example/b", "a//b", "a/b/"]
)
def test_what_is_no_name(text: str) -> None:
    with pytest.raises(ImageNameWrong):
        Reference.read(text, REGISTRY)
