"""The table of figures: medians, ratios, targets, and what bounds each figure. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

HEADINGS = ("figure", "unit", "ours", "peer", "ours/peer", "target", "", "bounded by")
ABSENT = "-"


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


def ratio(figure: Figure) -> float | None:
    """Median of ours divided by the median of the peer; None where there is no such quotient."""
    if not (figure.ours and figure.peer and figure.compared):
        return None
    divisor = statistics.median(figure.peer)
    return statistics.median(figure.ours) / divisor if divisor else None


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
        met = figure.target.met(statistics.median(figure.ours), quotient)
        verdict = "met" if met else "MISSED"
    return (
        figure.name,
        figure.unit,
        median(figure.ours),
        median(figure.peer),
        ABSENT if quotient is None else f"{number(quotient)}x",
        ABSENT if figure.target is None else str(figure.target),
        verdict,
        figure.bound,
    )


def render(figures: Sequence[Figure]) -> str:
    """A Markdown table with aligned columns."""
    rows = [HEADINGS, *(row(figure) for figure in figures)]
    widths = [max(len(cells[column]) for cells in rows) for column in range(len(HEADINGS))]
    lines = ["| " + " | ".join(_padded(cells, widths)) + " |" for cells in rows]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def _padded(cells: Sequence[str], widths: Sequence[int]) -> list[str]:
    return [cell.ljust(width) for cell, width in zip(cells, widths, strict=True)]
