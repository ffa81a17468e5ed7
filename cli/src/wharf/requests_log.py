"""The last requests that a service refused: their ids are what an operator asks for."""

import time
from pathlib import Path
from typing import Any, Final

from wharf.folder import locked, read_json, write_json
from wharfinger_common.clients.errors import Answered

FILE: Final = "requests.json"
LOCK: Final = ".requests.lock"
KEPT: Final = 20


def note(folder: Path, refusal: Answered) -> None:
    """Remember a refusal: when, its codes and its request id."""
    entry = {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "request_id": refusal.request_id,
        "status": refusal.status,
        "code": refusal.known or refusal.code,
    }
    with locked(folder / LOCK):
        write_json(folder / FILE, {"requests": [*read(folder), entry][-KEPT:]})


def read(folder: Path) -> list[Any]:
    """Return what is remembered, oldest first."""
    kept = read_json(folder / FILE).get("requests")
    return kept if isinstance(kept, list) else []
