"""The steps, in the order in which each needs those before it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from wharf.doctor import encryption, machine, network, pulling, registry, service
from wharf.doctor.clients import credentials, presence, settings, trust
from wharf.doctor.patient import Patient
from wharf.doctor.place import Place
from wharfinger_common.findings import Finding, Severity
from wharfinger_common.refusals import Refusal

Look = Callable[[Patient], Finding | None]


@dataclass(frozen=True, slots=True)
class Check:
    """A step; ``code`` is what doctor exits with when it fails, one for each class of faults."""

    name: str
    code: int
    look: Look
    """Returns what it found; None where the step does not apply here."""


def _at_service(look: Callable[[Patient, Place], Finding | None]) -> Look:
    return lambda patient: look(patient, patient.service)


def _at_registry(look: Callable[[Patient, Place], Finding | None]) -> Look:
    """The same way again where the registry is at another address than the service."""

    def there(patient: Patient) -> Finding | None:
        apart = patient.registry is not patient.service
        return look(patient, patient.registry) if apart else None

    return there


CHECKS: Final = (
    Check("config", 10, machine.configuration),
    Check("proxy", 11, _at_service(network.proxy)),
    Check("dns", 12, _at_service(network.resolution)),
    Check("tcp", 13, _at_service(network.connection)),
    Check("tls", 14, _at_service(encryption.encryption)),
    Check("http", 15, service.answer),
    Check("clock", 16, machine.clock),
    Check("sign-in", 17, service.sign_in),
    Check("plugins", 18, service.plugins),
    Check("registry", 19, registry.region),
    Check("registry-proxy", 11, _at_registry(network.proxy)),
    Check("registry-dns", 12, _at_registry(network.resolution)),
    Check("registry-tcp", 13, _at_registry(network.connection)),
    Check("registry-tls", 14, _at_registry(encryption.encryption)),
    Check("registry-http", 15, registry.answer),
    Check("token", 20, registry.token),
    Check("scopes", 21, registry.scopes),
    Check("quota", 22, pulling.quota),
    Check("manifest", 23, pulling.manifest),
    Check("layer", 24, pulling.layer),
    Check("latest", 23, pulling.latest),
    Check("client", 25, presence.presence),
    Check("settings", 26, settings.settings),
    Check("credentials", 27, credentials.credentials),
    Check("trust", 28, trust.variables),
)


def walk(patient: Patient, checks: tuple[Check, ...] = CHECKS) -> Iterator[tuple[Check, Finding]]:
    """Run the steps and yield what each found; the first that fails is the last."""
    for check in checks:
        patient.step = check.name
        try:
            finding = check.look(patient)
        except Refusal as refusal:
            finding = patient.refused(refusal)
        if finding is None:
            continue
        yield check, finding
        if finding.severity is Severity.ERROR:
            return
