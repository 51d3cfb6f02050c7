"""Counters and histograms as plain numbers, made into the library's families when somebody looks.

The library's own take a lock and look up their labels at every step, which a request would notice. All work
is done in one thread here. Labels are words of ours from a short list, never anything that somebody sent.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import accumulate
from operator import add

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

Labels = tuple[str, ...]


class Count(Collector):
    """A counter. What is listed `at_first` is there with 0, so that its first step can be seen."""

    def __init__(
        self, name: str, meaning: str, *labels: str, at_first: Iterable[Labels] = ()
    ) -> None:
        self._name, self._meaning, self._labels = name, meaning, labels
        self._counts: dict[Labels, int] = dict.fromkeys(at_first if labels else [()], 0)

    def count(self, *values: str, by: int = 1) -> None:
        """Count so many; `values` are those of the labels."""
        self._counts[values] = self._counts.get(values, 0) + by

    def collect(self) -> Iterator[Metric]:
        """The family."""
        family = CounterMetricFamily(self._name, self._meaning, labels=self._labels)
        for values, count in self._counts.items():
            family.add_metric(values, count)
        yield family


class Spread(Collector):
    """A histogram: how many values there were up to each bound, and their sum."""

    def __init__(
        self,
        name: str,
        meaning: str,
        bounds: Sequence[float],
        *labels: str,
        at_first: Iterable[Labels] = (),
    ) -> None:
        self._name, self._meaning, self._labels = name, meaning, labels
        self._bounds = tuple(bounds)
        self._cells = {values: Cell(bounds) for values in (at_first if labels else [()])}

    def observe(self, value: float, *values: str) -> None:
        """Count a value; `values` are those of the labels."""
        cell = self._cells.get(values)
        if cell is None:
            cell = self._cells[values] = Cell(self._bounds)
        cell.observe(value)

    def collect(self) -> Iterator[Metric]:
        """The family."""
        yield histogram(self._name, self._meaning, self._labels, self._cells)


class Cell:
    """Values counted by bounds; the last count is of those above all of them."""

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        """Count a value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value

    def merge(self, other: "Cell") -> None:
        """Count the values of another with the same bounds."""
        self.counts = list(map(add, self.counts, other.counts))
        self.sum += other.sum


def histogram(
    name: str, meaning: str, labels: Sequence[str], cells: Mapping[Labels, Cell]
) -> HistogramMetricFamily:
    """A family of cells, by the values of its labels."""
    family = HistogramMetricFamily(name, meaning, labels=labels)
    for values, cell in cells.items():
        words = [*map(str, map(float, cell.bounds)), "+Inf"]
        family.add_metric(values, list(zip(words, accumulate(cell.counts), strict=True)), cell.sum)
    return family


def gauge(name: str, meaning: str, value: float | None) -> GaugeMetricFamily:
    """What something is now; None: nobody knows, and nothing is said."""
    family = GaugeMetricFamily(name, meaning)
    if value is not None:
        family.add_metric((), value)
    return family


def gauges(
    name: str, meaning: str, label: str, values: Iterable[tuple[str, float | None]]
) -> GaugeMetricFamily:
    """The same for each value of a label."""
    family = GaugeMetricFamily(name, meaning, labels=[label])
    for word, value in values:
        if value is not None:
            family.add_metric((word,), value)
    return family


def timestamp_s(instant: datetime | None) -> float | None:
    """An instant as Prometheus has it: seconds since 1970."""
    return None if instant is None else instant.timestamp()
