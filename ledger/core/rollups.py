"""Folding events into the sums that answers are made of."""

from collections.abc import Iterable
from datetime import date, datetime
from operator import itemgetter

import msgspec

from ledger.core.instants import hour_of, month_of
from ledger.core.rows import UsageEvent

RollupKey = tuple[int, datetime, int]
UnitKey = tuple[int, datetime, int, str]

# What a rollup sums up of an event, in the order of the columns of `rollup_hour`.
_SUMMED = itemgetter(
    *(
        UsageEvent._fields.index(name)
        for name in (
            "requests", "unrated", "uncached_input_tokens", "cached_input_tokens", "output_tokens",
            "input_pico", "cached_input_pico", "output_pico", "other_pico", "fee_pico",
        )
    )
)  # fmt: skip


class RollupDelta(msgspec.Struct, frozen=True):
    """What a batch adds: sums by (customer, hour, dimension), and by unit for all that is not tokens.

    Sums stand in the order of the columns; null amounts count 0.
    """

    sums: dict[RollupKey, list[int]]
    units: dict[UnitKey, list[int]]

    @property
    def touched_months(self) -> set[tuple[int, date]]:
        """The customers and billing months that it moves."""
        return {(customer, month_of(hour_at)) for customer, hour_at, _ in self.sums}


def fold_events(events: Iterable[UsageEvent]) -> RollupDelta:
    """Sum events by customer, hour and dimension. Unmetered events add nothing."""
    sums: dict[RollupKey, list[int]] = {}
    units: dict[UnitKey, list[int]] = {}
    for event in events:
        if event.revision == 0:
            continue
        key = (event.customer, hour_of(event.occurred_at), event.dimension)
        row = sums.get(key)
        if row is None:
            sums[key] = [figure or 0 for figure in _SUMMED(event)]
        else:
            for column, figure in enumerate(_SUMMED(event)):
                row[column] += figure or 0
        if event.other_units is not None:
            _add_units(units, key, event.other_units)
    return RollupDelta(sums, units)


def _add_units(units: dict[UnitKey, list[int]], key: RollupKey, other_units: str) -> None:
    pairs: dict[str, list[int | None]] = msgspec.json.decode(other_units)
    for unit, (quantity, pico) in pairs.items():
        row = units.setdefault((*key, unit), [0, 0])
        row[0] += quantity or 0
        row[1] += pico or 0
