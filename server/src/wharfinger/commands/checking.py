"""``wharfd fsck``: is all that is stored there, whole, and known?"""

import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

import click

from wharfinger.commands.telling import OUTPUT, language, opened_rooms, print_array
from wharfinger.settings import MIB, Settings
from wharfinger.web.log import EventLog
from wharfinger_common.findings import Severity
from wharfinger_common.languages import Text, rendered, translated

if TYPE_CHECKING:
    from wharfinger.registry.model.checking import Checked
    from wharfinger.rooms import Rooms

_log: Final = EventLog("wharfinger.fsck")
_LINKING: Final = frozenset({"relinked", "copied"})
"""Repairs after which storage is counted anew."""
_SEVERITIES: Final = {Severity.WARNING: Text("warning"), Severity.ERROR: Text("error")}
_REMEDIES: Final = {
    "fenced": Text("fenced: it counts as missing until it is pushed again"),
    "released": Text("it is whole, and served again"),
    "restored": Text("restored from where it is whole"),
    "relinked": Text("shown in the repository again"),
    "copied": Text("copied from another repository of the account"),
    "rewritten": Text("written anew"),
    "removed": Text("removed"),
}


@click.command()
@click.option("--deep", is_flag=True, help="Read all bytes and compare their digests.")
@click.option("--repair", is_flag=True, help="Mend or fence what is found; safe to run again.")
@click.option(
    "--rate",
    type=click.FloatRange(min=0.1),
    metavar="MIB",
    help="MiB a second that --deep reads; default: the setting fsck_mib_per_second.",
)
@OUTPUT
@click.pass_obj
def fsck(settings: Settings, *, deep: bool, repair: bool, rate: float | None, output: str) -> None:
    """Check the database against the blob store, both ways, also while the service runs.

    What is damaged is fenced by --repair: it is answered as missing, never with wrong bytes, and
    the next push of it heals it. Exit code 0 where nothing is left to do, 1 where something is.
    """
    from wharfinger.background import RECOUNT_JOB
    from wharfinger.serve.logs import configure

    configure(settings)
    with opened_rooms(settings) as rooms:
        found = _Tally(_checked(rooms, rate, deep=deep, repair=repair), rooms)
        if output == "json":
            print_array(map(_told, found))
        else:
            for each in found:
                click.echo("\n".join(_lines(each)))
            counts = {"count": found.count, "left": found.left}
            click.echo(translated("{count} findings, {left} left", language(), counts))
        if found.relinked and rooms.quotas.charges is not None:
            rooms.jobs.ensure(RECOUNT_JOB, "", {})
    if found.left:
        sys.exit(1)


class _Tally:
    """Counts what passes by; writes what was repaired to the log and the accounts' audit trails."""

    def __init__(self, found: "Iterator[Checked]", rooms: "Rooms") -> None:
        self._found: Final = found
        self._rooms: Final = rooms
        self.count = 0
        self.left = 0
        self.relinked = False

    def __iter__(self) -> "Iterator[Checked]":
        for each in self._found:
            self.count += 1
            self.left += not each.remedy.mends
            self.relinked |= each.remedy in _LINKING
            if each.remedy:
                self._repaired(each)
            yield each

    def _repaired(self, each: "Checked") -> None:
        from wharfinger.repairs import record_repair

        facts = each.finding.told()["facts"]
        code = each.finding.entry.code
        _log.info("repaired", remedy=each.remedy.value, code=code, facts=facts)
        record_repair(self._rooms.database, each, int(self._rooms.clock()))


def _checked(
    rooms: "Rooms", rate: float | None, *, deep: bool, repair: bool
) -> "Iterator[Checked]":
    from wharfinger.images.service.trash_check import TrashCheck
    from wharfinger.images.store.trash_checks import SqlTrashChecks
    from wharfinger.namespaces.store import hold_owner
    from wharfinger.registry.services import build_checks
    from wharfinger.registry.store.uploads import SqlUploadRecords

    parts = build_checks(
        rooms.database,
        rooms.blobs,
        grace=rooms.settings.orphan_grace_seconds,
        rate=(rate or rooms.settings.fsck_mib_per_second) * MIB,
        clock=rooms.clock,
        existing=SqlUploadRecords(rooms.database, hold_owner).existing,
    )
    for part in (*parts, TrashCheck(SqlTrashChecks(rooms.database))):
        yield from part(deep=deep, repair=repair)


def _told(each: "Checked") -> Mapping[str, object]:
    meaning = each.finding.wording(language()).meaning
    return each.finding.told(language()) | {"meaning": meaning, "remedy": each.remedy.value}


def _lines(each: "Checked") -> Iterator[str]:
    wording = each.finding.wording(language())
    severity = rendered(_SEVERITIES[each.finding.severity], language())
    yield f"{severity}: {each.finding.check}: {wording.message} ({each.finding.entry.code})"
    yield f"    {wording.meaning}"
    if not each.remedy.mends:
        yield f"    {wording.remedy}"
    if each.remedy:
        yield f"    -> {rendered(_REMEDIES[each.remedy], language())}"
