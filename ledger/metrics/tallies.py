"""Counters and histograms as plain numbers, made into the library's families when somebody looks.

The library's own take a lock and look up their labels at every step, which a request would notice. All work
is done in one thread here. Labels are words of ours from a short list, never anything that somebody sent.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import accumulate

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
        self._cells = {values: _Cell(bounds) for values in (at_first if labels else [()])}

    def observe(self, value: float, *values: str) -> None:
        """Count a value; `values` are those of the labels."""
        cell = self._cells.get(values)
        if cell is None:
            cell = self._cells[values] = _Cell(self._bounds)
        cell.counts[bisect_left(self._bounds, value)] += 1
        cell.sum += value

    def collect(self) -> Iterator[Metric]:
        """The family."""
        family = HistogramMetricFamily(self._name, self._meaning, labels=self._labels)
        words = [*map(str, map(float, self._bounds)), "+Inf"]
        for values, cell in self._cells.items():
            upto = zip(words, accumulate(cell.counts), strict=True)
            family.add_metric(values, list(upto), cell.sum)
        yield family


class _Cell:
    """The values of one set of labels. The last count is of those above all bounds."""

    __slots__ = ("counts", "sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0


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
