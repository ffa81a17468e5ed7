"""What successful answers of the registry tell besides (WHF10xx; `Warning` headers)."""

from typing import Final

from wharfinger_common.refusals import Entry

CREDENTIAL_ENDS_SOON: Final = Entry(
    code="WHF1001",
    status=0,
    message="The credential behind this sign-in ends in {minutes} minutes",
    meaning="The registry token or API key that was used to sign in has an end, which is near.",
    causes=("A registry token of 24 hours that was made yesterday",),
    cure=("Make a new registry token or API key, and sign in with it.",),
)
MANIFEST_TYPE_DEPRECATED: Final = Entry(
    code="WHF1002",
    status=0,
    message="Manifests of the type {type} are deprecated; newer clients and registries refuse them",
    meaning=(
        "The OCI artifact manifest did not become part of the specification; artifacts are image "
        "manifests with an artifactType."
    ),
    causes=("A client of the time when the specification was a release candidate",),
    cure=("Push the artifact with a current client, such as oras 1.1 or later.",),
)
STORAGE_NEARLY_USED: Final = Entry(
    code="WHF1003",
    status=0,
    message="{percent} % of the storage quota is used; once it is reached, pushes are refused",
    meaning="The account that owns the namespace stores more than 80 % of what it may here.",
    causes=("Images that nobody needs any more", "A quota too small for what is pushed"),
    cure=("Delete images, or raise the quota or the plan, before it is reached.",),
)
TRAFFIC_NEARLY_USED: Final = Entry(
    code="WHF1004",
    status=0,
    message=(
        "{percent} % of this month's pull traffic quota is used; once it is reached, pulls are "
        "refused"
    ),
    meaning=(
        "More than 80 % was downloaded of what may be in this calendar month from the account that "
        "owns the namespace."
    ),
    causes=("Machines that pull again what they could keep", "A quota too small for the pulls"),
    cure=("Raise the quota or the plan before it is reached, or keep pulled images.",),
)
