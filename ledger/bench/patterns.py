"""Rows of events, made by the product's own core once and repeated with other ids, times and customers."""

import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import cycle, islice
from math import gcd
from typing import Any

import msgspec

from ledger.bench.records import Mix, record_lines
from ledger.core.configuration import Configuration
from ledger.core.events import usage_event
from ledger.core.rating import RatedStatement, rate_statement
from ledger.core.reading import read_statement
from ledger.core.rows import Dimension, UsageEvent
from ledger.core.statements import Statement
from ledger.demo.shapes import EPOCH

_PATTERNS_A_MODEL = 500
_MILLISECOND = timedelta(milliseconds=1)
_BATCH, _CUSTOMER = UsageEvent._fields.index("batch"), UsageEvent._fields.index("customer")
_GOLDEN = 0.618

Row = tuple[Any, ...]
Pattern = tuple[
    Row, Row
]  # what comes before the batch in a row of `usage_event`, and after the customer


class Past(msgspec.Struct, frozen=True):
    """So many events, one each so often from `start_at` to `end_at`; each customer uses each model alike."""

    events: int
    mix: Mix
    start_at: datetime
    end_at: datetime

    @property
    def step_ms(self) -> int:
        """Milliseconds from one event to the next; at least one, however short the time."""
        return max(1, (self.end_at - self.start_at) // _MILLISECOND // max(1, self.events))


def rated_statements(mix: Mix, at: datetime, configuration: Configuration) -> list[RatedStatement]:
    """What the patterns are made of: of each model as many, with other quantities in each."""
    lines = record_lines(_PATTERNS_A_MODEL * mix.models, at, mix)
    return [_rated(read_statement(line, at), configuration) for line in lines]


def patterns_by_model(
    rated: Sequence[RatedStatement], dimension_of: Callable[[Dimension], int]
) -> list[list[Pattern]]:
    """The rows of statements without what differs from event to event, by model."""
    by_dimension: dict[Dimension, list[Pattern]] = {}
    for each in rated:
        row = tuple(usage_event(each, 0, dimension_of(each.dimension), 0, 0))
        pattern = row[2:_BATCH], row[_CUSTOMER + 1 :]
        by_dimension.setdefault(each.dimension, []).append(pattern)
    return list(by_dimension.values())


class Rows:
    """The rows of a past in the order of their keys, taken batch by batch."""

    def __init__(
        self, past: Past, by_model: Sequence[Sequence[Pattern]], customers: Sequence[int]
    ) -> None:
        self._customers = customers
        self._models = [cycle(patterns) for patterns in by_model]
        self._pairs = len(customers) * len(by_model)
        self._pair, self._stride = 0, _stride(self._pairs)
        self._dice = random.Random(past.mix.seed)  # noqa: S311 - repeatable figures, not secrets
        start_ms = (past.start_at - EPOCH) // _MILLISECOND
        self._times = iter(range(start_ms, start_ms + past.events * past.step_ms, past.step_ms))

    def take(self, most: int, lane: int, batch: int) -> list[UsageEvent]:
        """The next rows, as those of a batch in a lane; none when the past is over."""
        return [self._row(time_ms, lane, batch) for time_ms in islice(self._times, most)]

    def _row(self, time_ms: int, lane: int, batch: int) -> UsageEvent:
        self._pair = (self._pair + self._stride) % self._pairs
        model, customer = divmod(self._pair, len(self._customers))
        before, after = next(self._models[model])
        key = (time_ms << 80) | self._dice.getrandbits(80)
        event = (
            key.to_bytes(16),
            EPOCH + timedelta(milliseconds=time_ms),
            *before,
            batch,
            lane,
            self._customers[customer],
            *after,
        )
        return UsageEvent._make(event)


def _stride(pairs: int) -> int:
    """How far to go from one pair to the next so that all come up, and neighbours are far apart."""
    stride = max(1, int(pairs * _GOLDEN))
    while gcd(stride, pairs) > 1:
        stride += 1
    return stride


def _rated(statement: object, configuration: Configuration) -> RatedStatement:
    assert isinstance(statement, Statement)  # noqa: S101 - the generator makes no other
    rated = rate_statement(statement, 0, configuration)
    assert isinstance(rated, RatedStatement)  # noqa: S101 - the same
    return rated
