"""Refusals of the explanations of refusals (WHF07xx)."""

from typing import Final

from wharfinger_common.refusals import Entry

EXPLANATION_UNKNOWN: Final = Entry(
    code="WHF0701",
    status=404,
    oci="NAME_UNKNOWN",
    control="CRG0701E",
    iam="BXNIM0701E",
    message="Nothing that you may see is known of a refused request {request}",
    meaning=(
        "Refusals of presented credentials are kept for some days. Who made the request may ask "
        "why, and so may the Managers of the account that owns what it was about."
    ),
    causes=(
        "A mistyped request id",
        "The request was not refused, or carried no credentials",
        "The refusal is too old, or many newer ones of the account have replaced it",
        "The request was made by somebody else, about a thing of another account",
    ),
    cure=(
        "Take the X-Request-Id of the refused answer, or request_id of its detail, and ask with "
        "the same credential in the same account.",
    ),
)
