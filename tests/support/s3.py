"""A real S3 server for tests: versitygw over a folder, on the loopback, with keys of its own."""

from __future__ import annotations

import atexit
import functools
import os
import secrets
import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session

from tests.support.server import ServerFailedError, free_ports
from tests.support.tools import ensure
from wharfinger.blobstore.object_store.client import Client, Patience
from wharfinger.blobstore.object_store.store import MIB, ObjectStore, Sizes
from wharfinger.bucket import Bucket, parse_bucket

REGION = "test-region-1"
BUCKET = "wharfinger-tests"
READY_SECONDS = 30.0
POLL_SECONDS = 0.05
ATTEMPTS = 3


class S3Server:
    """One versitygw process with one bucket; every test takes a prefix of its own.

    It checks signatures, so that who does not know the keys gets nothing.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.access_key = f"AK{secrets.token_hex(8).upper()}"
        self.secret_key = secrets.token_urlsafe(30)
        self.log = folder / "versitygw.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables that a process needs to use the server; nothing else of the machine's."""
        return {
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def rot(self, key: str, content: bytes) -> None:
        """Let an object's bytes be others, of the same number, without telling the server."""
        with (self._folder / "data" / BUCKET / key).open("r+b") as file:
            file.write(content)

    def start(self) -> None:
        """Start on a free port, the former one after `stop`, and wait until the bucket is there."""
        for name in ("data", "sidecar"):
            (self._folder / name).mkdir(parents=True, exist_ok=True)
        for attempt in range(1, ATTEMPTS + 1):
            fresh = not self.port
            self.port = self.port or free_ports(1)[0]
            self._spawn()
            try:
                self._wait_ready()
            except ServerFailedError:
                self.stop()
                if not fresh or attempt == ATTEMPTS:
                    raise
                self.port = 0
            else:
                return

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def client(self) -> Any:
        """A client of the server, to look what is stored and to break it."""
        return Session().create_client(
            "s3",
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            config=Config(
                s3={"addressing_style": "path"},
                connect_timeout=5,
                read_timeout=10,
                retries={"mode": "standard", "total_max_attempts": 1},
            ),
        )

    def store(
        self,
        endpoint: str = "",
        prefix: str = "",
        client: Callable[[Bucket, Patience], Client] = Client,
        **patience: float,
    ) -> ObjectStore:
        """A store with a prefix of its own; the keys come from this process's environment."""
        bounds = {"seconds": 5.0, "attempts": 3, "connections": 16, **patience}
        bucket = parse_bucket(self.blobs_url(prefix, endpoint))
        calm = Patience(bounds["seconds"], int(bounds["attempts"]), int(bounds["connections"]))
        return ObjectStore(client(bucket, calm), Sizes(part=5 * MIB, blob=1024 * MIB, uploads=4))

    def blobs_url(self, prefix: str = "", endpoint: str = "", **more: str) -> str:
        """A ``blobs_url`` below a prefix that nobody else has, maybe through a proxy."""
        prefix = prefix or f"t/{uuid.uuid4()}"
        query = {"endpoint": endpoint or self.endpoint, "region": REGION, **more}
        pairs = "&".join(f"{name}={quote(value, safe='')}" for name, value in query.items())
        return f"s3://{BUCKET}/{prefix}?{pairs}"

    def _spawn(self) -> None:
        command = ["setpriv", "--pdeathsig", "KILL"]
        command += [str(ensure("versitygw")), "--quiet", "--keep-alive", "--region", REGION]
        command += ["--port", f"127.0.0.1:{self.port}", "posix"]
        command += ["--sidecar", str(self._folder / "sidecar"), str(self._folder / "data")]
        keys = {
            "ROOT_ACCESS_KEY_ID": self.access_key,
            "ROOT_SECRET_ACCESS_KEY": self.secret_key,
        }
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                env={**os.environ, **keys},
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def _wait_ready(self) -> None:
        client, deadline = self.client(), time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if self._process is not None and self._process.poll() is not None:
                break
            try:
                client.create_bucket(Bucket=BUCKET)
            except ClientError as error:
                if error.response["Error"]["Code"] == "BucketAlreadyOwnedByYou":
                    return
                raise
            except BotoCoreError:
                time.sleep(POLL_SECONDS)
            else:
                return
        raise ServerFailedError(f"versitygw is not ready:\n{self.log.read_text()[-2000:]}")


@functools.cache
def shared_s3() -> S3Server:
    """The server of this process; it ends with the process."""
    folder = Path(tempfile.mkdtemp(prefix="wharfinger-s3-"))
    server = S3Server(folder)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(server.stop)
    server.start()
    return server
