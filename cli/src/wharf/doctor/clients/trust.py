"""Content trust: do the variables lead Docker to where signatures are?"""

from typing import Final
from urllib.parse import urlsplit

from wharf.doctor.patient import Patient
from wharf.text import Text
from wharfinger_common.catalogue import client_doctor as entries
from wharfinger_common.findings import Finding

_OFF: Final = frozenset({"", "0", "f", "false"})


def variables(patient: Patient) -> Finding | None:
    """Look at the variables, where content trust is switched on."""
    environ = patient.context.environ
    if environ.get("DOCKER_CONTENT_TRUST", "").lower() in _OFF:
        return None
    server = environ.get("DOCKER_CONTENT_TRUST_SERVER", "")
    host = patient.registry.host
    # Without the variable Docker asks the registry's own host, at its own port.
    if urlsplit(server).hostname != host:
        return patient.hinders(entries.TRUST_SERVER_UNSET, server=server, host=host)
    return patient.works(Text("Signatures are looked for at {server}", server=server))
