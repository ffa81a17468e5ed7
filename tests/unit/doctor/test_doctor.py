"""Each thing that the doctor can find is provoked, and told with its entry."""

import fcntl
import os
import shutil
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from tests.support.postgres import fresh_database
from tests.support.server import free_ports
from wharfinger.doctor import certificates, machine, network, stores
from wharfinger.doctor.examination import examine
from wharfinger.doctor.site import Room, Site
from wharfinger.jobs.model import Job
from wharfinger.jobs.store import SqlJobStore, SqlQueue
from wharfinger.rooms import build_rooms
from wharfinger.serve.certificates import ensure_server_certificate
from wharfinger.serve.first_start import prepare
from wharfinger.settings import Settings
from wharfinger_common.catalogue import doctor
from wharfinger_common.findings import Finding, Severity, worst
from wharfinger_common.languages import Language
from wharfinger_common.refusals import Entry

DAY = 86_400
PLENTY = Room(90, 100, 90, 100)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder as the first start leaves it, with a signing key and a TLS certificate."""
    data = tmp_path_factory.mktemp("prepared") / "data"
    settings = Settings(data=str(data))
    prepare(settings)
    ensure_server_certificate(data / "tls", ())
    rooms = build_rooms(settings)
    rooms.identity.tokens.jwks()
    rooms.close()
    return data


@pytest.fixture
def data(prepared: Path, tmp_path: Path) -> Path:
    """A copy of it to break."""
    return Path(shutil.copytree(prepared, tmp_path / "data"))


@pytest.fixture
def site(data: Path) -> Site:
    port, tls_port = free_ports(2)
    settings = Settings(data=str(data), port=port, tls_port=tls_port)
    return Site(settings, room=lambda _: PLENTY, open_files=lambda: 65_536)


def changed(site: Site, **settings: object) -> Site:
    return replace(site, settings=msgspec.structs.replace(site.settings, **settings))


def later(site: Site, days: float) -> Site:
    return replace(site, clock=lambda: time.time() + days * DAY)


def only(found: Sequence[Finding] | Iterator[Finding], entry: Entry) -> Finding:
    """The one finding with this entry; it can be told in both languages."""
    (finding,) = [one for one in found if one.entry is entry]
    for language in Language:
        assert finding.wording(language).remedy
        assert finding.told(language)["code"] == entry.code
    return finding


def test_all_is_well_after_a_first_start(site: Site) -> None:
    found = examine(site)

    assert [one for one in found if one.severity is not Severity.OK] == []
    checks = ("certificates", "clock", "disk", "files", "limits", "database", "keys", "jobs")
    assert {*checks, "settings", "blob store", "ports"} == {one.check for one in found}


def test_nothing_is_made_where_there_is_no_service(tmp_path: Path) -> None:
    settings = Settings(data=str(tmp_path / "nowhere"), port=free_ports(1)[0])
    found = examine(Site(settings))

    assert only(found, doctor.DATA_MISSING).severity is Severity.ERROR
    assert not (tmp_path / "nowhere").exists()


def test_a_check_that_breaks_is_a_finding(site: Site) -> None:
    def broken(path: str) -> Room:
        raise PermissionError(path)

    found = examine(replace(site, room=broken))
    assert only(found, doctor.CHECK_BROKEN).check == "disk"
    assert worst(found) is Severity.ERROR


@pytest.mark.parametrize(
    ("settings", "exposed"),
    [
        ({"host": "0.0.0.0", "tls_port": 0}, True),
        ({"host": "0.0.0.0"}, False),
        ({"host": "0.0.0.0", "tls_port": 0, "trusted_proxies": ("10.0.0.0/8",)}, False),
        ({"tls_port": 0}, False),
    ],
)
def test_plain_http_for_others(site: Site, settings: dict[str, object], *, exposed: bool) -> None:
    (finding,) = network.exposed(changed(site, **settings))

    assert (finding.entry is doctor.PLAIN_HTTP_EXPOSED) is exposed


def test_a_certificate_without_its_key(site: Site, data: Path) -> None:
    (data / "tls/server.key").unlink()
    finding = only(certificates.certificates(site), doctor.CERTIFICATE_UNREADABLE)

    assert finding.severity is Severity.ERROR


def test_a_certificate_with_another_key(site: Site, data: Path) -> None:
    shutil.copy(data / "tls/ca.key", data / "tls/server.key")
    finding = only(certificates.certificates(site), doctor.CERTIFICATE_UNREADABLE)

    assert "is not its own" in finding.wording().message


def test_the_operators_certificate_is_the_one_that_counts(site: Site, tmp_path: Path) -> None:
    broken = tmp_path / "mine.pem"
    broken.write_text("no certificate")
    mine = changed(site, tls_certificate=str(broken), tls_key=str(broken))

    finding = only(certificates.certificates(mine), doctor.CERTIFICATE_UNREADABLE)
    assert finding.facts["path"] == broken


def test_certificates_end(site: Site) -> None:
    soon = only(certificates.certificates(later(site, 380)), doctor.CERTIFICATE_ENDS_SOON)
    over = only(certificates.certificates(later(site, 398)), doctor.CERTIFICATE_EXPIRED)
    both = list(certificates.certificates(later(site, 10 * 365 + 1)))

    assert soon.severity is Severity.WARNING
    assert soon.facts["days"] == 16
    assert over.severity is Severity.ERROR
    assert {one.entry for one in both} == {doctor.CERTIFICATE_EXPIRED}
    assert len(both) == 2


def test_a_certificate_that_is_not_valid_yet(site: Site) -> None:
    found = list(certificates.certificates(later(site, -1)))
    assert {one.entry for one in found} == {doctor.CERTIFICATE_EXPIRED}


def test_a_certificate_for_other_hosts(site: Site, data: Path) -> None:
    ensure_server_certificate(data / "tls", ("*.example.com",))
    urls = ("https://registry.example.org", "https://a.example.com", "http://plain.example.org")
    finding = only(
        certificates.certificates(changed(site, public_urls=urls)), doctor.CERTIFICATE_NAMES
    )

    assert finding.facts["host"] == "registry.example.org"


def test_a_clock_that_was_set_back(site: Site) -> None:
    finding = only(machine.clock(later(site, -1)), doctor.CLOCK_BEHIND)

    assert finding.severity is Severity.ERROR
    assert finding.facts["seconds"] == pytest.approx(DAY, abs=600)


def test_a_clock_that_jumps_while_the_doctor_looks(site: Site) -> None:
    wall, counted = [1000.0, 1100.5], [10.0, 10.5]
    jumping = Site(site.settings, clock=lambda: wall.pop(0), monotonic=lambda: counted.pop(0))

    assert only(machine.clock_jumped(jumping), doctor.CLOCK_JUMPED).facts["seconds"] == 100.0
    assert not list(machine.clock_jumped(site))


@pytest.mark.parametrize(
    ("room", "entry", "severity"),
    [
        (Room(1, 100, 90, 100), doctor.DISK_FULL, Severity.ERROR),
        (Room(9, 100, 90, 100), doctor.DISK_LOW, Severity.WARNING),
        (Room(90, 100, 9, 100), doctor.INODES_LOW, Severity.WARNING),
        (Room(90, 100, 1, 100), doctor.INODES_LOW, Severity.ERROR),
    ],
)
def test_a_disk_that_fills(site: Site, room: Room, entry: Entry, severity: Severity) -> None:
    assert only(machine.disk(replace(site, room=lambda _: room)), entry).severity is severity


def test_a_filesystem_without_a_number_of_inodes(site: Site) -> None:
    found = machine.disk(replace(site, room=lambda _: Room(90, 100, 0, 0)))
    assert [one.severity for one in found] == [Severity.OK]


def test_secrets_that_others_can_read(site: Site, data: Path) -> None:
    data.chmod(0o755)
    (data / "master.key").chmod(0o644)
    for each in data.glob("wharfinger.db*"):
        each.chmod(0o600)
    finding = only(machine.files(site), doctor.FILE_MODE)

    assert finding.facts == {"path": data / "master.key", "mode": "0644", "wanted": "0600"}
    data.chmod(0o700)
    assert [one.severity for one in machine.files(site)] == [Severity.OK]


def test_a_key_of_the_operators_that_others_can_read(site: Site, tmp_path: Path) -> None:
    key = tmp_path / "mine.key"
    key.write_text("secret")
    key.chmod(0o640)
    mine = changed(site, tls_certificate=str(key), tls_key=str(key))

    assert only(machine.files(mine), doctor.FILE_MODE).facts["path"] == key


def test_too_few_open_files(site: Site) -> None:
    finding = only(machine.limits(replace(site, open_files=lambda: 256)), doctor.OPEN_FILES_LOW)

    assert finding.severity is Severity.WARNING


def test_a_database_that_is_damaged(site: Site, data: Path) -> None:
    path = data / "wharfinger.db"
    for each in data.glob("wharfinger.db-*"):
        each.unlink()
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 8192)
    found = examine(site)

    assert only(found, doctor.DATABASE_DAMAGED).severity is Severity.ERROR
    assert not {"keys", "jobs"} & {one.check for one in found}


def test_a_database_that_is_none(site: Site, data: Path) -> None:
    for each in data.glob("wharfinger.db-*"):
        each.unlink()
    (data / "wharfinger.db").write_bytes(b"something else" * 1000)

    only(stores.database(site), doctor.DATABASE_DAMAGED)


def test_a_database_server_that_is_away(site: Site) -> None:
    away = changed(site, database_url=f"postgresql://u:secret@127.0.0.1:{free_ports(1)[0]}/none")
    finding = only(stores.database(away), doctor.DATABASE_AWAY)

    assert finding.severity is Severity.ERROR
    assert "secret" not in str(finding.told())


def revise(data: Path, revision: str) -> None:
    with sqlite3.connect(data / "wharfinger.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
    connection.close()


def test_schemas_of_other_versions(site: Site, data: Path) -> None:
    revise(data, "0001")
    assert only(stores.database(site), doctor.DATABASE_OLD).severity is Severity.WARNING
    revise(data, "9999")
    assert only(stores.database(site), doctor.DATABASE_NEWER).severity is Severity.ERROR


def test_another_database_server(site: Site) -> None:
    with fresh_database() as url:
        shared = changed(site, database_url=url)
        apart = list(stores.database(later(shared, 1)))
        here = list(stores.database(shared))

    assert only(apart, doctor.CLOCK_APART).facts["seconds"] == pytest.approx(DAY, abs=60)
    assert not [one for one in here if one.entry is doctor.CLOCK_APART]


def test_a_blob_store_that_is_gone(site: Site, data: Path) -> None:
    shutil.rmtree(data / "blobs")

    assert only(stores.store(site), doctor.STORE_AWAY).severity is Severity.ERROR
    assert not (data / "blobs").exists()


def test_a_master_key_that_is_lost(site: Site, data: Path) -> None:
    (data / "master.key").unlink()

    assert only(examine(site), doctor.MASTER_KEY_MISSING).severity is Severity.ERROR
    assert not (data / "master.key").exists()


@pytest.mark.parametrize("content", [bytes(32), b"short"])
def test_a_master_key_of_something_else(site: Site, data: Path, content: bytes) -> None:
    (data / "master.key").write_bytes(content)

    assert only(stores.keys(site), doctor.MASTER_KEY_WRONG).severity is Severity.ERROR


def test_signing_keys_that_nobody_renews(site: Site) -> None:
    finding = only(stores.keys(later(site, 100)), doctor.SIGNING_KEY_OVERDUE)

    assert finding.facts == {"days": 100, "due": 90}
    assert finding.severity is Severity.WARNING


def add_job(site: Site, change: Callable[[SqlQueue, Job], object]) -> None:
    """Enqueue a job that was due an hour ago, claim it, and do ``change`` with it."""
    rooms = build_rooms(site.settings)
    now = time.time()
    with SqlJobStore(rooms.database).writing() as queue:
        queue.enqueue("mend", "hull", {}, now - 3600, now - 3600)
        job = queue.claim(["mend"], "somebody", now - 3000, now - 1200)
        assert job is not None
        change(queue, job)
    rooms.close()


def test_a_job_that_fails_again_and_again(site: Site) -> None:
    error = "Traceback\nOSError: no timber"
    add_job(site, lambda queue, job: queue.postpone(job, 0.0, attempts=7, error=error))
    finding = only(stores.jobs(site), doctor.JOB_FAILING)

    assert finding.facts["attempts"] == 7
    assert finding.facts["error"] == "OSError: no timber"


def test_a_job_that_nobody_takes(site: Site) -> None:
    hour_ago = time.time() - 3600
    add_job(site, lambda queue, job: queue.postpone(job, hour_ago, attempts=0, error=""))
    finding = only(stores.jobs(site), doctor.JOBS_WAIT)

    assert finding.facts["count"] == 1
    assert finding.facts["seconds"] == pytest.approx(3600, abs=300)


def test_a_job_whose_worker_died(site: Site) -> None:
    add_job(site, lambda queue, job: None)
    finding = only(stores.jobs(site), doctor.LEASES_ENDED)

    assert finding.facts["seconds"] == pytest.approx(1200, abs=300)


def test_a_port_that_another_program_has(site: Site) -> None:
    with socket.create_server(("127.0.0.1", site.settings.port)) as taken:
        thread = threading.Thread(target=greet, args=(taken,))
        thread.start()
        finding = only(network.ports(site), doctor.PORT_TAKEN)
        thread.join()

    assert finding.severity is Severity.ERROR


def greet(taken: socket.socket) -> None:
    connection, _ = taken.accept()
    with connection:
        connection.sendall(b"220 mail.example.com ESMTP\r\n")


def test_a_service_that_is_silent(site: Site, data: Path) -> None:
    descriptor = os.open(data / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    found = list(network.ports(site))
    os.close(descriptor)

    assert [one.entry for one in found] == [doctor.NOT_SERVED, doctor.NOT_SERVED]


def test_hosts_without_an_address(site: Site) -> None:
    known = {"registry.example.com"}
    urls = ("https://registry.example.com", "https://typo.example.com:8443")
    asked = replace(changed(site, public_urls=urls), resolves=known.__contains__)
    finding = only(network.hosts(asked), doctor.HOST_UNRESOLVED)

    assert finding.facts == {"host": "typo.example.com", "setting": "public_urls"}


def test_hosts_are_really_looked_up(site: Site) -> None:
    urls = ("http://localhost:5000", "http://nowhere.invalid")
    found = list(network.hosts(changed(site, public_urls=urls)))

    assert [one.severity for one in found] == [Severity.OK, Severity.WARNING]
