"""What the credential helper refuses (WHF088x)."""

from typing import Final

from wharfinger_common.refusals import Entry

KEEPS_NO_SECRETS: Final = Entry(
    code="WHF0880",
    status=0,
    message="docker-credential-wharf keeps no secrets, so it cannot store those of '{user}' for {host}",
    meaning="The helper signs in with the session of {command}; there is nothing to store for it.",
    causes=(
        "docker login with an API key or a registry token",
        "A registry of another service, with this helper for all of them",
    ),
    cure=(
        "For the service's registries no docker login is needed: {command} login is enough.",
        "For others, name another helper, or none, in the client's file (credHelpers, credsStore).",
    ),
)
