"""Many clients at once, each in a repository of its own, until each has done its cycles."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass

from tests.faults.client import Client
from tests.faults.ledger import Layers, Repository, Tally, digest_of
from tests.support.server import Tenant

CLIENTS = 8
KEPT_IMAGES = 3
ODDS = 0.3
"""How often a cycle deletes a tag, and how often a blob."""


@dataclass
class _Worker:
    """A client, its choices, and how many cycles it has begun."""

    client: Client
    source: random.Random
    cycles: int = 0


class Crew:
    """Clients in cycles: push, tag, pull, and delete tags, blobs and old images."""

    def __init__(
        self,
        tenant: Tenant,
        seed: int,
        grace: float,
        clients: int = CLIENTS,
        *,
        uploads_last: bool = True,
    ) -> None:
        names = [f"{tenant.namespace}/r{number}" for number in range(clients)]
        self.tenant = tenant
        self.tally = Tally()
        self._layers = Layers(seed)
        self._errors: list[BaseException] = []
        self._wanted, self._harm = 0, threading.Event()
        self._clients = [
            Client(
                tenant,
                Repository(name),
                [other for other in names if other != name],
                self.tally,
                random.Random(f"{seed}:{name}"),
                grace,
                uploads_last=uploads_last,
            )
            for name in names
        ]
        self._workers = [
            _Worker(client, random.Random(f"{seed}:{number}"))
            for number, client in enumerate(self._clients)
        ]

    def run(self, cycles: int, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Run at least so many cycles, and on until the harm that ``meanwhile`` does is done.

        Raises what the first client raised that failed.
        """
        self._wanted, self._harm = self.tally["cycles"] + cycles, threading.Event()
        threads = [threading.Thread(target=self._work, args=(worker,)) for worker in self._workers]
        for thread in threads:
            thread.start()
        try:
            meanwhile()
        finally:
            self._harm.set()
            for thread in threads:
                thread.join()
        if self._errors:
            raise self._errors[0]

    @property
    def failed(self) -> bool:
        """Whether a client has failed already."""
        return bool(self._errors)

    def verify(self) -> None:
        """Read back everything that was acknowledged."""
        for client in self._clients:
            client.verify()

    def live(self) -> set[str]:
        """The digests of all blobs that a manifest needs."""
        return {
            digest_of(blob)
            for client in self._clients
            for image in client.repository.images.values()
            for blob in image.blobs
        }

    def close(self) -> None:
        for client in self._clients:
            client.close()

    def _work(self, worker: _Worker) -> None:
        try:
            while not self._errors and not (
                self._harm.is_set() and self.tally["cycles"] >= self._wanted
            ):
                self._cycle(worker)
        except BaseException as error:
            self._errors.append(error)

    def _cycle(self, worker: _Worker) -> None:
        client, repository = worker.client, worker.client.repository
        worker.cycles += 1
        image = self._layers.image(worker.source, f"v{worker.cycles}")
        client.push(image, "latest")
        client.pull("latest")
        if worker.source.random() < ODDS:
            client.delete_tag(image.tag)
        if worker.source.random() < ODDS:
            client.push_and_delete(worker.source.randbytes(worker.source.randint(1, 20_000)))
        if len(repository.images) > KEPT_IMAGES:
            client.delete(next(iter(repository.images)))
        self.tally.add("cycles")
