"""What ``wharf doctor`` finds on the machine of a user (WHF118x); see also WHF081x."""

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
