"""A real PostgreSQL for tests: one cluster a test process, a fresh database a test from a template.

The cluster is made with ``initdb`` in a temporary folder, listens on a free port of the loopback
and ends with the process that made it. Nothing is synced to disk: it survives being killed, which
is what tests do to it, but not a power failure.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Self

import psycopg
from psycopg import sql

from tests.support.server import free_ports
from tests.support.tools import ensure
from wharfinger.database import migrate

USER = "wharfinger"
TEMPLATE = "wharfinger_template"
START_SECONDS = 60.0
STOP_SECONDS = 60.0
POLL_SECONDS = 0.05
SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "shared_buffers": "32MB",
    "unix_socket_directories": "",
    "listen_addresses": "127.0.0.1",
    "max_wal_size": "256MB",
    "autovacuum": "off",
}


class ClusterFailedError(Exception):
    """The cluster did not start or stop; carries the end of its log."""


class Cluster:
    """One PostgreSQL server over a folder of its own; ports stay the same over `start`.

    ``settings`` win over `SETTINGS`.
    """

    def __init__(self, folder: Path, settings: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self._settings = {**SETTINGS, **(settings or {})}
        self.port = free_ports(1)[0]
        self._log = folder / "log"
        self._process: subprocess.Popen[bytes] | None = None
        self._names = itertools.count()

    def __enter__(self) -> Self:
        self._own()
        # Bytes in another order than "C" would give, so that a missing COLLATE shows.
        arguments = ["-U", USER, "-A", "trust", "--no-sync", "-E", "UTF8"]
        locale = ["--locale-provider=icu", "--icu-locale=en-US", "--locale=C.UTF-8"]
        self._run("initdb", "-D", str(self.folder / "data"), *arguments, *locale)
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop("immediate")
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self) -> None:
        """Starts the server and waits until it answers; it ends with the thread that calls."""
        options = [f"--{name}={value}" for name, value in self._settings.items()]
        place = ["-D", str(self.folder / "data"), "-p", str(self.port)]
        command = self._command("postgres", *place, *options)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, cwd=self.folder, start_new_session=True
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise ClusterFailedError(self._log.read_text(errors="replace")[-4000:])
            time.sleep(POLL_SECONDS)

    def stop(self, mode: str = "fast") -> None:
        """Stops the server: ``fast`` ends sessions first, ``immediate`` is a crash."""
        if self._process is None:
            return
        number = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT}[mode]
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)
        self._process.wait(STOP_SECONDS)
        self._process = None

    def create(self, template: str = TEMPLATE) -> str:
        """Creates a database as ``template`` is; returns its SQLAlchemy URL."""
        name = f"t{next(self._names)}"
        # No connection of the template's may stand open, and copying files needs no log.
        self.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
        return self.url(name)

    def drop(self, url: str) -> None:
        """Drops a database, whoever is still connected to it."""
        name = sql.Identifier(url.rpartition("/")[2])
        self.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))

    def url(self, name: str) -> str:
        """The SQLAlchemy URL of a database."""
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{name}"

    def execute(self, statement: sql.SQL | sql.Composed, database: str = "postgres") -> None:
        """Runs one statement of its own."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            connection.execute(statement)

    def make_template(self) -> None:
        """Makes the database that `create` copies: empty, with the newest schema."""
        self.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(TEMPLATE)))
        migrate.upgrade(self.url(TEMPLATE))

    def _answers(self) -> bool:
        try:
            self.execute(sql.SQL("SELECT 1"))
        except psycopg.OperationalError:
            return False
        return True

    def _own(self) -> None:
        """Gives the folder to the user that the server runs as: never root."""
        if os.geteuid() == 0:
            entry = pwd.getpwnam("postgres")
            os.chown(self.folder, entry.pw_uid, entry.pw_gid)

    def _command(self, tool: str, *arguments: str) -> list[str]:
        return [*_prefix(), str(ensure(tool)), *arguments]

    def _run(self, tool: str, *arguments: str) -> None:
        done = subprocess.run(
            self._command(tool, *arguments),
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=START_SECONDS,
            check=False,
        )
        if done.returncode != 0:
            raise ClusterFailedError(done.stdout[-4000:])


def _prefix() -> list[str]:
    """What a command of PostgreSQL begins with: it never runs as root, nor outlives the tests."""
    prefix = ["setpriv", "--pdeathsig", "QUIT"]
    if os.geteuid() == 0:
        prefix += ["--reuid=postgres", "--regid=postgres", "--clear-groups"]
    return prefix


@functools.cache
def shared_cluster() -> Cluster:
    """The cluster of this process, with a template; it ends with the process."""
    cluster = Cluster(Path(tempfile.mkdtemp(prefix="wharfinger-pg-")))
    atexit.register(cluster.__exit__)
    cluster.__enter__()
    cluster.make_template()
    return cluster


@contextlib.contextmanager
def fresh_database(template: str = TEMPLATE) -> Iterator[str]:
    """A database of the shared cluster with the newest schema and nothing in it; its URL.

    ``template`` "template1" gives one without any schema.
    """
    cluster = shared_cluster()
    url = cluster.create(template)
    try:
        yield url
    finally:
        cluster.drop(url)
