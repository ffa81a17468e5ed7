"""A server on one of the backends, with clients, and what is checked at the end of each play."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import create_engine, text

from tests.faults.crew import Crew
from tests.faults.killer import wait_for
from tests.faults.report import FOLDER, Report
from tests.support.postgres import Cluster, shared_cluster
from tests.support.s3 import S3Server
from tests.support.server import Operator, Server, wharfd

QUICKLY = {"WHARFINGER_COLLECTION_GRACE_SECONDS": "4"}
"""For plays in which no push is held up for long."""

SETTINGS = {
    "WHARFINGER_WORKERS": "3",
    "WHARFINGER_LOG_LEVEL": "debug",
    "WHARFINGER_LOG_FORMAT": "json",
    "WHARFINGER_DRAIN_SECONDS": "0",
    "WHARFINGER_SHUTDOWN_SECONDS": "5",
    "WHARFINGER_REGISTRY_TOKEN_SECONDS": "3600",
    # Collection all the time, of what is a few seconds old: it meets pushes everywhere.
    "WHARFINGER_COLLECTION_GRACE_SECONDS": "16",
    "WHARFINGER_COLLECTION_INTERVAL_SECONDS": "1",
    "WHARFINGER_COLLECTION_SHARE_PERCENT": "100",
    "WHARFINGER_DISCARD_DELAY_SECONDS": "1",
    "WHARFINGER_TRASH_DAYS": "0",
    "WHARFINGER_JOBS_POLL_SECONDS": "0.2",
    "WHARFINGER_JOBS_LEASE_SECONDS": "2",
    "WHARFINGER_UPLOAD_LEASE_SECONDS": "2",
}


@dataclass
class Stage:
    """One server and where it keeps what it knows."""

    server: Server
    database: str
    cluster: Cluster | None = None
    s3: S3Server | None = None
    crews: list[Crew] = field(default_factory=list)

    @property
    def operator(self) -> Operator:
        return Operator.of(self.server)

    def crew(self, seed: int, clients: int = 8, *, uploads_last: bool = True) -> Crew:
        tenant = self.operator.create_tenant(f"crew{len(self.crews)}")
        grace = int(self.server.settings["WHARFINGER_COLLECTION_GRACE_SECONDS"])
        crew = Crew(tenant, seed, grace, clients, uploads_last=uploads_last)
        self.crews.append(crew)
        return crew

    def blobs(self) -> set[str]:
        """The digests of all blobs that the database knows."""
        engine = create_engine(self.database)
        try:
            with engine.connect() as connection:
                return set(connection.execute(text("SELECT digest FROM blobs")).scalars())
        finally:
            engine.dispose()

    def require_whole(self) -> None:
        """What was acknowledged is there; what nothing needs is collected; fsck finds nothing."""
        for crew in self.crews:
            crew.verify()
        live = set().union(*(crew.live() for crew in self.crews))
        wait_for(lambda: self.blobs() <= live, "collection leaves nothing that is not needed", 90)
        assert live == self.blobs()
        for crew in self.crews:
            crew.verify()
        self._fsck()

    def _fsck(self) -> None:
        done = subprocess.run(
            [wharfd(), "fsck", "--deep", "--rate", "1000"],
            env=self.server.environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def embedded(folder: Path, **settings: str) -> Iterator[Stage]:
    data = folder / "data"
    with Server(data, settings={**SETTINGS, **settings}) as server:
        yield Stage(server, f"sqlite:///{data / 'wharfinger.db'}")


@contextmanager
def apart(
    folder: Path,
    s3: S3Server,
    endpoint: str = "",
    cluster: Cluster | None = None,
    /,
    **settings: str,
) -> Iterator[Stage]:
    """PostgreSQL, in the cluster that tests share or in another one, and an object store."""
    cluster = cluster or shared_cluster()
    url = cluster.create()
    own = {
        "WHARFINGER_DATABASE_URL": url,
        "WHARFINGER_BLOBS_URL": s3.blobs_url(endpoint=endpoint),
    }
    with ExitStack() as stack:
        stack.callback(cluster.drop, url)
        server = stack.enter_context(
            Server(folder / "data", settings={**SETTINGS, **own, **settings})
        )
        driver = url.replace("postgresql://", "postgresql+psycopg://", 1)
        yield Stage(server, driver, cluster, s3)


@contextmanager
def reported(name: str, seed: int, stage: Stage, crew: Crew) -> Iterator[Report]:
    """Write the report of a play, however it ends, and keep the server's log of one that fails."""
    report, outcome = Report(name, seed), "good"
    try:
        yield report
    except BaseException:
        outcome = "failed"
        FOLDER.mkdir(parents=True, exist_ok=True)
        shutil.copy(stage.server.log, FOLDER / f"{name}.log")
        raise
    finally:
        report.add(crew.tally.told())
        report.write(outcome)
