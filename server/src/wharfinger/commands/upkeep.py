"""``wharfd gc|jobs``: what the service clears away and what it works on, also while it runs."""

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click
from msgspec.structs import asdict

from wharfinger.commands.telling import OUTPUT, opened_rooms, print_array
from wharfinger.settings import Settings

if TYPE_CHECKING:
    from wharfinger.jobs.model import Job
    from wharfinger.registry.model.collection import Garbage
    from wharfinger.rooms import Rooms

_COLUMNS = ("kind", "subject", "state", "holder", "attempts", "next_run", "last_error")


@click.command()
@click.option("--dry-run", is_flag=True, help="Tell what would go, and why; remove nothing.")
@OUTPUT
@click.pass_obj
def gc(settings: Settings, *, dry_run: bool, output: str) -> None:
    """Collect garbage now.

    The service does so by itself, at intervals that the settings name. This runs one more pass,
    beside it and with the same grace times, so nothing goes that a push under way may need.
    Bytes are deleted some time after their blob is gone (setting discard_delay_seconds).
    """
    from wharfinger.background import collection
    from wharfinger.serve.logs import configure

    configure(settings)
    with opened_rooms(settings) as rooms:
        if dry_run:
            report = collection(rooms, time.sleep).report
            print_array(map(_garbage, report)) if output == "json" else _print_garbage(report)
            return
        done = _collect(rooms)
    if output == "json":
        click.echo(json.dumps(done))
        return
    for task, figures in done.items():
        told = ", ".join(f"{count} {what}" for what, count in figures.items())
        click.echo(f"{task:<8} {told}")


@click.command()
@OUTPUT
@click.pass_obj
def jobs(settings: Settings, output: str) -> None:
    """Show background work: what is being done, what waits, what failed."""
    with opened_rooms(settings) as rooms:
        now = rooms.clock()
        rows = [_job(job, now) for job in rooms.jobs.list()]
    if output == "json":
        click.echo(json.dumps(rows, indent=2))
        return
    _print_table([{name: name.upper().replace("_", " ") for name in _COLUMNS}, *rows])


def _collect(rooms: "Rooms") -> Mapping[str, Mapping[str, int]]:
    from wharfinger.background import collection

    sessions = 0
    while dropped := rooms.uploads.expire():
        sessions += dropped
    done = {"uploads": {"removed": sessions}}
    for task, state in collection(rooms, time.sleep).passes.all():
        done[task.value] = {
            "removed": state.removed,
            "bytes": state.size,
            "examined": state.examined,
        }
    return done


def _print_garbage(report: "Iterable[Garbage]") -> None:
    count = size = 0
    for each in report:
        count, size = count + 1, size + each.size
        where = f" in {each.repository}" if each.repository else ""
        click.echo(
            f"{each.thing:<6} {each.reason:<12} {each.size:>14} {_moment(each.since)} "
            f"{each.name}{where}"
        )
    click.echo(f"{count} things, {size} bytes")


def _garbage(each: "Garbage") -> Mapping[str, object]:
    return asdict(each) | {"since": _moment(each.since)}


def _job(job: "Job", now: float) -> Mapping[str, object]:
    return {
        "kind": job.kind,
        "subject": job.subject,
        "state": job.state(now).value,
        "holder": job.lease_owner,
        "attempts": job.attempts,
        "next_run": _moment(job.run_at),
        "last_error": job.last_error,
    }


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _print_table(rows: Sequence[Mapping[str, object]]) -> None:
    cells = [[" ".join(str(row[name]).split()) or "-" for name in _COLUMNS] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        padded = (f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(padded).rstrip())
