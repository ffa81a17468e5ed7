"""Refusals of uploads and blobs (WHF0130-0159; OCI distribution 1.1, Error Codes)."""

from typing import Final

from wharfinger_common.refusals import Entry

DIGEST_MISMATCH: Final = Entry(
    code="WHF0130",
    status=400,
    oci="DIGEST_INVALID",
    control="CRI0130E",
    message="The content has the digest {actual}, not {digest}",
    meaning=(
        "A blob is accepted only under the digest of exactly the bytes that arrived. "
        "The upload was discarded."
    ),
    causes=("The content was changed or cut on its way", "A digest computed over other content"),
    cure=("Compute the digest over the bytes that are sent and push the blob again.",),
)
UPLOAD_UNKNOWN: Final = Entry(
    code="WHF0131",
    status=404,
    oci="BLOB_UPLOAD_UNKNOWN",
    control="CRI0131E",
    message="There is no upload {upload} in {repository}",
    meaning=(
        "An upload session is known to the caller that opened it, in its repository, until it is "
        "finished, cancelled or expired."
    ),
    causes=(
        "The upload was finished or cancelled already",
        "Nothing was sent for longer than the operator keeps upload sessions",
        "The upload was opened by another caller or in another repository",
    ),
    cure=("Open a new upload (POST /v2/{repository}/blobs/uploads/) and push the blob again.",),
)
UPLOAD_BUSY: Final = Entry(
    code="WHF0132",
    status=409,
    oci="BLOB_UPLOAD_INVALID",
    control="CRI0132E",
    message="Another request is writing the upload {upload} now",
    meaning="One request at a time writes an upload; a request that died is waited for a moment.",
    causes=(
        "Two requests for one upload at once",
        "A connection that broke without the server having noticed",
    ),
    cure=(
        "Retry after the time that the Retry-After header names; GET on the upload tells how far "
        "it stands.",
    ),
)
UPLOAD_LOST: Final = Entry(
    code="WHF0133",
    status=409,
    oci="BLOB_UPLOAD_INVALID",
    control="CRI0133E",
    message="Another request has taken over or ended the upload {upload}",
    meaning="This request gave no sign of life for too long, so another one went on in its place.",
    causes=(
        "A very slow connection, and a second request for the same upload",
        "A crash of the database, which took the last half second of uploads with it",
    ),
    cure=("Ask for the upload's status with GET and go on from there, or open a new upload.",),
)
CHUNK_OUT_OF_ORDER: Final = Entry(
    code="WHF0134",
    status=416,
    oci="BLOB_UPLOAD_INVALID",
    control="CRI0134E",
    message="The chunk starts at byte {start}, but the upload stands at byte {size}",
    meaning="Chunks are taken in order, without gap or overlap; the Range header tells what stands.",
    causes=("A chunk that was sent twice or left out", "A resumed upload that lost its position"),
    cure=("Continue with the byte after the one that the Range header ends with.",),
)
CONTENT_RANGE_INVALID: Final = Entry(
    code="WHF0135",
    status=400,
    oci="BLOB_UPLOAD_INVALID",
    control="CRI0135E",
    message="The Content-Range '{value}' is not FIRST-LAST in bytes",
    meaning="A chunk's Content-Range is two decimal positions, both inclusive, such as 0-1023.",
    causes=("A client that writes 'bytes' or a total length into the header",),
    cure=("Send Content-Range: FIRST-LAST, or leave the header out and stream.",),
)
CHUNK_LENGTH: Final = Entry(
    code="WHF0136",
    status=400,
    oci="SIZE_INVALID",
    control="CRI0136E",
    message="The chunk has {received} bytes, but its Content-Range says {expected}",
    meaning="Content-Range and body must agree. Nothing of the chunk was kept.",
    causes=("A position that is off by one: both ends of the range are inclusive",),
    cure=("Send as many bytes as the Content-Range says.",),
)
BLOB_TOO_LARGE: Final = Entry(
    code="WHF0137",
    status=413,
    oci="SIZE_INVALID",
    control="CRI0137E",
    message="The blob is larger than the {limit} bytes that this service takes",
    meaning="The operator bounds the size of one blob.",
    causes=("A layer that holds much more than intended", "A limit too low for this use"),
    cure=("Split the layer, or ask the operator to raise the setting blob_bytes.",),
)
DIGEST_MISSING: Final = Entry(
    code="WHF0138",
    status=400,
    oci="DIGEST_INVALID",
    control="CRI0138E",
    message="The request that ends an upload needs the query parameter digest",
    meaning="An upload is finished by PUT with ?digest= and the digest of the whole blob.",
    causes=("A client that drops the query", "A PUT that was meant as a PATCH"),
    cure=("Repeat the PUT with ?digest=sha256:... appended to the upload's location.",),
)
ALGORITHM_UNSUPPORTED: Final = Entry(
    code="WHF0139",
    status=400,
    oci="DIGEST_INVALID",
    control="CRI0139E",
    message="The digest algorithm '{algorithm}' is not supported",
    meaning="Content is verified with sha256 or sha512; others cannot be verified here.",
    causes=("A client configured for another algorithm",),
    cure=("Use sha256 or sha512.",),
)
BLOB_UNKNOWN: Final = Entry(
    code="WHF0140",
    status=404,
    oci="BLOB_UNKNOWN",
    control="CRI0140E",
    message="There is no blob {digest} in {repository}",
    meaning="A blob is seen in the repositories it was pushed or mounted to, and in no other.",
    causes=("It was never pushed to this repository", "It was deleted from this repository"),
    cure=("Push the image that holds the blob again.",),
)
BLOB_REFERENCED: Final = Entry(
    code="WHF0141",
    status=409,
    oci="DENIED",
    control="CRI0141E",
    message="The blob {digest} is part of a manifest in {repository}",
    meaning="A blob that a manifest needs is kept for as long as the manifest exists.",
    causes=("A manifest of this repository references the blob as its config or a layer",),
    cure=("Delete the manifests that use the blob first; then it may be deleted.",),
)
RANGE_UNSATISFIABLE: Final = Entry(
    code="WHF0142",
    status=416,
    oci="UNSUPPORTED",
    control="CRI0142E",
    message="The requested range lies outside the {size} bytes of the blob",
    meaning="A Range must start within the blob, and not end before it starts.",
    causes=("A resumed download that was complete already", "A position from another blob"),
    cure=("Ask for a range within the size that the Content-Range header names.",),
)
BLOB_LOST: Final = Entry(
    code="WHF0143",
    status=503,
    oci="UNAVAILABLE",
    control="CRI0143E",
    message="The bytes of the blob {digest} cannot be read now",
    meaning="The blob is known, but the store does not hold its bytes as they were committed.",
    causes=("A blob store that was restored without its newest files", "A failing disk"),
    cure=("Push the image again, which stores the blob anew, or tell the operator.",),
)
BLOB_DAMAGED: Final = Entry(
    code="WHF0144",
    status=404,
    oci="BLOB_UNKNOWN",
    control="CRI0144E",
    message="The stored bytes of the blob {digest} in {repository} are damaged",
    meaning=(
        "A check found that the store does not hold what was pushed. Wrong bytes are never "
        "served, so the blob counts as missing until somebody pushes it again."
    ),
    causes=(
        "A failing disk, or files that were changed behind the service's back",
        "A blob store that was restored without its newest files",
    ),
    cure=("Push the image that holds the blob again: its bytes are stored anew and checked.",),
)
