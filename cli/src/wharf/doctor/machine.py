"""The user's own machine: configuration and clock."""

import stat
from datetime import UTC, datetime
from typing import Final

from wharf.doctor.patient import Patient
from wharf.doctor.place import Place
from wharf.text import Text
from wharfinger_common.catalogue import client_doctor as entries
from wharfinger_common.findings import Finding

CLOCK_SECONDS: Final = 60
"""Seconds that two clocks may differ: answers take time, and tokens bear this much."""


def configuration(patient: Patient) -> Finding:
    """Look at the configuration: readable, private, with a service in it."""
    config = patient.context.config
    patient.service = Place(patient.context.session.endpoint)
    if patient.image:
        # A name that is none is told before anything is called.
        _ = patient.reference
    for path in (config.folder, config.path):
        if path.exists() and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            return patient.warns(entries.CONFIG_OPEN, path=path)
    seen = Text(
        "The configuration is in {folder}; the service is {endpoint}",
        folder=config.folder,
        endpoint=patient.service.url,
    )
    return patient.works(seen)


def clock(patient: Patient) -> Finding:
    """Compare the clock with the service's."""
    told = str(patient.info.get("time", "")).replace("Z", "+00:00")
    try:
        theirs = datetime.fromisoformat(told)
    except ValueError:
        return patient.works(Text("The service does not tell its time"))
    apart = (datetime.now(UTC) - theirs).total_seconds()
    if abs(apart) <= CLOCK_SECONDS:
        return patient.works(Text("The clock agrees with the service's"))
    direction = Text("ahead of") if apart > 0 else Text("behind")
    return patient.fails(entries.CLOCK_WRONG, seconds=round(abs(apart)), direction=direction)
