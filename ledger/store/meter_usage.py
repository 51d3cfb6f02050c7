"""What customers use by tiered meters, month by month."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from ledger.core.cuts import Cut
from ledger.core.instants import month_period, next_month_start
from ledger.core.tiered_fees import (
    MeterUsage,
    TieredFee,
    UsageKey,
    fees_by_slug,
    fees_by_window,
    tiered_fees,
)
from ledger.store.database import Connection
from ledger.store.meters import load_meters
from ledger.store.sql_files import query

_LOCK_LIFETIMES = query("meter_usage", "lock_lifetimes")
_ADD = query("meter_usage", "add")
_LATER_MONTHS = query("meter_usage", "later_months")
_USAGE = query("meter_usage", "usage")
_USAGE_AT_CUT = query("meter_usage", "usage_at_cut")
BEGINNING = datetime(1, 1, 1, tzinfo=UTC)  # before any event
_EVER = (BEGINNING, datetime(9999, 12, 31, tzinfo=UTC))


async def lock_lifetimes(connection: Connection, customers: Collection[int]) -> None:
    """Let one transaction at a time move what customers use over a lifetime."""
    if customers:
        await connection.execute(_LOCK_LIFETIMES, sorted(customers))


async def add_usage(connection: Connection, usage: MeterUsage) -> None:
    """Add what tiered meters count of a batch, in the order of the keys."""
    if usage:
        rows = [(*key, usage[key]) for key in sorted(usage)]
        await connection.execute(_ADD, *zip(*rows, strict=True))


async def read_later_months(
    connection: Connection, moved: Sequence[UsageKey]
) -> set[tuple[int, date]]:
    """The customers and months in which meters were used after they were used in some month."""
    if not moved:
        return set()
    rows = await connection.fetch(_LATER_MONTHS, *zip(*moved, strict=True))
    return {(row["customer"], row["period_start"]) for row in rows}


async def read_usage(
    connection: Connection,
    customers: Collection[int] | None,
    span: tuple[datetime, datetime] = _EVER,
    lanes_after: Cut | None = None,
) -> dict[UsageKey, int]:
    """What customers, or all of them for None, used in the months that begin in a half-open span.

    Of a meter that goes on for a lifetime the months before the span are in it too, as one. `lanes_after` are
    the lanes that go on after the cut in question, and where each stood at it; none for things as they are.
    """
    numbers = None if customers is None else list(customers)
    if lanes_after:
        cut = (list(lanes_after.keys()), list(lanes_after.values()))
        rows = await connection.fetch(_USAGE_AT_CUT, numbers, *span, *cut)
    else:
        rows = await connection.fetch(_USAGE, numbers, *span)
    return {
        (row["customer"], row["meter_version"], row["period_start"]): int(row["quantity"])
        for row in rows
    }


async def read_tiered_fees(
    connection: Connection,
    customers: Collection[int] | None,
    span: tuple[datetime, datetime] = _EVER,
    lanes_after: Cut | None = None,
) -> list[TieredFee]:
    """The tiered fees of customers, or of all, for the months that begin in a half-open span.

    In the order of customers, versions of meters, and months; other parameters as in `read_usage`.
    """
    start_at, end_at = span
    if next_month_start(start_at) >= end_at:
        return []  # no month begins in it
    usage = await read_usage(connection, customers, span, lanes_after)
    if not usage:
        return []
    fees = tiered_fees(usage, await load_meters(connection))
    return [fee for fee in fees if start_at <= month_period(fee.month).start_at < end_at]


async def read_window_fees(connection: Connection) -> tuple[Sequence[Any], ...]:
    """The tiered fees in the windows of limits, as columns: customer, kind of window, start, pico units."""
    return _columns(fees_by_window(await read_tiered_fees(connection, None)))


async def read_month_fees(connection: Connection) -> tuple[Sequence[Any], ...]:
    """All tiered fees as columns: customer, meter, first day of the month, pico units."""
    return _columns(fees_by_slug(await read_tiered_fees(connection, None)))


def _columns(fees: Mapping[Any, int]) -> tuple[Sequence[Any], ...]:
    return tuple(zip(*((*key, fees[key]) for key in fees), strict=True)) or ((), (), (), ())
