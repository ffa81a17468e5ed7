"""A client that goes on until it is told yes, as people and their CI do."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import httpx

from tests.faults.ledger import MANIFEST, Image, Repository, Tally, digest_of
from tests.support.server import Tenant

PATIENCE_SECONDS = 120.0
PAUSE_SECONDS = 0.05
LONGEST_PAUSE = 1.0
TIMEOUT = httpx.Timeout(30.0, connect=5.0)
RETRIED = {401, 429, 502, 503, 504, 507}


class BrokenPromiseError(AssertionError):
    """The server lost something it had acknowledged, or failed in a way that nobody may see."""


class GaveUpError(AssertionError):
    """The server did not say yes within `PATIENCE_SECONDS`."""


@dataclass
class _Half:
    """An upload of which ``size`` bytes were acknowledged; whether its end was asked for."""

    place: str
    size: int
    finishing: bool = False


class Client:
    """Pushes, reads and deletes in one repository.

    ``grace`` is for how many seconds a pushed blob is kept that no manifest needs: within it the
    server may not say that it does not know the blob. ``uploads_last``: it forgets no byte of an
    upload that it acknowledged, whatever is done to it.
    """

    def __init__(
        self,
        tenant: Tenant,
        repository: Repository,
        neighbours: Sequence[str],
        tally: Tally,
        source: random.Random,
        grace: float,
        *,
        uploads_last: bool = True,
    ) -> None:
        self.repository = repository
        self._tenant = tenant
        self._neighbours = list(neighbours)
        self._tally = tally
        self._source = source
        # The server counts in whole seconds.
        self._grace = grace - 2
        self._base = f"/v2/{repository.name}"
        self._known: dict[str, float] = {}
        self._uploads_last = uploads_last
        self._halves: dict[str, _Half] = {}
        self._http = httpx.Client(base_url=str(tenant.http.base_url), timeout=TIMEOUT)
        self._token = ""

    def close(self) -> None:
        self._http.close()

    def push(self, image: Image, *tags: str) -> None:
        """Push an image and give it its tag and further ones."""
        for tag in (image.tag, *tags):
            self._insist("push", lambda tag=tag: self._pushed(image, tag))  # type: ignore[misc]
            self.repository.pushed(image, tag)

    def delete(self, digest: str) -> None:
        """Delete a manifest; one that is gone already was deleted by an unanswered attempt."""

        def attempt() -> bool:
            answer = self._send("DELETE", f"{self._base}/manifests/{digest}")
            return answer.status_code in {202, 404}

        self._insist("delete", attempt)
        self.repository.deleted(digest)

    def delete_tag(self, tag: str) -> None:
        """Delete a tag; the manifest stays."""

        def attempt() -> bool:
            answer = self._send("DELETE", f"{self._base}/manifests/{tag}")
            return answer.status_code in {202, 404}

        self._insist("delete tag", attempt)
        self.repository.tag_deleted(tag)

    def push_and_delete(self, blob: bytes) -> None:
        """Push a blob that no manifest needs, and take it out of the repository again."""
        digest = digest_of(blob)

        def attempt() -> bool:
            answer = self._send("DELETE", f"{self._base}/blobs/{digest}")
            return answer.status_code in {202, 404}

        self._insist("push blob", lambda: self._has_blob(blob) or self._push_blob(blob))
        self._insist("delete blob", attempt)
        self.repository.unlinked.add(digest)

    def verify(self) -> None:
        """Read everything back that was acknowledged, and look for what was deleted."""
        for tag, digest in self.repository.tags.items():
            self._insist("verify", lambda t=tag, d=digest: self._has_tag(t, d))  # type: ignore[misc]
        for image in self.repository.images.values():
            self._insist("verify", lambda i=image: self._has_image(i))  # type: ignore[misc]
        for reference in self.repository.removed | self.repository.untagged:
            self._insist("verify", lambda r=reference: self._lacks(f"manifests/{r}"))  # type: ignore[misc]
        for digest in self.repository.unlinked:
            self._insist("verify", lambda d=digest: self._lacks(f"blobs/{d}"))  # type: ignore[misc]
        self._insist("verify", self._lists_tags)

    def pull(self, tag: str) -> None:
        """Read one tag with all it needs."""
        digest = self.repository.tags[tag]
        self._insist("pull", lambda: self._has_tag(tag, digest))
        self._insist("pull", lambda: self._has_image(self.repository.images[digest]))

    def _has_tag(self, tag: str, digest: str) -> bool:
        answer = self._send("GET", f"{self._base}/manifests/{tag}")
        return self._is(answer, digest, f"tag {tag}")

    def _has_image(self, image: Image) -> bool:
        answer = self._send("GET", f"{self._base}/manifests/{image.digest}")
        if not self._is(answer, image.digest, f"manifest {image.digest}"):
            return False
        for blob in map(digest_of, image.blobs):
            answer = self._send("GET", f"{self._base}/blobs/{blob}")
            if not self._is(answer, blob, f"blob {blob}"):
                return False
        return True

    def _is(self, answer: httpx.Response, digest: str, what: str) -> bool:
        if answer.status_code == 404:
            raise BrokenPromiseError(f"{what} of {self.repository.name} is gone: {answer.text}")
        if answer.status_code != 200:
            return False
        if digest_of(answer.content) != digest:
            raise BrokenPromiseError(f"{what} of {self.repository.name} has other bytes")
        self._tally.add("contents read back")
        return True

    def _lacks(self, what: str) -> bool:
        answer = self._send("GET", f"{self._base}/{what}")
        if answer.status_code == 200:
            raise BrokenPromiseError(f"{what} is there after its deletion")
        if answer.status_code == 404:
            self._tally.add("deletions seen to last")
        return answer.status_code == 404

    def _lists_tags(self) -> bool:
        answer = self._send("GET", f"{self._base}/tags/list")
        if answer.status_code != 200:
            return False
        listed = set(answer.json()["tags"] or ())
        if listed != set(self.repository.tags):
            raise BrokenPromiseError(f"tags of {self.repository.name}: {sorted(listed)}")
        return True

    def _pushed(self, image: Image, tag: str) -> bool:
        for blob in image.blobs:
            if not self._has_blob(blob) and not self._push_blob(blob):
                return False
        answer = self._send(
            "PUT",
            f"{self._base}/manifests/{tag}",
            content=image.manifest,
            headers={"Content-Type": MANIFEST},
        )
        if answer.status_code == 404 and self._all_promised(image):
            raise BrokenPromiseError(f"a blob of {image.digest} is gone: {answer.text}")
        return answer.status_code == 201

    def _all_promised(self, image: Image) -> bool:
        now = time.monotonic()
        return all(self._known.get(digest_of(blob), 0) > now for blob in image.blobs)

    def _promise(self, blob: bytes, seconds: float) -> None:
        digest = digest_of(blob)
        until = time.monotonic() + seconds
        self._known[digest] = max(until, self._known.get(digest, 0))

    def _has_blob(self, blob: bytes) -> bool:
        begun = time.monotonic()
        answer = self._send("HEAD", f"{self._base}/blobs/{digest_of(blob)}")
        if answer.status_code == 200:
            # Whoever is told that a blob exists has a quarter of the grace to use it.
            self._promise(blob, self._grace / 4 - (time.monotonic() - begun))
        return answer.status_code == 200

    def _push_blob(self, blob: bytes) -> bool:
        begun = time.monotonic()
        way = self._source.choice([self._at_once, self._in_chunks, self._mounted])
        if digest_of(blob) in self._halves:
            way = self._resumed
        if not way(blob):
            return False
        self._promise(blob, self._grace - (time.monotonic() - begun))
        self._tally.add("blobs acknowledged")
        return True

    def _at_once(self, blob: bytes) -> bool:
        query = {"digest": digest_of(blob)}
        path = f"{self._base}/blobs/uploads/"
        return self._send("POST", path, params=query, content=blob).status_code == 201

    def _in_chunks(self, blob: bytes) -> bool:
        opened = self._send("POST", f"{self._base}/blobs/uploads/")
        return opened.status_code == 202 and self._rest(opened, blob)

    def _mounted(self, blob: bytes) -> bool:
        query = {"mount": digest_of(blob), "from": self._source.choice(self._neighbours)}
        opened = self._send("POST", f"{self._base}/blobs/uploads/", params=query)
        if opened.status_code == 201:
            self._tally.add("blobs mounted")
            return True
        return opened.status_code == 202 and self._rest(opened, blob)

    def _rest(self, opened: httpx.Response, blob: bytes) -> bool:
        half = len(blob) // 2
        sent = self._send("PATCH", opened.headers["Location"], content=blob[:half])
        if sent.status_code != 202:
            return False
        self._halves[digest_of(blob)] = _Half(sent.headers["Location"], half)
        return self._finished(blob, half)

    def _finished(self, blob: bytes, stored: int) -> bool:
        digest = digest_of(blob)
        half = self._halves[digest]
        half.finishing = True
        answer = self._send("PUT", half.place, params={"digest": digest}, content=blob[stored:])
        if answer.status_code == 201:
            del self._halves[digest]
        return answer.status_code == 201

    def _resumed(self, blob: bytes) -> bool:
        """Go on with an upload of which a part was acknowledged, before something broke."""
        half = self._halves[digest_of(blob)]
        answer = self._send("GET", half.place)
        if answer.status_code not in {204, 404}:
            return False
        stored = int(answer.headers.get("Range", "0--1").rpartition("-")[2]) + 1
        if stored < half.size:
            # Its end may have come through unheard, or got as far as to take the bytes away.
            if self._uploads_last and not half.finishing:
                raise BrokenPromiseError(f"{stored} of {half.size} bytes: {answer.text}")
            self._tally.add("uploads begun anew")
            del self._halves[digest_of(blob)]
            return False
        self._tally.add("uploads resumed")
        return self._finished(blob, stored)

    def _send(self, method: str, path: str, **options: object) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self._token}", **options.pop("headers", {})}  # type: ignore[dict-item]
        answer = self._http.request(method, path, headers=headers, **options)  # type: ignore[arg-type]
        self._tally.add("requests answered")
        if answer.status_code == 401:
            self._token = ""
        if answer.status_code == 500:
            raise BrokenPromiseError(f"{method} {path}: {answer.text}")
        if answer.status_code in {503, 507}:
            self._tally.add(f"answers with {answer.status_code}")
        return answer

    def _insist(self, what: str, attempt: Callable[[], bool]) -> None:
        """Try until it succeeds; a dying server, and what it tells to try again, are borne."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        pause, last = PAUSE_SECONDS, "no attempt"
        while time.monotonic() < deadline:
            try:
                if not self._token:
                    self._sign_in()
                if attempt():
                    self._tally.add(f"{what}: acknowledged")
                    return
                last = "was not told yes"
            except httpx.TransportError as error:
                last = repr(error)
                self._tally.add("connections broken")
            self._tally.add(f"{what}: tried again")
            time.sleep(pause * self._source.uniform(0.5, 1.0))
            pause = min(2 * pause, LONGEST_PAUSE)
        raise GaveUpError(f"{what} in {self.repository.name}: {last}")

    def _sign_in(self) -> None:
        names = [self.repository.name, *self._neighbours]
        scopes = [f"repository:{name}:pull,push,delete" for name in names]
        answer = self._http.get(
            "/oauth/token",
            params={"service": "registry", "scope": scopes},
            auth=httpx.BasicAuth("iamapikey", self._tenant.api_key),
        )
        if answer.status_code == 200:
            self._token = answer.json()["token"]
        elif answer.status_code not in RETRIED:
            raise BrokenPromiseError(f"sign-in: {answer.status_code} {answer.text}")
