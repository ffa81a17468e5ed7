"""Is there a container client, and does Docker's daemon answer?"""

from wharf.doctor.clients.software import look
from wharf.doctor.patient import Patient
from wharf.text import Text
from wharfinger_common.catalogue import client_doctor as entries
from wharfinger_common.findings import Finding


def presence(patient: Patient) -> Finding:
    """Look for Docker with its daemon, or Podman."""
    found = patient.software = look(patient)
    if found.docker_works:
        version = found.daemon.get("ServerVersion", "")
        return patient.works(Text("Docker {version} is there and answers", version=version))
    if found.docker:
        # With Podman beside it nothing is in the way of a pull, but whoever types docker wonders.
        report = patient.warns if found.podman else patient.hinders
        return report(entries.DAEMON_STOPPED, reason=found.reason)
    if found.podman:
        return patient.works(Text("Podman is there"))
    return patient.hinders(entries.CLIENT_MISSING)
