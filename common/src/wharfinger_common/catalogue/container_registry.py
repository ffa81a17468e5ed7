"""What the ``cr`` commands refuse (WHF09xx); the host fills ``{command}`` and ``{product}``."""

from typing import Final

from wharfinger_common.refusals import Entry

IMAGE_NAME_WRONG: Final = Entry(
    code="WHF0901",
    status=0,
    message="'{name}' is not the name of an image in the registry.",
    meaning="An image name is [HOST/]NAMESPACE/REPOSITORY[:TAG] or ...@DIGEST.",
    causes=("The namespace is missing", "A mistyped name", "An empty variable in a script"),
    cure=("Give NAMESPACE/REPOSITORY:TAG; {command} cr image-list shows the names.",),
)
REGISTRY_FOREIGN: Final = Entry(
    code="WHF0902",
    status=0,
    message="The image is in '{host}', and the targeted registry is '{registry}'.",
    meaning="The cr commands act in the registry of one region at a time.",
    causes=("Another region is targeted", "The image is in another service's registry"),
    cure=("Target its region with {command} cr region-set, or leave the host out.",),
)
TEMPLATE_INVALID: Final = Entry(
    code="WHF0903",
    status=0,
    message="The template given with --format cannot be used: {reason}",
    meaning="--format takes a Go template, such as '{{{{.Repository}}}}:{{{{.Tag}}}}'.",
    causes=("A field that there is not", "Braces that are not closed", "A shell took the quotes"),
    cure=("Quote the template, and look up its fields in the reference of the command.",),
)
REGION_INVALID: Final = Entry(
    code="WHF0904",
    status=0,
    message="Invalid region '{region}' specified.",
    meaning="The service has no region of this name.",
    causes=("A mistyped name", "A region of another service"),
    cure=("See which regions there are: {command} regions.",),
)
NOT_YET: Final = Entry(
    code="WHF0905",
    status=0,
    message="The command '{name}' is coming: its part of the service does not exist yet.",
    meaning="The command is registered so that scripts can be written for it.",
    causes=("The service was released before this part of it",),
    cure=("Read the release notes of the next version.",),
)
CLIENT_MISSING: Final = Entry(
    code="WHF0906",
    status=0,
    message="{client} is not installed, or not in your PATH.",
    meaning="cr login signs a container client in, and needs it for that.",
    causes=("The client is not installed", "It is installed where PATH does not look"),
    cure=(
        "Install the client, or use another one: {command} cr login --client podman.",
        "Without a client: {command} cr login --credentials-only.",
    ),
)
DAEMON_STOPPED: Final = Entry(
    code="WHF0907",
    status=0,
    message="Docker is installed, but its daemon does not answer.",
    meaning="The docker command asks its daemon to check credentials, to push and to pull.",
    causes=("The daemon is not running", "You may not use its socket"),
    cure=(
        "Start Docker, or join its group; or use Podman: {command} cr login --client podman.",
        "Without the daemon: {command} cr login --credentials-only.",
    ),
)
CLIENT_LOGIN_FAILED: Final = Entry(
    code="WHF0908",
    status=0,
    message="{client} could not log in: {reason}",
    meaning="The client was called and did not succeed; its own words are shown.",
    causes=("The registry cannot be reached from the client", "It does not trust the certificate"),
    cure=("Look for the cause with {command} doctor.",),
)
PLUGIN_OUTDATED: Final = Entry(
    code="WHF0909",
    status=0,
    message="The plug-in {plugin} {version} is too old: the service needs {least} or later.",
    meaning="The service and this version of the plug-in do not understand each other.",
    causes=("The service was upgraded",),
    cure=("Update it: {command} plugin update {plugin}.",),
)
PARTLY: Final = Entry(
    code="WHF0910",
    status=0,
    message="{count} could not be done:\n{list}",
    meaning="A command for several things did the others.",
    causes=("Each line tells its own cause",),
    cure=("Do what each line says, and repeat the command for these.",),
)
HELPER_MISSING: Final = Entry(
    code="WHF0911",
    status=0,
    message="docker-credential-wharf is not in your PATH, where container clients look for it.",
    meaning="With --helper the client runs this program, which is installed with {command}, each time.",
    causes=("The command line is installed in a folder that PATH does not name",),
    cure=(
        "Add the folder that {command} is in to PATH.",
        "Or let the client store a sign-in: {command} cr login.",
    ),
)
