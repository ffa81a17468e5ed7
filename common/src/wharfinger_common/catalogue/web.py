"""Refusals of the web surface itself, before any room is asked (WHF00xx)."""

from typing import Final

from wharfinger_common.refusals import Entry

INTERNAL: Final = Entry(
    code="WHF0001",
    status=500,
    oci="UNKNOWN",
    control="CRG0001E",
    iam="BXNIM0001E",
    message="The service failed to answer this request",
    meaning="A defect or a failed part of the service ended the request. Nothing was changed.",
    causes=("A part the service depends on failed", "A defect in the service"),
    cure=("Retry; if it stays, give the request id to the operator.",),
)
DRAINING: Final = Entry(
    code="WHF0002",
    status=503,
    oci="UNAVAILABLE",
    control="CRG0002E",
    iam="BXNIM0002E",
    message="The service is stopping and takes no new transfers",
    meaning="The operator stops or restarts this server; transfers under way are finished first.",
    causes=("The server received a request to stop",),
    cure=("Retry after the time that the Retry-After header names.",),
)
ROUTE_UNKNOWN: Final = Entry(
    code="WHF0003",
    status=404,
    oci="NAME_UNKNOWN",
    control="CRG0003E",
    iam="BXNIM0003E",
    message="Nothing is served at this path",
    meaning="The path belongs to none of the interfaces of the service.",
    causes=("A mistyped address", "A client for another interface version"),
    cure=("Check the address against the reference at /api/v1/openapi.json and the OCI paths.",),
)
METHOD_UNKNOWN: Final = Entry(
    code="WHF0004",
    status=405,
    oci="UNSUPPORTED",
    control="CRG0004E",
    iam="BXNIM0004E",
    message="The method {method} is not offered at this path",
    meaning="The path exists, but not with this method.",
    causes=("A client for another interface version",),
    cure=("Use one of the methods that the Allow header names.",),
)
PATH_INVALID: Final = Entry(
    code="WHF0005",
    status=400,
    oci="NAME_INVALID",
    control="CRG0005E",
    iam="BXNIM0005E",
    message="The request path is malformed: {reason}",
    meaning="A path is taken as it was sent; encoded slashes, control characters and dot segments are refused.",
    causes=("A client that encodes slashes", "A path built from unchecked input"),
    cure=("Send the plain path, with slashes unencoded.",),
)
BODY_TOO_LARGE: Final = Entry(
    code="WHF0006",
    status=413,
    oci="SIZE_INVALID",
    control="CRG0006E",
    iam="BXNIM0006E",
    message="The request body is larger than the {limit} bytes allowed here",
    meaning="Each kind of body has a limit that the operator sets.",
    causes=("A body of the wrong kind", "A limit that is too low for this use"),
    cure=("Send less, or ask the operator to raise the setting {setting}.",),
)
BODY_INVALID: Final = Entry(
    code="WHF0007",
    status=400,
    oci="UNSUPPORTED",
    control="CRG0007E",
    iam="BXNIM0109E",
    message="The request is malformed: {reason}",
    meaning="A body, query or header does not have the form that this call takes.",
    causes=("A missing or misspelt field", "A value outside its range"),
    cure=("Correct what the message names; the interface reference shows the form.",),
)
BODY_INCOMPLETE: Final = Entry(
    code="WHF0008",
    status=400,
    oci="SIZE_INVALID",
    control="CRG0008E",
    iam="BXNIM0008E",
    message="The request body ended before it was complete",
    meaning="The connection ended, or brought fewer bytes than announced. Nothing was committed.",
    causes=("A broken connection", "A wrong Content-Length"),
    cure=("Send the request again; uploads resume where their status says.",),
)
TOO_SLOW: Final = Entry(
    code="WHF0009",
    status=408,
    oci="UNKNOWN",
    control="CRG0009T",
    iam="BXNIM0009E",
    message="The request body stood still for more than {seconds} seconds",
    meaning="A body that does not move is given up so that it holds nothing.",
    causes=("A broken or very slow connection",),
    cure=("Send the request again; uploads resume where their status says.",),
)
NOT_READY: Final = Entry(
    code="WHF0010",
    status=503,
    oci="UNAVAILABLE",
    control="CRG0010E",
    iam="BXNIM0010E",
    message="A part of the service is not available: {part}",
    meaning="The database or the blob store does not answer. Nothing was changed.",
    causes=("The disk is full or gone", "The database is stopped or busy"),
    cure=("Retry after the time that the Retry-After header names; /health/ready names the part.",),
)
STORAGE_FULL: Final = Entry(
    code="WHF0011",
    status=507,
    oci="UNAVAILABLE",
    control="CRG0011E",
    iam="BXNIM0011E",
    message="The service has no room left to store this",
    meaning="The disk under the blob store or the database is full. Nothing was committed.",
    causes=("The operator's disk is full",),
    cure=("Ask the operator to free or add space, then push again.",),
)
BUSY: Final = Entry(
    code="WHF0012",
    status=503,
    oci="UNAVAILABLE",
    control="CRG0012E",
    iam="BXNIM0012E",
    message="The service has more requests under way than it takes at once",
    meaning="A flood of requests is answered with quick refusals rather than slow answers.",
    causes=("Very many clients at once", "A slow disk or database behind the service"),
    cure=("Retry after the time that the Retry-After header names.",),
)
HOST_UNKNOWN: Final = Entry(
    code="WHF0013",
    status=400,
    oci="UNSUPPORTED",
    control="CRG0013E",
    iam="BXNIM0013E",
    message="The Host header is missing or malformed",
    meaning="Challenges and locations name the host that the client called, so it must be known.",
    causes=("A hand-written client without a Host header",),
    cure=("Send exactly one Host header with the name and port that you call.",),
)
AUTHENTICATION_REQUIRED: Final = Entry(
    code="WHF0014",
    status=401,
    oci="UNAUTHORIZED",
    control="CRG0014E",
    iam="BXNIM0014E",
    message="authentication required",
    meaning="The call needs a bearer token, and came without one or with one that no longer counts.",
    causes=(
        "Not signed in",
        "The token has expired",
        "The credential behind it was revoked",
        "The token lacks the scope that the call needs",
        "A token of another kind: the registry takes those of /oauth/token, the control API those of /identity/token",
    ),
    cure=(
        "Sign in: docker login for the registry, ibmcloud login for the command line.",
        "Signed in already: ask for a token of the kind and with the scope that the WWW-Authenticate header names.",
    ),
)
ACCESS_DENIED: Final = Entry(
    code="WHF0015",
    status=403,
    oci="DENIED",
    control="CRG0020E",
    iam="BXNIM0015E",
    message="requested access to the resource is denied",
    meaning="The caller is known, and no access policy lets it do this with this repository.",
    causes=(
        "The namespace belongs to another account",
        "The role is Reader where Writer is needed",
        "The API key or token is for another account",
        "A registry token that only reads",
    ),
    cure=(
        "Ask a Manager of the account that owns the namespace for a role on it.",
        "With a registry token: make one that may write ('ibmcloud cr token-add --readwrite' or "
        "POST /api/v1/tokens?write=true).",
    ),
)
ACCOUNT_MISSING: Final = Entry(
    code="WHF0016",
    status=400,
    oci="UNSUPPORTED",
    control="CRG0016E",
    iam="BXNIM0109E",
    message="The Account header is missing",
    meaning="A control call acts in one account, which its Account header names.",
    causes=("A client that does not send the header",),
    cure=("Send the header 'Account: ID' with the id of your account.",),
)
NOT_SHOWN: Final = Entry(
    code="WHF0017",
    status=404,
    oci="NAME_UNKNOWN",
    control="CRG0017E",
    iam="BXNIM0017E",
    message="repository name not known to registry",
    meaning="There is nothing of this name that the caller may see. A HEAD carries no text, so a GET or POST to the same repository tells the cause.",
    causes=("The repository does not exist", "No access policy shows it to the caller"),
    cure=("Ask a Manager of the account that owns the namespace for a role on it.",),
)
FIGURES_NOT_SHOWN: Final = Entry(
    code="WHF0020",
    status=403,
    oci="DENIED",
    control="CRG0040E",
    iam="BXNIM0020E",
    message="The service's figures are not shown to this caller",
    meaning="Metrics are for who operates the service: for the networks that metrics_networks names, or for who has the token in metrics_token_file.",
    causes=(
        "The caller is in none of the networks",
        "The bearer token is missing or wrong",
        "A proxy stands between, which trusted_proxies does not name",
    ),
    cure=(
        "Operators: set metrics_token_file and give the token to the scraper, or add its network to metrics_networks.",
    ),
)
SCHEMA_DIFFERS: Final = Entry(
    code="WHF0021",
    status=503,
    oci="UNAVAILABLE",
    control="CRG0041E",
    iam="BXNIM0021E",
    message="The database has the schema {found}, and this version needs {wanted}",
    meaning="Another version of the service has migrated the database, or a backup of one took its place.",
    causes=(
        "A node of another version runs on the same database",
        "A backup of another version was put back while the service ran",
    ),
    cure=("Restart this node with the newest version: a start migrates the database.",),
)
PART_SILENT: Final = Entry(
    code="WHF0022",
    status=503,
    oci="UNAVAILABLE",
    control="CRG0042E",
    iam="BXNIM0022E",
    message="The part {part} has not answered within {seconds} seconds",
    meaning="The database or the blob store hangs, or is slower than health_seconds allows.",
    causes=("A disk or network that hangs", "A database that is overloaded or locked"),
    cure=("Look at the part itself; the figures on /metrics show since when it is slow.",),
)
PLUGIN_NOT_OFFERED: Final = Entry(
    code="WHF0025",
    status=404,
    oci="NAME_UNKNOWN",
    control="CRG0025E",
    iam="BXNIM0025E",
    message="No plug-in '{name}' is offered here",
    meaning="The folder of plug-ins that this service offers has no wheel of this name.",
    causes=("A mistyped name", "A version that was withdrawn", "A plug-in of another service"),
    cure=("See what is offered at /plugins/simple/.",),
)
