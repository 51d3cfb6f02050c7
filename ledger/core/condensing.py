"""Sums of fewer rows: those of a lane over all customers, and the days that a batch makes stale. Pure."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from operator import itemgetter
from typing import Any

EVERYBODY = 0  # the customer that stands for all of them together
_HOUR_AT = itemgetter(1)

Sums = Mapping[Any, list[int]]


def sums_of_lane(sums: Sums, lane: int) -> dict[tuple[Any, ...], list[int]]:
    """Sums by (customer, hour, ...) as those of a lane by (hour, ..., lane), over all customers."""
    rows: dict[tuple[Any, ...], list[list[int]]] = {}
    for key, row in sums.items():
        rows.setdefault(key[1:], []).append(row)
    return {
        (*key, lane): several[0]
        if len(several) == 1
        else list(map(sum, zip(*several, strict=True)))
        for key, several in rows.items()
    }


def days_before(keys: Iterable[tuple[Any, ...]], until: date) -> set[tuple[int, date]]:
    """The customers and days of keys (customer, hour, ...) before a day, and each such day of everybody."""
    until_at = midnight(until)
    days = {(key[0], key[1].date()) for key in keys if _HOUR_AT(key) < until_at}
    return days | {(EVERYBODY, day) for _, day in days}


def midnight(day: date) -> datetime:
    """The first instant of a day in UTC."""
    return datetime.combine(day, time.min, UTC)


def whole_days(start_at: datetime, end_at: datetime, until: date) -> tuple[datetime, datetime]:
    """The whole days of a span that lie before a day, as a half-open span.

    Where there are none it is empty and stands at the start, so that everything is after it.
    """
    until_at = midnight(until)
    if start_at >= until_at:
        return start_at, start_at
    first_at = midnight(start_at.date())
    if first_at < start_at:
        first_at += timedelta(days=1)
    last_at = min(midnight(end_at.date()), until_at)
    return (first_at, last_at) if first_at < last_at else (start_at, start_at)
