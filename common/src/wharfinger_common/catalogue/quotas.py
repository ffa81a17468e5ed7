"""Refusals of quotas and plans (WHF04xx). The two exceeded ones are worded as users know them."""

from typing import Final

from wharfinger_common.refusals import Entry

STORAGE_EXCEEDED: Final = Entry(
    code="WHF0401",
    status=403,
    oci="DENIED",
    control="CRQ0401E",
    message=(
        "You have exceeded your storage quota. Delete one or more images, or review your storage "
        "quota and pricing plan"
    ),
    meaning=(
        "The account that owns the namespace stores as much in this region as its quota allows, "
        "so nothing may be added. A layer counts once, however many images use it."
    ),
    causes=(
        "The plan's storage is used up",
        "An own limit below the plan's was set with quota-set",
        "Pushes under way have reserved what is left",
        "Deleted images leave the account when nothing else uses their layers",
    ),
    cure=(
        "Delete images that are not needed, raise the account's own limit "
        "('ibmcloud cr quota-set --storage' or PATCH /api/v1/quotas), or change to a larger plan "
        "('ibmcloud cr plan-upgrade' or PATCH /api/v1/plans); then push again.",
    ),
)
TRAFFIC_EXCEEDED: Final = Entry(
    code="WHF0402",
    status=403,
    oci="DENIED",
    control="CRQ0402E",
    message=(
        "You have exceeded your pull traffic quota for the current month. Review your pull traffic "
        "quota and pricing plan"
    ),
    meaning=(
        "What was downloaded in this calendar month (UTC) from the account that owns the namespace "
        "has reached its quota in this region. Every download of a layer counts, whoever made it."
    ),
    causes=(
        "The plan's traffic is used up",
        "An own limit below the plan's was set with quota-set",
        "Machines that pull again what they could keep",
    ),
    cure=(
        "Raise the account's own limit ('ibmcloud cr quota-set --traffic' or PATCH "
        "/api/v1/quotas), change to a larger plan ('ibmcloud cr plan-upgrade' or PATCH "
        "/api/v1/plans), or wait for the next month; then pull again.",
    ),
)
PLAN_UNKNOWN: Final = Entry(
    code="WHF0403",
    status=400,
    control="CRQ0403E",
    iam="BXNIM0403E",
    message="There is no plan '{plan}'; there are {plans}",
    meaning="Plans are those built in and those in the operator's setting plans.",
    causes=("A mistyped name", "A plan of another service"),
    cure=("Name one of {plans}.",),
)
PLAN_LOWER: Final = Entry(
    code="WHF0404",
    status=409,
    control="CRQ0404E",
    message="The plan {wanted} allows less than the plan {present}, and plans are only upgraded",
    meaning="An account changes to a plan that allows as much or more; back, an operator sets it.",
    causes=("A change back to a smaller plan",),
    cure=(
        "Keep the plan and set own limits (PATCH /api/v1/quotas), or ask the operator, who runs "
        "'wharfd account set-plan'.",
    ),
)
QUOTA_OVER_PLAN: Final = Entry(
    code="WHF0405",
    status=400,
    control="CRQ0405E",
    message="The {kind} quota cannot be more than the plan allows, which is {limit} MB",
    meaning="An account's own limits are at or below those of its plan.",
    causes=("A limit above the plan's", "-1 (unlimited) on a plan that is limited"),
    cure=("Set a limit of {limit} MB or less, or change to a larger plan first.",),
)
