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
