"""What ``wharf doctor`` finds on the machine of a user (WHF1174 to WHF1199); see also WHF081x."""

from typing import Final

from wharfinger_common.refusals import Entry

STEP_WORKS: Final = Entry(
    code="WHF1180",
    status=0,
    message="{seen}",
    meaning="This step of the way to the service works.",
    causes=("Nothing is wrong here",),
    cure=("There is nothing to do.",),
)
CONFIG_OPEN: Final = Entry(
    code="WHF1181",
    status=0,
    message="Others on this machine may read {path}",
    meaning="The configuration holds tokens that let whoever reads them act as you.",
    causes=("Rights that were changed by hand", "A copy that was made with other rights"),
    cure=("Take the rights away: chmod -R go-rwx {path}.",),
)
CLOCK_WRONG: Final = Entry(
    code="WHF1182",
    status=0,
    message="The clock of this machine is {seconds} seconds {direction} the service's",
    meaning="Tokens and certificates count only at the right time, so a wrong clock makes them fail.",
    causes=("A machine without time synchronisation", "A machine that slept, or was restored"),
    cure=("Set the clock, best by switching time synchronisation on.",),
)
NOT_SIGNED_IN: Final = Entry(
    code="WHF1183",
    status=0,
    message="Nobody is signed in",
    meaning="The service answers, and most commands need a sign-in.",
    causes=("Nobody signed in yet", "Somebody logged out"),
    cure=("Sign in: {command} login.",),
)
PROXY_USED: Final = Entry(
    code="WHF1184",
    status=0,
    message="Connections to {host} go through the proxy {proxy}",
    meaning="The environment names a proxy, so the name is resolved and the connection made there.",
    causes=("HTTPS_PROXY or HTTP_PROXY is set", "NO_PROXY does not name the host"),
    cure=("If the proxy is not meant for this host, name the host in NO_PROXY.",),
)
DNS_AWAY: Final = Entry(
    code="WHF1185",
    status=0,
    message="No name server answers when this machine asks for '{host}'",
    meaning="The name may be right: this machine cannot ask, or nobody answers it.",
    causes=(
        "A firewall that drops questions to name servers (port 53)",
        "Wrong name servers in the settings of this machine",
        "A name server that is down",
    ),
    cure=("Correct the name servers of this machine, and let it reach them on port 53.",),
)
INTERCEPTED: Final = Entry(
    code="WHF1186",
    status=0,
    message="The certificate that came for {host} is by '{issuer}', not by '{trusted}'",
    meaning="The file {path} names whom to trust for the service, and somebody else answered with a certificate of its own.",
    causes=(
        "A proxy or firewall that opens encrypted connections",
        "Another machine that answers under this name",
        "A file of another service",
    ),
    cure=(
        "Ask whoever runs your network not to open connections to {host}.",
        "If it is meant to, add its authority to the file: {command} config --ca FILE.",
    ),
)
AUTHORITY_RENEWED: Final = Entry(
    code="WHF1187",
    status=0,
    message="The authority '{issuer}' of {host} has another key than the one in {path}",
    meaning="The file names an authority of this name, but the certificate is not signed with its key.",
    causes=("The service made a new authority of its own", "A file of another service"),
    cure=("Get the present file from the operator and name it: {command} config --ca FILE.",),
)
ANSWER_BETWEEN: Final = Entry(
    code="WHF1188",
    status=0,
    message="Not the service answers at {url}, but something on the way: {shown}",
    meaning="An answer came (HTTP status {status}), and it is not in the form of the service.",
    causes=(
        "A proxy or firewall that refuses with a page of its own",
        "A network that wants a sign-in first",
        "A wrong address",
    ),
    cure=(
        "Open the address in a browser to read the page, and do what it says.",
        "Let the host pass the proxy, name it in NO_PROXY, or correct the address.",
    ),
)
REGISTRY_ELSEWHERE: Final = Entry(
    code="WHF1189",
    status=0,
    message="The registry '{host}' is not one of this service",
    meaning="An image name begins with the host of a region; the service has no region with this one.",
    causes=("A mistyped host", "An image of another service", "Another service is targeted"),
    cure=("See the hosts with {command} regions, or target the service: {command} api URL.",),
)
PULL_NOT_ALLOWED: Final = Entry(
    code="WHF1190",
    status=0,
    message="Your sign-in gives no right to pull from '{repository}'",
    meaning="A token was given, without the right to pull. What others own is not shown, so the repository may also be missing.",
    causes=(
        "A namespace of another account",
        "A role is missing: Reader is needed to pull, Writer to push",
        "A mistyped name, or another account is targeted",
    ),
    cure=(
        "Check the name, and the account: {command} target.",
        "Ask a Manager of the account for the role Reader on the namespace.",
    ),
)
TRAFFIC_USED_UP: Final = Entry(
    code="WHF1191",
    status=0,
    message="The pull traffic of this month is used up: {used} of {limit} bytes",
    meaning="Pulls from the account's namespaces are refused until the next month, or a higher limit.",
    causes=("Many or large pulls this month", "A limit that the account has set itself"),
    cure=(
        "Raise the limit: {command} cr quota-set --traffic MB.",
        "Or change to a larger plan: {command} cr plan-upgrade.",
    ),
)
STORAGE_USED_UP: Final = Entry(
    code="WHF1192",
    status=0,
    message="The storage of the account is used up: {used} of {limit} bytes",
    meaning="Pulls work, and pushes are refused.",
    causes=("Many or large images", "A limit that the account has set itself"),
    cure=(
        "Delete images: {command} cr image-rm IMAGE.",
        "Or raise the limit: {command} cr quota-set --storage MB, or {command} cr plan-upgrade.",
    ),
)
LAYER_CHANGED: Final = Entry(
    code="WHF1193",
    status=0,
    message="The layer {digest} arrives with other bytes than it has",
    meaning="Clients compare the digest of what they get, and refuse it.",
    causes=("A proxy or virus scanner that changes downloads", "A damaged blob in the service"),
    cure=(
        "Let what the registry sends pass the proxy unchanged.",
        "If there is none on the way, tell the operator: wharfd fsck --deep finds damage.",
    ),
)
LATEST_OLD: Final = Entry(
    code="WHF1194",
    status=0,
    message="'{repository}:latest' is older than '{repository}:{tag}'",
    meaning="The tag latest is like any other: it stays where it was put and does not follow newer builds.",
    causes=("Builds were pushed with other tags", "latest was moved to an older build"),
    cure=(
        "Pull and deploy by a distinct tag, such as '{tag}'.",
        "Or move latest: {command} cr image-tag {repository}:{tag} {repository}:latest.",
    ),
)
CLIENT_MISSING: Final = Entry(
    code="WHF1195",
    status=0,
    message="Neither Docker nor Podman is in your PATH",
    meaning="The service can be reached; images are pulled and pushed with a container client.",
    causes=("None is installed", "It is installed where PATH does not look"),
    cure=("Install Docker or Podman, or add its folder to PATH.",),
)
DAEMON_STOPPED: Final = Entry(
    code="WHF1196",
    status=0,
    message="Docker is installed, and its daemon does not answer: {reason}",
    meaning="The docker command asks its daemon to pull and push.",
    causes=(
        "The daemon is not running",
        "You may not use its socket",
        "DOCKER_HOST or the Docker context names another place",
    ),
    cure=("Start Docker, or join its group; Podman needs no daemon.",),
)
CLIENT_WANTS_TLS: Final = Entry(
    code="WHF1197",
    status=0,
    message="{client} will insist on TLS: {registry}, which is served without it, is not in {place}",
    meaning="Container clients call registries in the open only where their settings allow it.",
    causes=("The registry is not among the client's insecure registries",),
    cure=("Serve the registry over TLS, or name it in {place}, and restart the client.",),
)
CLIENT_DISTRUSTS: Final = Entry(
    code="WHF1198",
    status=0,
    message="{client} does not know the authority that signed the certificate of {registry}: there is no {place}",
    meaning="Container clients do not read our settings; they look for authorities in folders of their own.",
    causes=("The service has an authority of its own", "The file lies under another host or port"),
    cure=("Copy the authority's file to {place}.",),
)
CLIENT_PROXY: Final = Entry(
    code="WHF1199",
    status=0,
    message="The Docker daemon calls {registry} through the proxy {proxy}",
    meaning="The daemon has proxy settings of its own, which do not exempt the registry.",
    causes=("Proxy settings of the daemon", "NO_PROXY of the daemon does not name the host"),
    cure=(
        "If the proxy is not meant for it, add the host to the daemon's NO_PROXY and restart it.",
    ),
)
PLUGIN_MISSING: Final = Entry(
    code="WHF1174",
    status=0,
    message="The plug-in {plugin} is not installed",
    meaning="Without it there is no {command} cr, with which images are listed and clients signed in.",
    causes=(
        "It was not installed yet",
        "It was uninstalled",
        "Another configuration folder is used",
    ),
    cure=("Install it: {command} plugin install {plugin}.",),
)
CREDENTIALS_MISSING: Final = Entry(
    code="WHF1175",
    status=0,
    message="{client} has no sign-in for {registry}",
    meaning="The container client sends what is stored in {path}, and nothing is stored for this registry.",
    causes=("No cr login yet, or another registry was meant", "Somebody logged out"),
    cure=("Sign the client in: {command} cr login.",),
)
CREDENTIALS_REFUSED: Final = Entry(
    code="WHF1176",
    status=0,
    message="The sign-in that {client} has stored for {registry} is no longer accepted",
    meaning="The service answers to what is stored in {path}: '{text}'.",
    causes=(
        "The session, token or key that it was made with has ended or was deleted",
        "Stored credentials of another service",
    ),
    cure=("Sign the client in again: {command} cr login.",),
)
HELPER_FAILED: Final = Entry(
    code="WHF1177",
    status=0,
    message="The credential helper {helper} does not work: {reason}",
    meaning="{path} tells the client to ask this helper for the sign-in to {registry}.",
    causes=("The helper is not installed, or not in PATH", "Nobody is signed in"),
    cure=("Make it work, or take it out of the file and use {command} cr login.",),
)
TRUST_SERVER_UNSET: Final = Entry(
    code="WHF1178",
    status=0,
    message="DOCKER_CONTENT_TRUST is on, and DOCKER_CONTENT_TRUST_SERVER is '{server}', which is not at {host}",
    meaning="Docker looks for signatures at that place, where this service does not keep them.",
    causes=("The variable was not set in this shell", "It is set for another registry"),
    cure=(
        "Set it: export DOCKER_CONTENT_TRUST_SERVER=https://{host}:4443.",
        "Or pull without signatures: export DOCKER_CONTENT_TRUST=0.",
    ),
)
IMAGE_NAME_WRONG: Final = Entry(
    code="WHF1179",
    status=0,
    message="'{name}' is not the name of an image",
    meaning="An image name is [HOST/]NAMESPACE/REPOSITORY[:TAG] or ...@DIGEST.",
    causes=("The namespace is missing", "Capital letters", "A mistyped name"),
    cure=("Give NAMESPACE/REPOSITORY:TAG; {command} cr image-list shows the names.",),
)
