"""What goes wrong with plug-ins of the command line (WHF085x, WHF086x)."""

from typing import Final

from wharfinger_common.refusals import Entry

SESSION_FOREIGN: Final = Entry(
    code="WHF0850",
    status=0,
    message="You are not logged in to {product}.",
    meaning=(
        "The sign-in is there, but the plug-in is too old to read it: it was made for sessions of "
        "another form."
    ),
    causes=("The command line was updated and the plug-in was not",),
    cure=(
        "The plug-in '{plugin} {version}' is the cause: it is too old to read this session.",
        "Update it: {command} plugin update {plugin}.",
    ),
)
HOST_OUTDATED: Final = Entry(
    code="WHF0851",
    status=0,
    message="Plug-in '{plugin} {version}' requires {cli} {minimum} or later.",
    meaning="The plug-in uses what this version of the command line does not have.",
    causes=("An older command line",),
    cure=("Update the command line, or install an older version of the plug-in with -v.",),
)
PLUGIN_NOT_FOUND: Final = Entry(
    code="WHF0852",
    status=0,
    message="Plug-in '{plugin}' was not found in repository '{repository}'.",
    meaning="The repository offers no plug-in of this name.",
    causes=("A mistyped name", "Another repository offers it"),
    cure=("See what there is: {command} plugin repo-plugins.",),
)
VERSION_NOT_FOUND: Final = Entry(
    code="WHF0853",
    status=0,
    message=(
        "Plug-in '{plugin} {version}' was not found.\n"
        "Use '{command} plugin repo-plugin {plugin} -r '{repository}'' to list all available versions."
    ),
    meaning="The repository offers the plug-in, but not in this version.",
    causes=("A mistyped version", "A version that was withdrawn"),
    cure=("Choose a version that is offered.",),
)
CHECKSUM_WRONG: Final = Entry(
    code="WHF0854",
    status=0,
    message=(
        "The downloaded plug-in binary might be corrupt. The computed checksum doesn't match repo "
        "metadata. Try again."
    ),
    meaning="What arrived is not what the repository's index describes. Nothing was installed.",
    causes=(
        "A broken download",
        "A file that was replaced without its index",
        "Somebody on the way",
    ),
    cure=("Try again; if it stays, tell whoever runs the repository.",),
)
NONE_COMPATIBLE: Final = Entry(
    code="WHF0855",
    status=0,
    message="Could not find compatible binary to install for plug-in {plugin}.",
    meaning="The repository offers the plug-in only in forms that this command line cannot run.",
    causes=("A newer command line is required", "Only wheels that are not pure Python are offered"),
    cure=("Update the command line, then install the plug-in again.",),
)
NOT_INSTALLED: Final = Entry(
    code="WHF0856",
    status=0,
    message="Plug-in '{plugin}' is not installed.",
    meaning="There is no plug-in of this name in the configuration folder.",
    causes=("A mistyped name", "It was uninstalled", "Another configuration folder is used"),
    cure=("See what is installed: {command} plugin list.",),
)
WHEEL_UNSAFE: Final = Entry(
    code="WHF0857",
    status=0,
    message="'{file}' cannot be installed: {reason}",
    meaning=(
        "A plug-in is a pure-Python wheel with one package, a declaration and no other "
        "dependency than the command line. Nothing was installed."
    ),
    causes=("Not a plug-in", "A damaged or manipulated file", "A wheel that was built wrongly"),
    cure=("Get the plug-in from its maker again, or have it built as the guide says.",),
)
REPOSITORY_UNKNOWN: Final = Entry(
    code="WHF0858",
    status=0,
    message="Plug-in repository '{repository}' was not found.",
    meaning="No repository of this name was added.",
    causes=("A mistyped name", "It was removed"),
    cure=("See which there are: {command} plugin repos.",),
)
REPOSITORY_EXISTS: Final = Entry(
    code="WHF0859",
    status=0,
    message="Plug-in repository '{repository}' exists already.",
    meaning="Two repositories cannot have the same name.",
    causes=("It was added before",),
    cure=("Remove it first, or add the new one under another name.",),
)
COMMANDS_CLASH: Final = Entry(
    code="WHF0860",
    status=0,
    message="'{name}' of plug-in '{plugin}' is a command already: {owner} has it.",
    meaning="Two commands cannot have the same name. Nothing was installed.",
    causes=("Two plug-ins for the same thing", "A plug-in that names a command of the host"),
    cure=("Uninstall the other plug-in first.",),
)
PLUGIN_BROKEN: Final = Entry(
    code="WHF0861",
    status=0,
    message="Plug-in '{plugin} {version}' cannot be run: {reason}",
    meaning="Files of the plug-in are missing or do not fit this version of the command line.",
    causes=(
        "Files that were deleted by hand",
        "A newer or older Python",
        "A defect of the plug-in",
    ),
    cure=("Install it again: {command} plugin install {plugin} -f.",),
)
PLUGIN_TOO_OLD: Final = Entry(
    code="WHF0862",
    status=0,
    message="The plug-in '{plugin} {version}' is too old for this service, which needs {minimum} or later.",
    meaning="The operator of the service sets the least version of each plug-in.",
    causes=("The service was updated and the plug-in was not",),
    cure=("Update it: {command} plugin update {plugin}.",),
)
