"""What a fault test did and saw: printed, and kept under ``build/faults``."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

WRITTEN: Final[list[str]] = []
"""The reports of this run, for its summary."""

FOLDER = Path(__file__).resolve().parents[2] / "build" / "faults"


class Report:
    """The counts of one test; ``seed`` repeats its choices."""

    def __init__(self, name: str, seed: int) -> None:
        self._name = name
        self._facts: dict[str, object] = {"test": name, "seed": seed}
        self._begun = time.monotonic()

    def add(self, counts: Mapping[str, object]) -> None:
        self._facts |= counts

    def write(self, outcome: str) -> None:
        seconds = round(time.monotonic() - self._begun, 1)
        facts = self._facts | {"outcome": outcome, "seconds": seconds}
        FOLDER.mkdir(parents=True, exist_ok=True)
        (FOLDER / f"{self._name}.json").write_text(json.dumps(facts, indent=2) + "\n")
        WRITTEN.append("".join(f"\n  {name}: {value}" for name, value in facts.items()))
