"""Range, If-Range, If-None-Match and Content-Range: pure rules."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wharfinger.registry.model.blobs import (
    Slice,
    Unsatisfiable,
    Whole,
    blob_headers,
    etag,
    matches,
    parse_range,
    slice_headers,
    wanted_part,
)
from wharfinger.registry.model.uploads import (
    ChunkOutOfOrder,
    ContentRange,
    ContentRangeInvalid,
    Upload,
    acknowledged,
    parse_content_range,
    require_in_order,
)
from wharfinger_common.digests import Digest

SIZES = st.integers(0, 10**12)
DIGEST = str(Digest.of(b"content"))


@given(SIZES, SIZES, SIZES)
def test_a_range_is_the_part_of_the_content_that_it_covers(
    first: int, last: int, size: int
) -> None:
    part = parse_range(f"bytes={first}-{last}", size)
    if first > last or first >= size:
        assert isinstance(part, Unsatisfiable)
    else:
        assert part == Slice(first, min(last, size - 1))


@given(SIZES, SIZES)
def test_an_open_range_goes_to_the_end(first: int, size: int) -> None:
    part = parse_range(f"bytes={first}-", size)
    assert part == (Slice(first, size - 1) if first < size else Unsatisfiable())


@given(SIZES, SIZES)
def test_a_suffix_is_the_end_and_never_more_than_all(length: int, size: int) -> None:
    part = parse_range(f"bytes=-{length}", size)
    if length == 0 or size == 0:
        assert isinstance(part, Unsatisfiable)
    else:
        assert isinstance(part, Slice)
        assert part.last == size - 1
        assert part.length == min(length, size)


@given(st.text(), SIZES)
def test_whatever_comes_is_answered_within_the_content(header: str, size: int) -> None:
    part = parse_range(header, size)
    if isinstance(part, Slice):
        assert 0 <= part.first <= part.last < size


@given(st.text(alphabet="0123456789-,= bytes"), SIZES)
def test_whatever_looks_like_a_range_is_answered_within_the_content(header: str, size: int) -> None:
    part = parse_range(f"bytes={header}", size)
    if isinstance(part, Slice):
        assert 0 <= part.first <= part.last < size


@pytest.mark.parametrize(
    "header", ["bytes=0-1,3-4", "bytes=-", "bytes=a-b", "items=0-1", "bytes 0-1", "bytes=1--2", ""]
)
def test_what_is_no_single_range_is_ignored(header: str) -> None:
    assert parse_range(header, 100) == Whole()


def test_numbers_without_end_cost_nothing() -> None:
    digits = "9" * 30_000
    assert parse_range(f"bytes={digits}-", 100) == Unsatisfiable()
    assert parse_range(f"bytes=0-{digits}", 100) == Slice(0, 99)
    assert parse_range(f"bytes=-{digits}", 100) == Slice(0, 99)
    assert parse_range(f"bytes={'0' * 30_000}1-2", 100) == Slice(1, 2)


def test_digits_of_other_scripts_are_no_digits() -> None:
    assert parse_range("bytes=٠-٩", 100) == Whole()


@pytest.mark.parametrize(
    ("if_range", "part"),
    [
        ("", Slice(0, 0)),
        (etag(DIGEST), Slice(0, 0)),
        ('"another"', Whole()),
        ("W/" + etag(DIGEST), Whole()),
        ("Wed, 21 Oct 2015 07:28:00 GMT", Whole()),
    ],
)
def test_if_range_needs_the_very_same_blob(if_range: str, part: Slice | Whole) -> None:
    assert wanted_part("bytes=0-0", if_range, DIGEST, 10) == part


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (etag(DIGEST), True),
        ("W/" + etag(DIGEST), True),
        (f'"other", {etag(DIGEST)}', True),
        ("*", True),
        ('"other"', False),
        (DIGEST, False),
        ("", False),
    ],
)
def test_if_none_match(header: str, *, expected: bool) -> None:
    assert matches(header, DIGEST) is expected


def test_headers_of_a_blob_and_of_a_part() -> None:
    whole = dict(blob_headers(DIGEST, 10))
    assert whole[b"content-length"] == b"10"
    assert whole[b"docker-content-digest"] == DIGEST.encode()
    assert whole[b"etag"] == f'"{DIGEST}"'.encode()
    assert whole[b"accept-ranges"] == b"bytes"
    assert whole[b"content-type"] == b"application/octet-stream"
    part = dict(slice_headers(DIGEST, 10, Slice(2, 4)))
    assert part[b"content-length"] == b"3"
    assert part[b"content-range"] == b"bytes 2-4/10"


@given(SIZES, SIZES)
def test_a_content_range_is_read_back(first: int, length: int) -> None:
    chunk = parse_content_range(f"{first}-{first + length}")
    assert chunk == ContentRange(first, first + length)
    assert chunk.length == length + 1


@pytest.mark.parametrize(
    "header",
    ["", "-", "5", "5-", "-5", "5-4", "bytes 0-1/2", "bytes=0-1", "0-1/2", "a-b", "0-" + "9" * 20],
)
def test_what_is_no_content_range_is_refused(header: str) -> None:
    with pytest.raises(ContentRangeInvalid):
        parse_content_range(header)


@given(st.text())
def test_a_content_range_is_read_or_refused(header: str) -> None:
    try:
        chunk = parse_content_range(header)
    except ContentRangeInvalid:
        return
    assert 0 <= chunk.first <= chunk.last


@given(st.integers(0, 1000), st.integers(0, 1000))
def test_gap_and_overlap_are_refused_with_what_stands(size: int, first: int) -> None:
    upload = Upload("id", "account", size=size)
    if first == size:
        require_in_order(upload, ContentRange(first, first), "/there")
        return
    with pytest.raises(ChunkOutOfOrder) as refused:
        require_in_order(upload, ContentRange(first, first), "/there")
    assert refused.value.headers == {"Range": acknowledged(size), "Location": "/there"}


def test_what_stands_is_told_as_clients_know_it() -> None:
    assert [acknowledged(size) for size in (0, 1, 2, 1000)] == ["0-0", "0-0", "0-1", "0-999"]
