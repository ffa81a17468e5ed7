"""All checks, in the order in which they are told."""

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from wharfinger.doctor import certificates, machine, network, stores
from wharfinger.doctor.site import Site, wrong
from wharfinger_common.catalogue import doctor
from wharfinger_common.findings import Finding, Severity


class Check(NamedTuple):
    """One check; one that reads the database is left out where the database is not well."""

    name: str
    run: Callable[[Site], Iterator[Finding]]
    reads_database: bool = False


CHECKS: Final = (
    Check("settings", network.exposed),
    Check(certificates.CHECK, certificates.certificates),
    Check(machine.CLOCK, machine.clock),
    Check(machine.DISK, machine.disk),
    Check(machine.FILES, machine.files),
    Check(machine.LIMITS, machine.limits),
    Check(stores.DATABASE, stores.database),
    Check(stores.STORE, stores.store),
    Check(stores.KEYS, stores.keys, reads_database=True),
    Check(stores.JOBS, stores.jobs, reads_database=True),
    Check(network.PORTS, network.ports),
    Check(network.HOSTS, network.hosts),
    Check(machine.CLOCK, machine.clock_jumped),
)


def examine(site: Site) -> list[Finding]:
    """Return what all checks find; a check that breaks is a finding itself. Blocking."""
    found: list[Finding] = []
    for check in CHECKS:
        if not check.reads_database or _has_good_database(found):
            found += _run(check, site)
    return found


def invalid_settings(error: Exception) -> list[Finding]:
    """Return what there is to tell where the settings cannot be read."""
    return [wrong("settings", doctor.SETTINGS_INVALID, error=error)]


def _run(check: Check, site: Site) -> list[Finding]:
    found: list[Finding] = []
    try:
        found.extend(check.run(site))
    except Exception as error:
        found.append(wrong(check.name, doctor.CHECK_BROKEN, error=error))
    return found


def _has_good_database(found: list[Finding]) -> bool:
    # An older schema may lack what is read; the migration comes first then.
    return all(one.severity is Severity.OK for one in found if one.check == stores.DATABASE)
