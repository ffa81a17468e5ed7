"""The table of figures: medians, ratios, targets, and what bounds each figure. Pure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

HEADINGS = ("figure", "unit", "ours", "peer", "ours/peer", "target", "", "bounded by")
ABSENT = "-"
CERTAIN = 1.96


@dataclass(frozen=True)
class Target:
    """What a figure should reach: a ratio to the peer, or a bound for its own value."""

    least_ratio: float | None = None
    most_ratio: float | None = None
    most_value: float | None = None
    least_value: float | None = None

    def met(self, ours: float, ratio: float | None) -> bool:
        """Whether the figure reaches the target; without a ratio none of a ratio is reached."""
        enough = self.least_ratio is None or (ratio is not None and ratio >= self.least_ratio)
        flat = self.most_ratio is None or (ratio is not None and ratio <= self.most_ratio)
        least = self.least_value is None or ours >= self.least_value
        return enough and flat and least and (self.most_value is None or ours <= self.most_value)

    def __str__(self) -> str:
        ratio = f">= {self.least_ratio:g}x" if self.least_ratio is not None else ""
        flat = f"<= {self.most_ratio:g}x" if self.most_ratio is not None else ""
        value = f"<= {self.most_value:g}" if self.most_value is not None else ""
        least = f">= {self.least_value:,g}" if self.least_value is not None else ""
        return " ".join(part for part in (ratio, flat, value, least) if part)


@dataclass(frozen=True)
class Figure:
    """One measured quantity: every round's value of either side, in ``unit``."""

    name: str
    unit: str
    bound: str
    ours: Sequence[float]
    peer: Sequence[float] = ()
    target: Target | None = None
    compared: bool = True  # False where a quotient would say nothing, as of two small growths
    paired: bool = False  # rounds belong together one by one, so they are divided one by one


def ratio(figure: Figure) -> float | None:
    """Ours divided by the peer's, of the medians or else the median of the pairs; or None."""
    if not (figure.ours and figure.peer and figure.compared):
        return None
    if figure.paired:
        return statistics.median(quotients(figure))
    divisor = statistics.median(figure.peer)
    return statistics.median(figure.ours) / divisor if divisor else None


def quotients(figure: Figure) -> list[float]:
    """Ours divided by the peer's, pair by pair."""
    return [ours / peer for ours, peer in zip(figure.ours, figure.peer, strict=True)]


def certain(values: Sequence[float]) -> tuple[float, float]:
    """Bounds that hold the true median with 95 %, whatever the distribution (sign test).

    They are the values at ranks n/2 -+ 0.98 sqrt(n) of the ordered ones, rounded outwards.
    """
    ordered, count = sorted(values), len(values)
    low = max(0, math.floor((count - CERTAIN * math.sqrt(count)) / 2) - 1)
    return ordered[low], ordered[count - 1 - low]


def number(value: float) -> str:
    """Three significant digits, and thousands apart."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value else "0"


def median(values: Sequence[float]) -> str:
    """The median of the rounds and, in brackets, the least and the greatest."""
    if not values:
        return ABSENT
    middle = number(statistics.median(values))
    if len(values) == 1:
        return middle
    return f"{middle} ({number(min(values))}..{number(max(values))})"


def row(figure: Figure) -> tuple[str, ...]:
    """The cells of a figure, in the order of `HEADINGS`."""
    quotient = ratio(figure)
    verdict = ""
    if figure.target is not None and figure.ours:
        verdict = _verdict(figure, figure.target, quotient)
    return (
        figure.name,
        figure.unit,
        median(figure.ours),
        median(figure.peer),
        _quotient(figure, quotient),
        ABSENT if figure.target is None else str(figure.target),
        verdict,
        figure.bound,
    )


def _quotient(figure: Figure, quotient: float | None) -> str:
    if quotient is None:
        return ABSENT
    if not figure.paired:
        return f"{number(quotient)}x"
    low, high = certain(quotients(figure))
    return f"{number(quotient)}x ({number(low)}..{number(high)})"


def _verdict(figure: Figure, target: Target, quotient: float | None) -> str:
    ours = statistics.median(figure.ours)
    if not figure.paired or quotient is None:
        return "met" if target.met(ours, quotient) else "MISSED"
    verdicts = {target.met(ours, bound) for bound in certain(quotients(figure))}
    return "undecided" if len(verdicts) > 1 else "met" if verdicts.pop() else "MISSED"


def render(figures: Sequence[Figure]) -> str:
    """A Markdown table with aligned columns."""
    rows = [HEADINGS, *(row(figure) for figure in figures)]
    widths = [max(len(cells[column]) for cells in rows) for column in range(len(HEADINGS))]
    lines = ["| " + " | ".join(_padded(cells, widths)) + " |" for cells in rows]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def _padded(cells: Sequence[str], widths: Sequence[int]) -> list[str]:
    return [cell.ljust(width) for cell, width in zip(cells, widths, strict=True)]
