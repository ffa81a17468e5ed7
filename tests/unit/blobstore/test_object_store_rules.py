"""Pure rules of the object store: URLs of buckets, sizes of parts, texts of states."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wharfinger.blobstore.errors import UploadShort
from wharfinger.blobstore.object_store.keys import key_of, location_in, new_location, upload_of
from wharfinger.blobstore.object_store.state import (
    LARGEST_PART,
    MAX_PARTS,
    Piece,
    State,
    decode,
    part_bytes,
    without,
)
from wharfinger.bucket import Bucket, BucketInvalid, parse_bucket
from wharfinger.settings import SettingInvalid, load

MIB = 1024 * 1024
TIB = MIB * MIB


@pytest.mark.parametrize(
    ("url", "bucket"),
    [
        ("s3://blobs", Bucket("blobs", "", "", "", "", "virtual")),
        ("s3://blobs/", Bucket("blobs", "", "", "", "", "virtual")),
        (
            "s3://my.blobs/a/b/?region=eu-de",
            Bucket("my.blobs", "a/b/", "", "", "eu-de", "virtual"),
        ),
        (
            "s3://blobs/x?endpoint=http://10.0.0.1:9000/&public=https%3A%2F%2Fs3.example.com",
            Bucket("blobs", "x/", "http://10.0.0.1:9000", "https://s3.example.com", "", "path"),
        ),
        (
            "s3://blobs?endpoint=https://s3.example.com&addressing=virtual",
            Bucket("blobs", "", "https://s3.example.com", "", "", "virtual"),
        ),
    ],
)
def test_urls_of_buckets(url: str, bucket: Bucket) -> None:
    assert parse_bucket(url) == bucket


@pytest.mark.parametrize(
    "url",
    [
        "s3://",
        "s3://Bucket",
        "s3://b",
        "s3://key:secret@bucket/x",
        "s3://bucket/a//b",
        "s3://bucket/a b",
        "s3://bucket?endpoint=ftp://x",
        "s3://bucket?endpoint=http://",
        "s3://bucket?endpoint=http://key:secret@host",
        "s3://bucket?endpoint=http://a&endpoint=http://b",
        "s3://bucket?secret=x",
        "s3://bucket?addressing=else",
        "s3://bucket?region",
    ],
)
def test_what_is_no_bucket_stops_the_start_without_telling_secrets(url: str) -> None:
    with pytest.raises(BucketInvalid):
        parse_bucket(url)
    with pytest.raises(SettingInvalid, match="blobs_url") as refused:
        load({"WHARFINGER_BLOBS_URL": url})
    assert "secret@" not in str(refused.value)


@given(st.integers(5 * MIB, 1024 * MIB), st.integers(MIB, 5 * TIB))
def test_the_largest_blob_fits_into_the_parts_that_there_may_be(first: int, blob: int) -> None:
    sizes = [part_bytes(number, first, blob) for number in range(1, MAX_PARTS + 1)]
    assert sum(sizes) >= blob
    assert sizes[0] == first
    assert sizes == sorted(sizes)
    assert sizes[-1] <= LARGEST_PART
    # No larger than it takes: little memory for what is pushed most.
    assert sizes[-1] <= max(first, 2 * -(-blob // MAX_PARTS) + MIB)


pieces = st.builds(Piece, st.text(max_size=20), st.integers(0, 10**12))
states = st.builds(
    State,
    st.text(max_size=50),
    st.text(max_size=50),
    st.lists(pieces, max_size=5).map(tuple),
    st.lists(pieces, max_size=5).map(tuple),
    st.lists(st.text(max_size=20), max_size=3).map(tuple),
    st.booleans(),
)


@given(states)
def test_a_state_is_read_back(state: State) -> None:
    assert decode(state.encoded()) == state
    assert state.size == sum(piece.size for piece in state.parts + state.tails)


@given(st.text())
def test_a_text_is_a_state_or_an_upload_that_is_lost(text: str) -> None:
    with suppress(UploadShort):
        assert decode(text).size >= 0


@given(states, states)
def test_nothing_that_is_kept_is_removed(made: State, kept: State) -> None:
    gone = without(made, kept)
    assert not set(gone.objects) & set(kept.objects)
    assert set(gone.objects) | set(kept.objects) >= set(made.objects)
    assert not gone.multipart or gone.multipart != kept.multipart
    assert without(made, made) == State()


def test_keys() -> None:
    upload = "0f8fad5b-d9cb-469f-a165-70867728950e"
    location = new_location(upload)
    assert location != new_location(upload)
    assert upload_of(location) == upload
    assert location_in(key_of(location)) == location
    for key in ("", "blobs/", location, f"blobs/{location}", f"blobs/zz/{location}"):
        assert location_in(key) == ""
