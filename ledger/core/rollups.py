"""Folding events into the sums that answers are made of."""

from collections.abc import Container, Iterable, Iterator
from datetime import UTC, date, datetime, time
from operator import itemgetter

import msgspec

from ledger.core.instants import hour_of, month_of
from ledger.core.rows import UsageEvent

RollupKey = tuple[int, datetime, int]
UnitKey = tuple[int, datetime, int, str]
_COLUMNS = 10
_REQUESTS, _UNRATED = itemgetter(0), itemgetter(1)  # the first columns
_COSTS, _FEE = slice(5, _COLUMNS), _COLUMNS - 1  # amounts are the last, the fee the very last


class RollupDelta(msgspec.Struct, frozen=True):
    """What a batch adds: sums by (customer, hour, dimension), and by unit for all that is not tokens.

    Sums stand in the order of the columns; null amounts count 0.
    """

    sums: dict[RollupKey, list[int]]
    units: dict[UnitKey, list[int]]

    @property
    def requests(self) -> int:
        """How many requests it counts, in all."""
        return sum(map(_REQUESTS, self.sums.values()))

    @property
    def unrated(self) -> int:
        """How many of them have no price."""
        return sum(map(_UNRATED, self.sums.values()))

    def spent(self, byok: Container[int]) -> Iterator[tuple[int, datetime, int]]:
        """What customers owe, by hour: the fee, and the cost but for the dimensions in `byok`."""
        for (customer, hour_at, dimension), row in self.sums.items():
            yield customer, hour_at, row[_FEE] if dimension in byok else sum(row[_COSTS])

    @property
    def touched_months(self) -> set[tuple[int, date]]:
        """The customers and billing months that it moves."""
        hours = {(customer, hour_at) for customer, hour_at, _ in self.sums}
        return {(customer, month_of(hour_at)) for customer, hour_at in hours}


class Fold:
    """Sums of events by customer, hour and dimension, of some after others. Unmetered events add nothing."""

    def __init__(self) -> None:
        self._sums: dict[tuple[int, int, int], list[int]] = {}
        self._units: dict[UnitKey, list[int]] = {}

    def add(self, events: Iterable[UsageEvent]) -> None:
        """Add events.

        Done for every event, so: fields taken apart at once, added up without a loop, and hours as numbers,
        because a datetime takes longer to cut and to hash than all the rest.
        """
        sums, units = self._sums, self._units
        for event in events:
            (
                _, occurred_at, uncached, cached, output,
                input_pico, cached_pico, output_pico, other_pico, fee_pico,
                _, _, customer, dimension, _, _, revision, requests, unrated, _, other_units, _, _,
            ) = event  # fmt: skip
            if revision == 0:
                continue
            key = (customer, occurred_at.toordinal() * 24 + occurred_at.hour, dimension)
            row = sums.get(key)
            if row is None:
                sums[key] = [
                    requests, unrated, uncached, cached, output,
                    input_pico or 0, cached_pico or 0, output_pico or 0, other_pico or 0, fee_pico or 0,
                ]  # fmt: skip
            else:
                row[0] += requests
                row[1] += unrated
                row[2] += uncached
                row[3] += cached
                row[4] += output
                row[5] += input_pico or 0
                row[6] += cached_pico or 0
                row[7] += output_pico or 0
                row[8] += other_pico or 0
                row[9] += fee_pico or 0
            if other_units is not None:
                _add_units(units, (customer, hour_of(occurred_at), dimension), other_units)

    def delta(self) -> RollupDelta:
        """What all of them add."""
        return RollupDelta(_by_instant(self._sums), self._units)


def fold_events(events: Iterable[UsageEvent]) -> RollupDelta:
    """Sum events by customer, hour and dimension."""
    fold = Fold()
    fold.add(events)
    return fold.delta()


def _by_instant(sums: dict[tuple[int, int, int], list[int]]) -> dict[RollupKey, list[int]]:
    """The same sums under the start of each hour, in place of its number since the year 0."""
    starts = {hour: _start_of(hour) for hour in {hour for _, hour, _ in sums}}
    return {
        (customer, starts[hour], dimension): row
        for (customer, hour, dimension), row in sums.items()
    }


def _start_of(hour: int) -> datetime:
    day, hour_of_day = divmod(hour, 24)
    return datetime.combine(date.fromordinal(day), time(hour_of_day), UTC)


def _add_units(units: dict[UnitKey, list[int]], key: RollupKey, other_units: str) -> None:
    pairs: dict[str, list[int | None]] = msgspec.json.decode(other_units)
    for unit, (quantity, pico) in pairs.items():
        row = units.setdefault((*key, unit), [0, 0])
        row[0] += quantity or 0
        row[1] += pico or 0
