"""Refusals of namespaces (WHF03xx): their names, who owns them, and their deletion."""

from typing import Final

from wharfinger_common.refusals import Entry

_RULE: Final = (
    "A namespace name has 4 to 30 lowercase letters, digits, _ or -, begins and ends with a letter "
    "or digit, and is unique in its region."
)

NAME_TOO_SHORT: Final = Entry(
    code="WHF0301",
    status=400,
    oci="NAME_INVALID",
    control="CRN0007E",
    message="The namespace name '{name}' is too short: it needs {minimum} characters or more",
    meaning=_RULE,
    causes=("An abbreviation of less than 4 characters", "An empty variable in a script"),
    cure=("Choose a name of {minimum} to {maximum} characters.",),
)
NAME_TOO_LONG: Final = Entry(
    code="WHF0302",
    status=400,
    oci="NAME_INVALID",
    control="CRN0007E",
    message="The namespace name '{name}' is too long: it may have {maximum} characters at most",
    meaning=_RULE,
    causes=("A name of more than 30 characters", "A whole image name instead of its first part"),
    cure=("Choose a name of {minimum} to {maximum} characters.",),
)
NAME_FIRST_CHARACTER: Final = Entry(
    code="WHF0303",
    status=400,
    oci="NAME_INVALID",
    control="CRN0007E",
    message="The namespace name '{name}' does not begin with a letter or a digit",
    meaning=_RULE,
    causes=("A name that begins with _ or -",),
    cure=("Choose a name whose first character is a lowercase letter or a digit.",),
)
NAME_CHARACTERS: Final = Entry(
    code="WHF0304",
    status=400,
    oci="NAME_INVALID",
    control="CRN0007E",
    message="The namespace name '{name}' holds {character}, which is not allowed",
    meaning=_RULE,
    causes=("Capital letters", "A dot, a slash or a space", "Letters beyond a to z"),
    cure=("Use only lowercase letters a to z, digits, _ and, where the service allows it, -.",),
)
NAME_HYPHEN: Final = Entry(
    code="WHF0305",
    status=400,
    oci="NAME_INVALID",
    control="CRN0007E",
    message="The namespace name '{name}' holds a hyphen, which this service does not allow",
    meaning="The operator switched hyphens in namespace names off (setting namespace_hyphens).",
    causes=("A name that another service accepts",),
    cure=("Use _ instead of -, or ask the operator to set namespace_hyphens.",),
)
NAME_NOT_A_REFERENCE: Final = Entry(
    code="WHF0306",
    status=400,
    oci="NAME_INVALID",
    control="CRN0007E",
    message="The namespace name '{name}' could not be used in image names: {reason}",
    meaning=(
        "The name fits the rule for namespaces, but not the grammar for image names (OCI "
        "distribution 1.1), so docker and other clients would refuse each image in it."
    ),
    causes=("A name that ends with _ or -", "Three or more _ in a row", "_ and - side by side"),
    cure=("Put letters or digits at the end and around each _, __ or run of hyphens.",),
)
NAME_RESERVED: Final = Entry(
    code="WHF0307",
    status=403,
    oci="DENIED",
    control="CRN0008E",
    message="The namespace name '{name}' is reserved",
    meaning="The service or common clients use this name for something else.",
    causes=("A name that is part of the service's own addresses",),
    cure=("Choose another name.",),
)
IN_USE: Final = Entry(
    code="WHF0308",
    status=409,
    oci="DENIED",
    control="CRN0308E",
    message="The namespace '{namespace}' is already in use.",
    meaning="Namespace names are unique in a region; another account has this one.",
    causes=("Another account added the name earlier",),
    cure=("Choose another name.",),
)
STILL_EMPTYING: Final = Entry(
    code="WHF0309",
    status=409,
    oci="DENIED",
    control="CRN0309E",
    message=(
        "The namespace '{namespace}' was deleted and is still being emptied; "
        "things left to remove: {remaining}"
    ),
    meaning="A deleted namespace keeps its name until everything in it is gone.",
    causes=("The namespace was deleted moments ago", "It held very many images"),
    cure=("Wait until it is empty and add it again, or choose another name.",),
)
LIMIT_REACHED: Final = Entry(
    code="WHF0310",
    status=409,
    oci="DENIED",
    control="CRN0310E",
    message="The account already has {limit} namespaces in this region, which is all it may have",
    meaning="The number of namespaces of an account in a region is bounded.",
    causes=("Namespaces that nobody uses any more", "Deleted ones that are still being emptied"),
    cure=("Remove a namespace, or ask the operator to raise namespaces_per_account.",),
)
UNKNOWN: Final = Entry(
    code="WHF0311",
    status=404,
    oci="NAME_UNKNOWN",
    control="CRN0311E",
    message=(
        "The namespace '{namespace}' does not exist; add it with "
        "'ibmcloud cr namespace-add {namespace}' or 'wharf cr namespace-add {namespace}'"
    ),
    meaning="Images live in namespaces, and a push does not create one by itself.",
    causes=("The namespace was never added", "It was deleted", "A mistyped image name"),
    cure=(
        "Run 'ibmcloud cr namespace-add {namespace}' or 'wharf cr namespace-add {namespace}', or "
        "call PUT /api/v1/namespaces/{namespace}; then push again.",
    ),
)
RESOURCE_GROUP_SET: Final = Entry(
    code="WHF0312",
    status=409,
    oci="DENIED",
    control="CRN0312E",
    message="The namespace '{namespace}' is already in a resource group",
    meaning="A namespace is assigned to a resource group once and never moved.",
    causes=("It was assigned when it was added, or later",),
    cure=("List the groups with GET /api/v1/namespaces/details; keep the one that is set.",),
)
RESOURCE_GROUP_INVALID: Final = Entry(
    code="WHF0313",
    status=400,
    oci="UNSUPPORTED",
    control="CRN0313E",
    message="The header X-Auth-Resource-Group is missing or holds no valid resource group",
    meaning="A resource group is named by 1 to 64 letters, digits, _ - or dots.",
    causes=("The header was left out", "A group name with other characters"),
    cure=("Send X-Auth-Resource-Group with the id of the resource group.",),
)
