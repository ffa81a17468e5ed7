"""What a metric is: its name, kind, labels, and the bounds of its buckets."""

from enum import StrEnum

from msgspec import Struct


class Kind(StrEnum):
    """The types of the Prometheus text format that are used here."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Metric(Struct, frozen=True):
    """One metric; ``name`` has no suffix of its kind (``_total``, ``_bucket``).

    ``labels`` maps each label to what its values are, for people: all of them are bounded, by
    the code or by a setting, never by what clients send. ``bounds`` are a histogram's upper
    bounds, ascending; the one of infinity is added.
    """

    name: str
    kind: Kind
    help: str
    labels: tuple[tuple[str, str], ...] = ()
    bounds: tuple[float, ...] = ()

    @property
    def label_names(self) -> tuple[str, ...]:
        """The names of the labels, in the order of their values."""
        return tuple(name for name, _ in self.labels)

    @property
    def shown(self) -> str:
        """The name by which a query finds it."""
        suffix = {Kind.COUNTER: "_total", Kind.HISTOGRAM: "_bucket"}.get(self.kind, "")
        return self.name + suffix

    def __hash__(self) -> int:
        """Hash by the name, which nothing else has."""
        return hash(self.name)
