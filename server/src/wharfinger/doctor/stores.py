"""Database, blob store, keys and jobs."""

from collections.abc import Iterator
from typing import Final

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from wharfinger.audit.store import record
from wharfinger.blobstore.opening import open_store
from wharfinger.database import migrate
from wharfinger.database.migrations import HEAD
from wharfinger.database.opening import open_database
from wharfinger.database.urls import embedded_path
from wharfinger.doctor.site import Site, fine, warning, wrong
from wharfinger.identity.ports import SigningKey
from wharfinger.identity.secrets import MasterKeyInvalid, Seal
from wharfinger.identity.service.keyring import PURPOSE
from wharfinger.identity.store import SqlStore
from wharfinger.jobs.model import Job
from wharfinger.jobs.store import SqlJobStore
from wharfinger_common.catalogue import doctor
from wharfinger_common.findings import Finding, Severity
from wharfinger_common.languages import Text
from wharfinger_common.refusals import Refusal

DATABASE, STORE, KEYS, JOBS = "database", "blob store", "keys", "jobs"
APART_SECONDS: Final = 5
FAILING_ATTEMPTS: Final = 3
WAITING_SECONDS: Final = 600
JOBS_READ: Final = 1000
JOBS_TOLD: Final = 5
_DAY: Final = 86_400
_SHOWN: Final = 200


def database(site: Site) -> Iterator[Finding]:
    """Look whether the database is there, whole, and of this version's schema."""
    path = embedded_path(site.settings.database)
    if path is not None and not path.exists():
        yield wrong(DATABASE, doctor.DATA_MISSING, path=site.settings.data_path)
        return
    try:
        engine = migrate.engine_of(site.settings.database)
        with engine.connect() as connection:
            yield _revision(migrate.revision(connection), site)
            yield from _whole(connection) if path is not None else _time(site, connection)
    except SQLAlchemyError as error:
        entry = doctor.DATABASE_DAMAGED if _is_damage(error) else doctor.DATABASE_AWAY
        yield wrong(DATABASE, entry, error=_first_line(error))


def store(site: Site) -> Iterator[Finding]:
    """Look whether the blob store can be read and written."""
    settings = site.settings
    if not settings.blobs_url.startswith("s3://") and not settings.blobs_path.is_dir():
        # The store would make it: where there is a service already, that would hide the loss.
        if settings.data_path.exists():
            missing = Text("{path} is no folder", path=settings.blobs_path)
            yield wrong(STORE, doctor.STORE_AWAY, error=missing)
        return
    try:
        open_store(settings).check()
    except Refusal as refusal:
        cause = refusal.__cause__ or refusal
        yield wrong(STORE, doctor.STORE_AWAY, error=cause)
    except OSError as error:
        yield wrong(STORE, doctor.STORE_AWAY, error=error)
    else:
        yield fine(STORE, Text("the blob store answers"))


def keys(site: Site) -> Iterator[Finding]:
    """Look whether the master key opens the signing keys, and whether these are renewed."""
    stored = _signing_keys(site)
    path = site.settings.master_key_path
    if not path.exists():
        if stored:
            yield wrong(KEYS, doctor.MASTER_KEY_MISSING, path=path)
        return
    try:
        seal = Seal(path.read_bytes())
        for key in stored:
            seal.open(key.private_key, PURPOSE)
    except MasterKeyInvalid as error:
        yield wrong(KEYS, doctor.MASTER_KEY_WRONG, path=path, error=error)
        return
    yield _age(site, stored) if stored else fine(KEYS, Text("no signing key was needed yet"))


def jobs(site: Site) -> Iterator[Finding]:
    """Look for background work that fails, waits, or is held by who is gone."""
    opened = open_database(site.settings)
    try:
        found = SqlJobStore(opened).jobs(JOBS_READ)
    finally:
        opened.close()
    now = site.clock()
    failing = [job for job in found if job.attempts >= FAILING_ATTEMPTS and job.last_error]
    told = [_failing(job) for job in failing[:JOBS_TOLD]]
    held = [job for job in found if 0 < job.leased_until < now - WAITING_SECONDS]
    if held:
        oldest = round(now - min(job.leased_until for job in held))
        told.append(warning(JOBS, doctor.LEASES_ENDED, count=len(held), seconds=oldest))
    waiting = [job for job in found if job.run_at < now - WAITING_SECONDS and job not in held]
    waiting = [job for job in waiting if job.leased_until <= now and job not in failing]
    if waiting:
        oldest = round(now - min(job.run_at for job in waiting))
        told.append(warning(JOBS, doctor.JOBS_WAIT, count=len(waiting), seconds=oldest))
    yield from told or [fine(JOBS, Text("no job fails or waits for long"))]


def _revision(found: str | None, site: Site) -> Finding:
    if found is None:
        return wrong(DATABASE, doctor.DATA_MISSING, path=site.settings.data_path)
    if found > HEAD:
        return wrong(DATABASE, doctor.DATABASE_NEWER, found=found)
    if found < HEAD:
        return warning(DATABASE, doctor.DATABASE_OLD, found=found, head=HEAD)
    return fine(DATABASE, Text("the database answers, with the schema {revision}", revision=found))


def _whole(connection: Connection) -> Iterator[Finding]:
    result = connection.execute(text("PRAGMA quick_check(1)")).scalar()
    if result == "ok":
        yield fine(DATABASE, Text("the database's own check found nothing"))
    else:
        yield wrong(DATABASE, doctor.DATABASE_DAMAGED, error=str(result)[:_SHOWN])


def _time(site: Site, connection: Connection) -> Iterator[Finding]:
    asked = text("SELECT extract(epoch FROM clock_timestamp())")
    apart = abs(float(connection.execute(asked).scalar_one()) - site.clock())
    if apart > APART_SECONDS:
        yield warning(DATABASE, doctor.CLOCK_APART, seconds=round(apart))


def _signing_keys(site: Site) -> list[SigningKey]:
    opened = open_database(site.settings)
    try:
        with SqlStore(opened, record, site.clock).reading() as records:
            return list(records.signing_keys())
    finally:
        opened.close()


def _age(site: Site, stored: list[SigningKey]) -> Finding:
    days = int((site.clock() - max(key.signs_from for key in stored)) // _DAY)
    due = site.settings.signing_key_days
    if days > due:
        return warning(KEYS, doctor.SIGNING_KEY_OVERDUE, days=days, due=due)
    what = "the master key opens all {count} signing keys; the newest is {days} days old"
    return fine(KEYS, Text(what, count=len(stored), days=max(days, 0)))


def _failing(job: Job) -> Finding:
    return Finding(
        JOBS,
        Severity.WARNING,
        doctor.JOB_FAILING,
        {
            "kind": job.kind,
            "subject": job.subject,
            "attempts": job.attempts,
            "error": job.last_error.strip().splitlines()[-1][:_SHOWN],
        },
    )


def _is_damage(error: SQLAlchemyError) -> bool:
    told = str(error)
    return "malformed" in told or "not a database" in told or "disk image" in told


def _first_line(error: SQLAlchemyError) -> str:
    cause = getattr(error, "orig", None) or error
    return str(cause).strip().splitlines()[0][:_SHOWN]
