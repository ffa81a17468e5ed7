"""What counts as a manifest: valid ones are read as they were built, all others are refused."""

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.registry_manifests import (
    CONFIG,
    EMPTY,
    LIMITS,
    descriptor,
    encoded,
    image,
    index,
)
from wharfinger.registry.model.descriptors import Kind
from wharfinger.registry.model.manifests import (
    DOCKER_LIST,
    DOCKER_MANIFEST,
    OCI_ARTIFACT,
    OCI_INDEX,
    OCI_MANIFEST,
    ManifestInvalid,
    ManifestLimits,
    ManifestTooLarge,
    MediaTypeUnclear,
    ParsedManifest,
    ReferencesUnknown,
    Schema1Unsupported,
    manifest_headers,
    resolve,
)
from wharfinger.registry.model.parsing import parse
from wharfinger_common.refusals import Refusal

NONDISTRIBUTABLE = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
FOREIGN = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"


def read(document: object, content_type: str | None = None) -> ParsedManifest:
    if content_type is None:
        content_type = document.get("mediaType", "") if isinstance(document, dict) else ""
    return parse(encoded(document), content_type, LIMITS)


# --- Valid manifests -----------------------------------------------------------------------

texts = st.text(max_size=20)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
media_types = st.sampled_from([CONFIG, EMPTY, "application/vnd.example.thing+json", "text/plain"])
descriptors = st.builds(
    descriptor,
    st.binary(max_size=40),
    media_types,
    st.sampled_from(["sha256", "sha512"]),
    annotations=st.dictionaries(texts, texts, max_size=2),
    platform=values,
)
optional = st.fixed_dictionaries(
    {},
    optional={
        "subject": descriptors,
        "artifactType": st.sampled_from(["", "application/vnd.example.sbom"]),
        "annotations": st.dictionaries(texts, texts, max_size=3) | st.none(),
        "org.example.custom": values,
    },
)


@st.composite
def images(draw: st.DrawFn) -> dict[str, Any]:
    layers = draw(st.lists(descriptors, max_size=5))
    made = image(*layers, config=draw(descriptors), **draw(optional))
    made["mediaType"] = draw(st.sampled_from([OCI_MANIFEST, DOCKER_MANIFEST]))
    return made


@st.composite
def indexes(draw: st.DrawFn) -> dict[str, Any]:
    made = index(*draw(st.lists(descriptors, max_size=5)), **draw(optional))
    made["mediaType"] = draw(st.sampled_from([OCI_INDEX, DOCKER_LIST]))
    return made


@given(images())
def test_an_image_is_read_as_it_was_built(document: dict[str, Any]) -> None:
    parsed = read(document)
    assert parsed.media_type == document["mediaType"]
    assert parsed.artifact_type == (document.get("artifactType") or document["config"]["mediaType"])
    assert parsed.subject == (document["subject"]["digest"] if "subject" in document else None)
    wanted = [document["config"], *document["layers"]]
    assert [(one.digest, one.size) for one in parsed.blobs] == [
        (one["digest"], one["size"]) for one in wanted
    ]
    assert parsed.children == ()
    assert parsed.annotations == (document.get("annotations") or {})


@given(indexes())
def test_an_index_is_read_as_it_was_built(document: dict[str, Any]) -> None:
    parsed = read(document)
    assert parsed.media_type == document["mediaType"]
    assert parsed.artifact_type == document.get("artifactType", "")
    assert [one.digest for one in parsed.children] == [
        one["digest"] for one in document["manifests"]
    ]
    assert parsed.blobs == ()


@given(images() | indexes(), st.integers(0, 8), st.booleans())
def test_layout_of_the_json_makes_no_difference(
    document: dict[str, Any], indent: int, ascii_only: bool
) -> None:
    text = json.dumps(
        dict(reversed(document.items())), indent=indent, ensure_ascii=ascii_only
    ).encode("utf-8", "surrogatepass")
    assert parse(text, "", LIMITS) == read(document)


@given(images() | indexes(), st.data())
def test_a_changed_byte_is_refused_or_still_means_what_json_says(
    document: dict[str, Any], data: st.DataObject
) -> None:
    content = bytearray(encoded(document))
    position = data.draw(st.integers(0, len(content) - 1))
    content[position] = data.draw(st.integers(0, 255))
    try:
        parsed = parse(bytes(content), "", LIMITS)
    except Refusal:
        return
    again = json.loads(content)
    assert parsed.media_type == again["mediaType"]
    known = {OCI_MANIFEST, DOCKER_MANIFEST, OCI_INDEX, DOCKER_LIST}
    if parsed.media_type in known:
        wanted = [again.get("config"), *(again.get("layers") or again.get("manifests") or ())]
        assert [one.digest for one in parsed.references] == [one["digest"] for one in wanted if one]


@given(images() | indexes(), st.data())
def test_a_duplicated_key_is_refused_wherever_it_stands(
    document: dict[str, Any], data: st.DataObject
) -> None:
    text = encoded(document).decode()
    key = data.draw(st.sampled_from(sorted(document)))
    again = f'{{"{key}": null, {text[1:]}'
    with pytest.raises(ManifestInvalid, match="twice"):
        parse(again.encode(), document["mediaType"], LIMITS)


BROKEN_DESCRIPTORS: dict[str, Any] = {
    "negative size": {"size": -1},
    "size beyond 64 bits": {"size": 2**63},
    "size as text": {"size": "1"},
    "size as a boolean": {"size": True},
    "size as a fraction": {"size": 1.5},
    "no digest": {"digest": ""},
    "short digest": {"digest": "sha256:abc"},
    "capital digest": {"digest": "sha256:" + "A" * 64},
    "digest with a path": {"digest": "sha256:../../etc/passwd"},
    "overlong digest": {"digest": "blake3:" + "a" * 200},
    "empty media type": {"mediaType": ""},
    "media type with a line break": {"mediaType": "application/x\r\nSet-Cookie: a"},
    "overlong media type": {"mediaType": "application/" + "x" * 255},
    "no media type": {"mediaType": None},
}


@pytest.mark.parametrize("change", BROKEN_DESCRIPTORS.values(), ids=BROKEN_DESCRIPTORS.keys())
@pytest.mark.parametrize("where", ["config", "layers", "subject", "manifests"])
def test_broken_descriptors_are_refused(change: dict[str, Any], where: str) -> None:
    broken = descriptor(b"x") | change
    documents = {
        "config": image(config=broken),
        "layers": image(descriptor(b"y"), broken),
        "subject": image(subject=broken),
        "manifests": index(broken),
    }
    with pytest.raises(ManifestInvalid):
        read(documents[where])


# --- JSON ----------------------------------------------------------------------------------

HOSTILE = {
    "nothing": b"",
    "null": b"null",
    "a list": b"[]",
    "a text": b'"manifest"',
    "two documents": b"{}{}",
    "NaN": b'{"a": NaN}',
    "Infinity": b'{"a": -Infinity}',
    "bad UTF-8": b'{"a": "\xff"}',
    "overlong UTF-8": b'{"a": "\xc0\xaf"}',
    "a byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": "{}".encode("utf-16"),
    "a lone surrogate": b'{"mediaType": "\\ud800"}',
    "a control character": b'{"a": "\x01"}',
    "a trailing comma": b'{"a": 1,}',
    "a comment": b"{/* */}",
    "single quotes": b"{'a': 1}",
    "a number of 10,000 digits": b'{"a": ' + b"9" * 10_000 + b"}",
    "a key twice, once escaped": b'{"a": 1, "\\u0061": 2}',
    "a key twice, deep inside": b'{"a": [{"b": {"c": 1, "c": 1}}]}',
    "an unfinished text": b'{"a": "',
    "brackets that do not pair": b'{"a": [}]',
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize("media_type", [OCI_MANIFEST, "application/vnd.example.unknown"])
def test_what_is_not_strict_json_is_refused_with_its_reason(
    content: bytes, media_type: str
) -> None:
    with pytest.raises(ManifestInvalid) as refused:
        parse(content, media_type, LIMITS)
    assert refused.value.facts["reason"]


BOMBS = {
    "open lists": b"[" * 4_000_000,
    "nested lists": b'{"a":' + b"[" * 2_000_000 + b"]" * 2_000_000 + b"}",
    "nested objects": b'{"a":' * 600_000 + b"1" + b"}" * 600_000,
    "many empty lists": b'{"a":[' + b"[]," * 1_300_000 + b"[]]}",
    "many numbers": b'{"a":[' + b"1," * 2_000_000 + b"1]}",
    "many texts": b'{"a":[' + b'"",' * 1_300_000 + b'""]}',
    "quotes only": b'"' * 4_000_000,
    "backslashes": b'{"a":"' + b"\\" * 4_000_001,
    "escaped quotes, unfinished": b'{"a":"' + b'\\"' * 2_000_000,
    "escaped quotes and half an escape": b'{"a":"' + b'\\"' * 2_000_000 + b"\\",
    "unfinished texts between brackets": b'{"a":' + b'{"' * 1_900_000,
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS.keys())
def test_json_bombs_are_refused_within_a_second(bomb: bytes) -> None:
    started = time.process_time()
    with pytest.raises(ManifestInvalid):
        parse(bomb, OCI_MANIFEST, LIMITS)
    assert time.process_time() - started < 1


def nested(levels: int) -> bytes:
    return b'{"a":' * (levels - 1) + b"{}" + b"}" * (levels - 1)


def test_depth_is_bounded_exactly() -> None:
    unknown = "application/vnd.example.unknown"
    limits = ManifestLimits(size=1 << 20, references=1000, depth=20, tags=1)
    assert parse(nested(20), unknown, limits).media_type == unknown
    with pytest.raises(ManifestInvalid, match="20 levels"):
        parse(nested(21), unknown, limits)


def test_brackets_in_texts_do_not_count_as_depth() -> None:
    document = image(annotations={"json": json.dumps([[[{"a": '"['}]]]) * 50})
    assert read(document).annotations == document["annotations"]


def test_size_and_descriptors_are_bounded() -> None:
    limits = ManifestLimits(size=10_000, references=16, depth=20, tags=1)
    content = encoded(image(*[descriptor(b"x")] * 15))
    assert len(parse(content, "", limits).blobs) == 16
    with pytest.raises(ManifestInvalid, match="16 descriptors"):
        parse(encoded(image(*[descriptor(b"x")] * 16)), "", limits)
    with pytest.raises(ManifestTooLarge):
        parse(content + b" " * 10_000, "", limits)


# --- Media types ---------------------------------------------------------------------------


def test_the_media_type_comes_from_header_or_manifest() -> None:
    document = image()
    assert read(document, "").media_type == OCI_MANIFEST
    assert read(document, f"{OCI_MANIFEST}; charset=utf-8").media_type == OCI_MANIFEST
    bare = {name: value for name, value in document.items() if name != "mediaType"}
    assert read(bare, DOCKER_MANIFEST).media_type == DOCKER_MANIFEST


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "application/json",
        "application/octet-stream",
        "text/html",
        "application/",
        "application/x y",
        "application/" + "x" * 255,
    ],
)
def test_without_a_type_of_its_own_the_header_must_tell(content_type: str) -> None:
    bare = {name: value for name, value in image().items() if name != "mediaType"}
    with pytest.raises(MediaTypeUnclear):
        read(bare, content_type)


def test_header_and_manifest_must_agree() -> None:
    with pytest.raises(MediaTypeUnclear, match="manifest says"):
        read(image(), DOCKER_MANIFEST)


@pytest.mark.parametrize(
    ("document", "content_type"),
    [
        ({"schemaVersion": 1, "fsLayers": []}, ""),
        ({}, "application/vnd.docker.distribution.manifest.v1+prettyjws"),
        ({"mediaType": "application/vnd.docker.distribution.manifest.v1+json"}, ""),
    ],
)
def test_schema_1_is_refused_with_the_way_out(document: object, content_type: str) -> None:
    with pytest.raises(Schema1Unsupported) as refused:
        read(document, content_type)
    assert "skopeo copy" in refused.value.entry.render_cure({})


AMBIGUOUS = {
    "an image with manifests": image() | {"manifests": []},
    "an index with layers": index() | {"layers": []},
    "an index with a config": index() | {"config": descriptor(b"{}")},
    "an artifact with layers": {"mediaType": OCI_ARTIFACT, "layers": []},
    "an image without config": {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "layers": []},
    "an image without layers": {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": descriptor(b"{}"),
    },
    "an index without manifests": {"schemaVersion": 2, "mediaType": OCI_INDEX},
    "another schema version": image() | {"schemaVersion": 3},
    "a truth as schema version": image() | {"schemaVersion": True},
    "no schema version": {k: v for k, v in image().items() if k != "schemaVersion"},
}


@pytest.mark.parametrize("document", AMBIGUOUS.values(), ids=AMBIGUOUS.keys())
def test_documents_that_could_be_two_things_are_refused(document: dict[str, Any]) -> None:
    with pytest.raises(ManifestInvalid):
        read(document)


def test_go_clients_write_empty_lists_as_null() -> None:
    assert read(index() | {"manifests": None}).children == ()
    assert len(read(image() | {"layers": None, "annotations": None}).blobs) == 1


def test_an_artifact_manifest_references_its_blobs() -> None:
    blob, subject = descriptor(b"sbom"), descriptor(b"image", OCI_MANIFEST)
    parsed = read(
        {
            "mediaType": OCI_ARTIFACT,
            "artifactType": "application/vnd.example.sbom",
            "blobs": [blob],
            "subject": subject,
        }
    )
    assert [one.digest for one in parsed.blobs] == [blob["digest"]]
    assert parsed.subject == subject["digest"]
    assert parsed.artifact_type == "application/vnd.example.sbom"


def test_unknown_types_are_read_as_far_as_they_look_familiar() -> None:
    unknown = "application/vnd.example.bundle.v3+json"
    familiar = read({"mediaType": unknown, "layers": [descriptor(b"x")]})
    assert [one.digest for one in familiar.blobs] == [descriptor(b"x")["digest"]]
    strange = read({"mediaType": unknown, "layers": "three", "config": 7, "annotations": [1]})
    assert strange == ParsedManifest(unknown)


# --- References ----------------------------------------------------------------------------


def test_every_missing_digest_is_named_once() -> None:
    here, missing, child = descriptor(b"a"), descriptor(b"b"), descriptor(b"c", OCI_MANIFEST)
    parsed = read(image(here, missing, missing, config=missing))
    with pytest.raises(ReferencesUnknown) as refused:
        resolve(parsed, {here["digest"]: 1}, {})
    assert [item["digest"] for item in refused.value.items] == [missing["digest"]]
    with pytest.raises(ReferencesUnknown) as refused:
        # A blob of the same digest does not make a manifest.
        resolve(read(index(child)), {child["digest"]: 1}, {})
    assert refused.value.items[0]["kind"] == "manifest"


@pytest.mark.parametrize("media_type", [NONDISTRIBUTABLE, FOREIGN])
def test_foreign_layers_need_not_be_here_but_count_if_they_are(media_type: str) -> None:
    foreign, config = descriptor(b"far", media_type, urls=["https://example.com/x"]), b"{}"
    parsed = read(image(foreign, config=descriptor(config)))
    blobs = {descriptor(config)["digest"]: 2}
    assert foreign["digest"] not in resolve(parsed, blobs, {})
    assert resolve(parsed, blobs | {foreign["digest"]: 3}, {})[foreign["digest"]] is Kind.BLOB


def test_an_index_may_list_plain_blobs_as_build_caches_do() -> None:
    layer = descriptor(b"cache", "application/vnd.oci.image.layer.v1.tar+gzip")
    parsed = read(index(layer))
    assert resolve(parsed, {layer["digest"]: 5}, {}) == {layer["digest"]: Kind.BLOB}
    assert resolve(parsed, {}, {layer["digest"]: 5}) == {layer["digest"]: Kind.MANIFEST}


def test_a_wrong_size_is_refused() -> None:
    layer = descriptor(b"four")
    parsed = read(image(layer, config=layer | {"size": 3}))
    with pytest.raises(ManifestInvalid, match="says 3 bytes"):
        resolve(parsed, {layer["digest"]: 4}, {})


def test_headers_are_what_clients_check() -> None:
    assert manifest_headers("sha256:00", OCI_INDEX, 7) == [
        (b"content-type", OCI_INDEX.encode()),
        (b"content-length", b"7"),
        (b"docker-content-digest", b"sha256:00"),
        (b"etag", b'"sha256:00"'),
        (b"docker-distribution-api-version", b"registry/2.0"),
    ]
