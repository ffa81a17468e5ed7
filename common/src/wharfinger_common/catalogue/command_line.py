"""What the command line itself refuses (WHF080x, WHF083x): sign-in, words, files.

The host fills ``{command}`` and ``{product}``: by which name it was called, and what that name
calls the service.
"""

from typing import Final

from wharfinger_common.refusals import Entry

COMMAND_UNKNOWN: Final = Entry(
    code="WHF0801",
    status=0,
    message="'{name}' is not a registered command. See '{command} help'.",
    meaning="Neither the command line nor an installed plug-in has a command of this name.",
    causes=("The plug-in that brings the command is not installed", "A mistyped command"),
    cure=(
        "See what there is: {command} help.",
        "Commands of cr come with a plug-in: {command} plugin install container-registry.",
    ),
)
NOT_LOGGED_IN: Final = Entry(
    code="WHF0802",
    status=0,
    message="Not logged in. Use '{command} login' to log in.",
    meaning="The command needs a sign-in, and there is none in the configuration.",
    causes=("Nobody signed in yet", "Somebody logged out", "Another configuration folder is used"),
    cure=("Sign in: {command} login.",),
)
PLUGIN_NOT_LOGGED_IN: Final = Entry(
    code="WHF0803",
    status=0,
    message="You are not logged in to {product}.",
    meaning="A command of a plug-in needs a sign-in, and there is none in the configuration.",
    causes=("Nobody signed in yet", "Somebody logged out", "Another configuration folder is used"),
    cure=("Sign in: {command} login.",),
)
SESSION_ENDED: Final = Entry(
    code="WHF0804",
    status=0,
    message="Your session has expired. Use '{command} login' to log in again.",
    meaning="The service no longer renews the sign-in that is in the configuration.",
    causes=(
        "The last sign-in is too long ago",
        "The API key or user behind it was deleted",
        "The service was set up anew",
    ),
    cure=("Sign in again: {command} login.",),
)
NO_ENDPOINT: Final = Entry(
    code="WHF0805",
    status=0,
    message="No API endpoint set. Use '{command} api' to set an endpoint.",
    meaning="The command calls the service, and the configuration does not say where that is.",
    causes=("A first use", "The endpoint was unset"),
    cure=("Set it: {command} api https://HOST.",),
)
INPUT_ENDED: Final = Entry(
    code="WHF0806",
    status=0,
    message="Could not read from input: EOF",
    meaning="A question was asked, and the input ended before an answer.",
    causes=("A script without the flag that answers the question", "Input from an empty file"),
    cure=("Give the answer as a flag, or through standard input.",),
)
CREDENTIALS_REJECTED: Final = Entry(
    code="WHF0807",
    status=0,
    message="Credentials were rejected.\nCode: {code}, message: {text}",
    meaning="The service did not accept the user name and password, the API key or the passcode.",
    causes=("A mistyped secret", "A deleted API key", "A passcode that was used or is too old"),
    cure=("Correct the credentials and sign in again: {command} login.",),
)
NO_ACCOUNT: Final = Entry(
    code="WHF0808",
    status=0,
    message="No account targeted. Use '{command} target -c ACCOUNT_ID' to target one.",
    meaning="The command acts in an account, and the sign-in is not bound to one.",
    causes=("The account was skipped at sign-in", "The user is in several accounts"),
    cure=("Target one: {command} target -c ACCOUNT_ID.",),
)
FILE_UNREADABLE: Final = Entry(
    code="WHF0809",
    status=0,
    message="Could not read {reason}",
    meaning="A file that the command needs is missing, may not be read, or is damaged.",
    causes=("A mistyped path", "Rights on the file", "A file that was changed by hand"),
    cure=("Correct the file or its rights; a damaged file of ours may be deleted.",),
)
FILE_UNWRITABLE: Final = Entry(
    code="WHF0830",
    status=0,
    message="Could not write {reason}",
    meaning="Nothing was changed: what is there stays until all of the new is on disk.",
    causes=("Rights on the file or folder", "A full disk"),
    cure=("Make room, or correct the rights, then repeat the command.",),
)
API_KEY_OTHER_ACCOUNT: Final = Entry(
    code="WHF0831",
    status=0,
    message="The API key belongs to the account {account}, so the account {wanted} cannot be targeted with it",
    meaning="An API key is bound to the account that it was made in.",
    causes=("Another account in -c than that of the key",),
    cure=("Leave -c out, or sign in with a key of that account.",),
)
VALUE_WRONG: Final = Entry(
    code="WHF0832",
    status=0,
    message="Invalid value for {name}: {reason}",
    meaning="A value on the command line is outside what it may be.",
    causes=("A mistyped value",),
    cure=("See what is allowed: {command} help.",),
)
REGION_UNKNOWN: Final = Entry(
    code="WHF0833",
    status=0,
    message="The region '{region}' was not found. Use '{command} regions' to list them.",
    meaning="The service that is targeted has no region of this name.",
    causes=("A mistyped name", "A region of another service"),
    cure=("Choose one of those that {command} regions lists.",),
)
NAME_AMBIGUOUS: Final = Entry(
    code="WHF0834",
    status=0,
    message="There are several {kind} named '{name}'",
    meaning="Names need not be unique, and a command must not guess which one is meant.",
    causes=("The same name was given twice",),
    cure=("Name it by its id, which the list shows.",),
)
NAMED_NOT_THERE: Final = Entry(
    code="WHF0835",
    status=0,
    message="There is no {kind} named '{name}'",
    meaning="Nothing of this kind with this name or id is in the account that is targeted.",
    causes=("A mistyped name", "It was deleted", "Another account is targeted"),
    cure=("See what there is with the command that lists it.",),
)
CODE_UNKNOWN: Final = Entry(
    code="WHF0836",
    status=0,
    message="'{code}' is neither a code of this catalogue nor the id of a request",
    meaning="Codes look like WHF0203, CRG0009E or BXNIM0415E, ids of requests like 24 hexadecimal digits.",
    causes=("A mistyped code or id", "A code of a newer version"),
    cure=("Copy it from the message that was shown.",),
)
DEFECT: Final = Entry(
    code="WHF0837",
    status=0,
    message="The command ended unexpectedly: {reason}",
    meaning="A defect of the command line or of a plug-in.",
    causes=("A defect",),
    cure=(
        "Repeat the command with {command} config --trace true, and give the output of {command} support bundle to whoever supports you.",
    ),
)
