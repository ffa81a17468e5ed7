"""What programs that call the service are told when no usable answer comes (WHF081x, WHF082x)."""

from typing import Final

from wharfinger_common.refusals import Entry

ADDRESS_INVALID: Final = Entry(
    code="WHF0810",
    status=0,
    message="'{url}' is not an address that can be called",
    meaning="An address of the service is http:// or https://, a host and perhaps a port.",
    causes=("A mistyped address", "An address with a user name, a query or a fragment"),
    cure=("Give the address as https://HOST or https://HOST:PORT.",),
)
NAME_NOT_RESOLVED: Final = Entry(
    code="WHF0811",
    status=0,
    message="The name '{host}' cannot be resolved",
    meaning="The resolver of this machine knows no address for the host of the service.",
    causes=("A mistyped host name", "No network", "A name server that does not know the name"),
    cure=("Check the name, and the network and name servers of this machine.",),
)
CONNECTION_REFUSED: Final = Entry(
    code="WHF0812",
    status=0,
    message="{host} refused the connection",
    meaning="The machine answers, but nothing listens on this port, or a firewall rejects it.",
    causes=(
        "The service is not running",
        "A wrong port",
        "A firewall that rejects connections to this port",
    ),
    cure=("Check host and port; if they are right, ask the operator whether the service runs.",),
)
CONNECTION_DROPPED: Final = Entry(
    code="WHF0813",
    status=0,
    message="{host} did not answer within {seconds} seconds",
    meaning="Packets to the host are lost on the way, and nobody says so.",
    causes=(
        "A firewall that silently drops what goes to this host or port",
        "A network that is down on the way",
    ),
    cure=("Open the firewall for the networks of the region, both ways, then repeat the command.",),
)
NETWORK_FAILED: Final = Entry(
    code="WHF0814",
    status=0,
    message="{host} cannot be reached: {reason}",
    meaning="The network of this machine has no way to the host.",
    causes=(
        "No network",
        "A route that is missing, or a virtual private network that is down",
        "A firewall that rejects what goes to this host or port",
    ),
    cure=("Check the network of this machine, then repeat the command.",),
)
ANSWER_LATE: Final = Entry(
    code="WHF0815",
    status=0,
    message="{host} took the request and did not answer within {seconds} seconds",
    meaning="The connection stands, but no answer came in time. The request may have been done.",
    causes=("A service under heavy load", "A proxy that waits for something else"),
    cure=(
        "Look whether it was done, then repeat the command, with a longer HTTP timeout if needed.",
    ),
)
CONNECTION_BROKEN: Final = Entry(
    code="WHF0816",
    status=0,
    message="The connection to {host} broke: {reason}",
    meaning="The connection ended before the answer was complete. The request may have been done.",
    causes=("An unstable network", "A service or proxy that was restarted", "Not an HTTP service"),
    cure=("Look whether it was done, then repeat the command.",),
)
PROXY_FAILED: Final = Entry(
    code="WHF0817",
    status=0,
    message="The proxy {proxy} did not let the connection to {host} through: {reason}",
    meaning="The environment names a proxy, which refuses or cannot be reached.",
    causes=("A proxy that wants to be signed in to", "A proxy that does not allow this host"),
    cure=("Correct HTTPS_PROXY and HTTP_PROXY, or name the host in NO_PROXY.",),
)
CERTIFICATE_UNTRUSTED: Final = Entry(
    code="WHF0818",
    status=0,
    message="The certificate of {host} is signed by an authority that this machine does not trust",
    meaning="Nobody whom this machine trusts vouches for the service, or somebody on the way listens in.",
    causes=(
        "A service with an authority of its own",
        "A proxy that opens encrypted connections with a certificate of its own",
    ),
    cure=(
        "Get the authority's certificate from the operator and name its file: {command} config --ca FILE.",
    ),
)
CERTIFICATE_EXPIRED: Final = Entry(
    code="WHF0819",
    status=0,
    message="The certificate of {host} is not valid at this time",
    meaning="A certificate has a first and a last day, and the clock of this machine is outside them.",
    causes=("A certificate that was not renewed", "A wrong clock on this machine"),
    cure=("Check the clock of this machine; if it is right, tell the operator.",),
)
CERTIFICATE_OF_ANOTHER: Final = Entry(
    code="WHF0820",
    status=0,
    message="The certificate that was shown is not one for {host}",
    meaning="The names in the certificate do not include the host that was called.",
    causes=("Another name of the service in the address", "Another machine that answers"),
    cure=("Call the service by a name that its certificate holds.",),
)
TLS_FAILED: Final = Entry(
    code="WHF0821",
    status=0,
    message="No encrypted connection to {host}: {reason}",
    meaning="The two sides did not come to an encrypted connection.",
    causes=("An http:// service called as https://", "A proxy on the way", "Very old software"),
    cure=(
        "Check whether the service is served over TLS at this port, and use http:// if it is not.",
    ),
)
ANSWER_UNUSABLE: Final = Entry(
    code="WHF0822",
    status=0,
    message="{host} answered something that is not of this service: {reason}",
    meaning="The answer is not in the form that the interface describes.",
    causes=(
        "A wrong address",
        "A sign-in page of a network or proxy",
        "A much newer or older service",
    ),
    cure=("Check the address of the service.",),
)
ANSWER_REFUSED: Final = Entry(
    code="WHF0823",
    status=0,
    message="{text}",
    meaning="The service refused the request; the message is the service's own, and its code tells more.",
    causes=("As the message says",),
    cure=("Do as the message says.",),
)
SIGN_IN_NEEDED: Final = Entry(
    code="WHF0824",
    status=0,
    message="{text}",
    meaning="The service does not accept the token of this session, or the secret that was given.",
    causes=("The session has ended", "The API key was deleted", "A mistyped password"),
    cure=("Sign in again.",),
)
NOT_ALLOWED: Final = Entry(
    code="WHF0825",
    status=0,
    message="{text}",
    meaning="The service knows who asks, and no access policy allows it.",
    causes=("A role is missing", "The wrong account is targeted"),
    cure=("Ask a Manager of the account for the role that the message names.",),
)
NOT_THERE: Final = Entry(
    code="WHF0826",
    status=0,
    message="{text}",
    meaning="The service has nothing of this name that the caller may see.",
    causes=("A mistyped name", "It was deleted", "Another account or region is targeted"),
    cure=("Check the name, and the account and region that are targeted.",),
)
IN_CONFLICT: Final = Entry(
    code="WHF0827",
    status=0,
    message="{text}",
    meaning="What stands in the service does not allow the request now.",
    causes=("As the message says",),
    cure=("Do as the message says.",),
)
TOO_MANY: Final = Entry(
    code="WHF0828",
    status=0,
    message="{text}",
    meaning="The service takes no more requests of this kind for a while.",
    causes=("Many requests in a short time", "Failed sign-ins"),
    cure=("Wait as long as the message says, then repeat the command.",),
)
SERVICE_FAILED: Final = Entry(
    code="WHF0829",
    status=0,
    message="{text}",
    meaning="The service, or a part of it, is not able to answer now. Nothing was changed.",
    causes=("The service is stopping or starting", "A part of it failed"),
    cure=("Repeat the command later; if it stays, give the request id to the operator.",),
)
