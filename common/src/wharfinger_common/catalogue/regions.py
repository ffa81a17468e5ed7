"""Refusals of regions (WHF06xx): which one a request's host calls, and who owns what there."""

from typing import Final

from wharfinger_common.refusals import Entry

HOST_MISDIRECTED: Final = Entry(
    code="WHF0601",
    status=421,
    oci="UNSUPPORTED",
    control="CRG0601E",
    iam="BXNIM0601E",
    message="The host '{host}' belongs to no region of this service",
    meaning=(
        "The service has several regions, each with hosts of its own, and the host that a request "
        "calls decides which one it is for."
    ),
    causes=(
        "An address instead of a host name",
        "A name that leads here and that no region has in its settings",
        "A proxy that does not pass the Host header on",
    ),
    cure=(
        "Call one of the hosts that GET /api/v1/regions lists, or ask the operator to add the "
        "host to its region in the setting regions.",
    ),
)
REGION_READ_ONLY: Final = Entry(
    code="WHF0602",
    status=403,
    oci="DENIED",
    control="CRN0602E",
    iam="BXNIM0603E",
    message="The region '{region}' holds public images; only operators add namespaces there",
    meaning="Everybody may pull from this region; what is in it belongs to the service's operator.",
    causes=("A client that targets the region of public images",),
    cure=("Target another region, and add the namespace there.",),
)
