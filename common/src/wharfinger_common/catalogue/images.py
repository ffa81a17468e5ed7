"""Refusals of images (WHF05xx): their names, lists, deletion, trash and retention."""

from typing import Final

from wharfinger_common.refusals import Entry

IMAGE_NAME_INVALID: Final = Entry(
    code="WHF0501",
    status=400,
    oci="NAME_INVALID",
    control="CRI0501E",
    message="'{image}' is not the name of an image: {reason}",
    meaning=(
        "An image is named by [HOST/]NAMESPACE/REPOSITORY and :TAG or @DIGEST; some calls need one "
        "of the two."
    ),
    causes=("A namespace without a repository", "A call that needs a tag or a digest"),
    cure=("Name the image as lists show it.",),
)
HOST_FOREIGN: Final = Entry(
    code="WHF0502",
    status=400,
    oci="NAME_INVALID",
    control="CRI0502E",
    message="The image '{image}' is of the host '{host}', which is not served here; this is {own}",
    meaning="A call is about images of the region that it is sent to.",
    causes=("An image of another registry or region", "A client that targets another region"),
    cure=("Send the call to the region of the image, or leave the host out of its name.",),
)
IMAGE_UNKNOWN: Final = Entry(
    code="WHF0503",
    status=404,
    oci="MANIFEST_UNKNOWN",
    control="CRI0503E",
    message="There is no image '{image}'",
    meaning="The namespace is yours, but nothing in it has this name.",
    causes=("It was deleted", "A mistyped repository, tag or digest", "A tag that moved"),
    cure=("List the images of the namespace, and the trash.",),
)
NOT_AN_IMAGE: Final = Entry(
    code="WHF0504",
    status=415,
    oci="UNSUPPORTED",
    control="CRI0504E",
    message="'{image}' is no image for one platform that could be inspected; its type is {type}",
    meaning=(
        "An inspection shows the configuration of one image. A list of images for several "
        "platforms and other artifacts have none."
    ),
    causes=(
        "The tag leads to a manifest list or an image index",
        "A chart, signature or other artifact",
    ),
    cure=("Inspect one of the images that it lists by digest; GET the manifest to see them.",),
)
CHILD_MISSING: Final = Entry(
    code="WHF0505",
    status=400,
    oci="MANIFEST_BLOB_UNKNOWN",
    control="CRI0304E",
    message="'{image}' cannot be tagged in another repository: something that it is made of is missing",
    meaning="A tag in another repository copies the image there, with all that it references.",
    causes=("An image that it lists, or a layer, was removed meanwhile",),
    cure=("Push the image again, then tag it.",),
)
NOT_IN_TRASH: Final = Entry(
    code="WHF0510",
    status=404,
    oci="MANIFEST_UNKNOWN",
    control="CRT0510E",
    message="The trash holds no image '{image}'",
    meaning="Deleted images stay in the trash for some days, as long as there is room for them.",
    causes=(
        "It was deleted too long ago",
        "Images deleted later needed the room",
        "It was restored, or never deleted",
    ),
    cure=("List the trash to see what can be restored; else push the image again.",),
)
TAG_LIVE: Final = Entry(
    code="WHF0511",
    status=409,
    oci="DENIED",
    control="CRT0500E",
    message="The tagged image already exists. You can restore this image by using the digest.",
    meaning="Restoring a tag would take it away from the image that has it by now.",
    causes=("Another image was pushed with this tag since",),
    cure=("List the trash, and restore the image by its digest.",),
)
PART_GONE: Final = Entry(
    code="WHF0512",
    status=409,
    oci="MANIFEST_BLOB_UNKNOWN",
    control="CRT0512E",
    message="The image {image} cannot be restored: it lists {part}, which is gone",
    meaning="A list of images is restored only whole, with every image in it.",
    causes=("An image that it lists was deleted and has left the trash",),
    cure=("Push the image again.",),
)
PRIVATE_ONLY: Final = Entry(
    code="WHF0520",
    status=403,
    oci="DENIED",
    control="CRG0520E",
    message="The account that owns '{namespace}' allows pushes and pulls from private networks only",
    meaning=(
        "A Manager of the account has restricted it (private_only), and the request came from "
        "none of the networks that the operator calls private in this region."
    ),
    causes=(
        "A client outside the private networks",
        "A proxy in between that the service does not trust, or that hides the client's address",
    ),
    cure=(
        "Connect from a private network, or let a Manager switch private_only off; the operator "
        "sets private_networks of the region.",
    ),
)
POLICIES_ALWAYS_HOLD: Final = Entry(
    code="WHF0521",
    status=400,
    oci="UNSUPPORTED",
    control="CRG0521E",
    message="Access policies cannot be switched off: iam_authz is always true",
    meaning=(
        "Registries of before 2019 could let everybody of an account do everything. Here access "
        "policies alone decide, so that what is granted can be seen and taken back."
    ),
    causes=("PATCH /api/v1/auth with iam_authz false", "A script from before access policies"),
    cure=(
        "Leave iam_authz out, or send true; to let somebody do more, give them a policy: the role "
        "Manager for everything.",
    ),
)
