"""Refusals of the registry (WHF01xx; OCI distribution 1.1, Error Codes)."""

from typing import Final

from wharfinger_common.refusals import Entry

DIGEST_INVALID: Final = Entry(
    code="WHF0101",
    status=400,
    oci="DIGEST_INVALID",
    control="CRI0101E",
    message="'{digest}' is not a valid digest",
    meaning="A digest is sha256: with 64, or sha512: with 128 lowercase hexadecimal digits.",
    causes=("A mistyped or shortened digest", "An algorithm that the service does not verify"),
    cure=("Give the whole digest, with sha256 or sha512.",),
)
NAME_INVALID: Final = Entry(
    code="WHF0102",
    status=400,
    oci="NAME_INVALID",
    control="CRI0102E",
    message="'{name}' is not a valid repository name",
    meaning="A repository is NAMESPACE/NAME: lowercase letters, digits, and single . _ - or __ between them; 255 characters at most.",
    causes=("Capital letters or other characters", "No namespace in front of the name"),
    cure=("Use NAMESPACE/NAME in lowercase.",),
)
TAG_INVALID: Final = Entry(
    code="WHF0103",
    status=400,
    oci="TAG_INVALID",
    control="CRI0103E",
    message="'{tag}' is not a valid tag",
    meaning="A tag has 1 to 128 letters, digits, _ . or -, and starts with a letter, digit or _.",
    causes=("A character that tags may not have", "A tag of more than 128 characters"),
    cure=("Choose another tag.",),
)
MANIFEST_INVALID: Final = Entry(
    code="WHF0104",
    status=400,
    oci="MANIFEST_INVALID",
    control="CRI0104E",
    message="The manifest is not valid: {reason}",
    meaning=(
        "A manifest is one JSON object in UTF-8, without duplicate keys, that follows the specification "
        "of its media type; its descriptors name existing content with its true size."
    ),
    causes=(
        "A client that builds manifests of another form",
        "A manifest that was changed by hand or cut on its way",
        "A descriptor whose size is not that of the content",
    ),
    cure=("Build the manifest again with a current client and push it.",),
)
MANIFEST_TOO_LARGE: Final = Entry(
    code="WHF0105",
    status=413,
    oci="MANIFEST_INVALID",
    control="CRI0105E",
    message="The manifest has more than the {limit} bytes that are allowed",
    meaning="The operator limits the size of a manifest (setting manifest_bytes).",
    causes=("Large annotations", "An index of very many manifests", "A blob pushed as a manifest"),
    cure=("Move large annotations into a layer, or ask the operator to raise manifest_bytes.",),
)
MANIFEST_SCHEMA1: Final = Entry(
    code="WHF0106",
    status=400,
    oci="MANIFEST_INVALID",
    control="CRI0106E",
    message="Image manifest version 2, schema 1 is not supported",
    meaning="Schema 1 cannot be addressed by the content of what it describes and was given up by all clients.",
    causes=(
        "An image that was last pushed by a Docker client older than 1.10",
        "A very old client",
    ),
    cure=(
        "Convert the image: pull it with a current client and push it again, or run "
        "'skopeo copy --format v2s2 docker://SOURCE docker://TARGET'.",
    ),
)
MANIFEST_MEDIA_TYPE: Final = Entry(
    code="WHF0107",
    status=400,
    oci="MANIFEST_INVALID",
    control="CRI0107E",
    message="The media type of the manifest is not clear: {reason}",
    meaning=(
        "The Content-Type header and the manifest's own mediaType must say the same, at least one of "
        "them must be there, and the manifest may have been stored under no other type before."
    ),
    causes=(
        "A tool that sends no Content-Type, or a general one such as application/json",
        "A manifest converted between Docker and OCI without its mediaType",
    ),
    cure=("Send the manifest's own media type in the Content-Type header.",),
)
MANIFEST_BLOB_UNKNOWN: Final = Entry(
    code="WHF0108",
    status=404,
    oci="MANIFEST_BLOB_UNKNOWN",
    control="CRI0108E",
    message="The manifest references the {kind} {digest}, which the repository does not have",
    meaning="A manifest becomes visible only once all that it references is in the same repository.",
    causes=(
        "The blob or manifest was not pushed, or to another repository only",
        "It was deleted with the last manifest that held it while this push was under way",
    ),
    cure=("Push what is missing, then the manifest; a new push of the image does both.",),
)
MANIFEST_UNKNOWN: Final = Entry(
    code="WHF0109",
    status=404,
    oci="MANIFEST_UNKNOWN",
    control="CRI0109E",
    message="The repository {name} has no manifest {reference}",
    meaning="No tag of that name, or no manifest of that digest, is in the repository.",
    causes=(
        "A mistyped tag or digest",
        "The tag or manifest was deleted",
        "It was never pushed here",
    ),
    cure=("List the tags of the repository and choose one of them, or push the image.",),
)
NAME_UNKNOWN: Final = Entry(
    code="WHF0110",
    status=404,
    oci="NAME_UNKNOWN",
    control="CRI0110E",
    message="There is no repository {name}",
    meaning="A repository comes into being with the first push to it.",
    causes=("A mistyped name", "Nothing was pushed to it yet", "Its namespace was deleted"),
    cure=("Check the name, or push an image to it.",),
)
MANIFEST_DIGEST_MISMATCH: Final = Entry(
    code="WHF0111",
    status=400,
    oci="DIGEST_INVALID",
    control="CRI0111E",
    message="The manifest's digest is {actual}, not {digest}",
    meaning="A manifest pushed by digest must be, byte for byte, what the digest was computed of.",
    causes=(
        "The manifest was formatted or changed after its digest was computed",
        "A damaged transfer",
    ),
    cure=("Push the bytes that the digest was computed of, or push by tag.",),
)
MANIFEST_REFERENCED: Final = Entry(
    code="WHF0112",
    status=409,
    oci="DENIED",
    control="CRI0112E",
    message="The manifest {digest} is part of {parent} and cannot be deleted before it",
    meaning="What a stored image index lists stays, so that the index can be pulled as a whole.",
    causes=("The manifest is one platform of a multi-platform image",),
    cure=("Delete {parent} first, then this manifest.",),
)
TAGS_TOO_MANY: Final = Entry(
    code="WHF0113",
    status=414,
    oci="UNSUPPORTED",
    control="CRI0113E",
    message="The request names {count} tags; {limit} are allowed",
    meaning="The operator limits the tag parameters of one push (setting request_tags).",
    causes=("A build that pushes very many tags at once",),
    cure=("Push again with at most {limit} tags in each request.",),
)
PAGE_INVALID: Final = Entry(
    code="WHF0114",
    status=400,
    oci="PAGINATION_NUMBER_INVALID",
    control="CRI0114E",
    message="The parameter {parameter} has a value that is not allowed: '{value}'",
    meaning="In a list, n is a whole number of entries, 0 or more, and last an entry as the list gives it.",
    causes=(
        "A number that is negative or no number",
        "A Link that was not followed as it was given",
    ),
    cure=("Correct the parameter {parameter}, or leave it out.",),
)
MANIFEST_DAMAGED: Final = Entry(
    code="WHF0115",
    status=404,
    oci="MANIFEST_UNKNOWN",
    control="CRI0115E",
    message="The stored manifest {digest} in {name} is damaged",
    meaning=(
        "A check found that what is stored is not what was pushed. Wrong bytes are never served, "
        "so the manifest counts as missing until somebody pushes it again."
    ),
    causes=("A failing disk, or a database that was changed behind the service's back",),
    cure=("Push the image again: its manifest is stored anew and checked.",),
)
