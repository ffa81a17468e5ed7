"""Reads a server's figures as Prometheus does."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import httpx
from prometheus_client import parser

DEADLINE_SECONDS = 30.0
POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Figures:
    """One scrape: values by name and labels."""

    samples: Mapping[tuple[str, frozenset[tuple[str, str]]], float]

    def total(self, name: str, **labels: str) -> float:
        """Sum of all samples of a name that have at least these labels."""
        wanted = set(labels.items())
        return sum(v for (n, have), v in self.samples.items() if n == name and wanted <= have)

    def values(self, label: str) -> set[str]:
        """Every value that a label has anywhere."""
        return {value for _, labels in self.samples for name, value in labels if name == label}


def scrape(url: str, **options: Any) -> Figures:
    answer = httpx.get(f"{url}/metrics", timeout=30, **options).raise_for_status()
    families: Any = cast("Any", parser).text_string_to_metric_families(answer.text)
    return Figures(
        {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in families
            for sample in family.samples
        }
    )


def scrape_until(url: str, holds: Callable[[Figures], bool], what: str) -> Figures:
    """Scrape until the figures are as they should: processes report once a second."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        figures = scrape(url)
        if holds(figures):
            return figures
        time.sleep(POLL_SECONDS)
    raise AssertionError(f"{what}: not so after {DEADLINE_SECONDS:.0f} s")
