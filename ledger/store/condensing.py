"""Sums of fewer rows: moving those of a lane with each batch, marking days, working days out anew."""

from collections.abc import Sequence
from datetime import date

import msgspec

from ledger.core.condensing import EVERYBODY, days_before, sums_of_lane
from ledger.core.rollups import RollupDelta
from ledger.store.database import Connection
from ledger.store.rollups import add_sums
from ledger.store.sql_files import query

_ADD_OF_LANE = query("condensing", "add_of_lane")
_ADD_UNITS_OF_LANE = query("condensing", "add_units_of_lane")
_MARK_DAYS = query("condensing", "mark_days")
_TRY_ALONE = query("condensing", "try_alone")
_END_ALONE = query("condensing", "end_alone")
_HORIZONS = query("condensing", "horizons")
_MARK_UNTIL = query("condensing", "mark_until")
_FORGET_OLDER_MONTHS = query("condensing", "forget_older_months")
_CONDENSED_UNTIL = query("condensing", "condensed_until")
_FIRST_DAY = query("condensing", "first_day")
_NEXT_CUSTOMERS = query("condensing", "next_customers")
_FORGET_SPAN = tuple(query("condensing", name) for name in ("forget_span", "forget_span_units"))
_CONDENSE_SPAN = tuple(
    query("condensing", name) for name in ("condense_span", "condense_span_units")
)
_CONDENSE_EVERYBODY = tuple(
    query("condensing", name) for name in ("condense_everybody", "condense_everybody_units")
)
_TAKE_MARKS = query("condensing", "take_marks")
_FORGET_DAYS = tuple(query("condensing", name) for name in ("forget_days", "forget_days_units"))
_CONDENSE_DAYS = tuple(
    query("condensing", name) for name in ("condense_days", "condense_days_units")
)


class Horizons(msgspec.Struct, frozen=True):
    """Up to where days are marked when they move, and condensed; whether any is marked now."""

    marked_until: date
    condensed_until: date
    is_touched: bool


async def add_to_lane(connection: Connection, lane: int, delta: RollupDelta) -> None:
    """Add a batch's sums to those that its lane has of all customers, in the order of their keys."""
    await add_sums(connection, _ADD_OF_LANE, sums_of_lane(delta.sums, lane))
    await add_sums(connection, _ADD_UNITS_OF_LANE, sums_of_lane(delta.units, lane))


async def mark_days(connection: Connection, delta: RollupDelta, until: date, epoch: int) -> None:
    """Mark what a batch moves of the days before one: hours are read until they are condensed anew.

    Inside the fence of the epoch. Most batches move none of them.
    """
    if days := days_before(delta.sums, until):
        customers, days_on = zip(*sorted(days), strict=True)
        await connection.execute(_MARK_DAYS, customers, days_on, epoch)


async def try_alone(connection: Connection) -> bool:
    """Become the one session that condenses; False while another is."""
    is_ours: bool = await connection.fetchval(_TRY_ALONE)
    return is_ours


async def end_alone(connection: Connection) -> None:
    """Let another session condense."""
    if not connection.is_closed():
        await connection.execute(_END_ALONE)


async def read_horizons(connection: Connection) -> Horizons:
    """How far the ledger is condensed."""
    return Horizons(*await connection.fetchrow(_HORIZONS))


async def set_marked_until(connection: Connection, until: date) -> None:
    """Let writers mark the days before one. The caller has raised the epoch in the same transaction."""
    await connection.execute(_MARK_UNTIL, until)


async def forget_older_months(connection: Connection, epoch: int) -> None:
    """Keep one of the marks that a month has from before an epoch, which would heap up hour by hour."""
    await connection.execute(_FORGET_OLDER_MONTHS, epoch)


async def set_condensed_until(connection: Connection, until: date) -> None:
    """Let the days before one be read that have been worked out."""
    await connection.execute(_CONDENSED_UNTIL, until)


async def read_first_day(connection: Connection, after: date) -> date | None:
    """The first day from one on that has sums."""
    day: date | None = await connection.fetchval(_FIRST_DAY, after)
    return day


async def read_next_customers(connection: Connection, after: int, most: int) -> list[int]:
    """The numbers of some customers, in their order."""
    return [row["customer"] for row in await connection.fetch(_NEXT_CUSTOMERS, after, most)]


async def condense_span(
    connection: Connection, customers: Sequence[int], first: date, end: date
) -> None:
    """Work out the days `[first, end)` of customers, in the caller's transaction (READ COMMITTED)."""
    for sql in (*_FORGET_SPAN, *_CONDENSE_SPAN):
        await connection.execute(sql, customers, first, end)


async def condense_everybody(connection: Connection, first: date, end: date) -> None:
    """Work out the days `[first, end)` of all customers together, in the caller's transaction."""
    for sql in _FORGET_SPAN:
        await connection.execute(sql, [EVERYBODY], first, end)
    for sql in _CONDENSE_EVERYBODY:
        await connection.execute(sql, first, end)


async def condense_touched(connection: Connection, epoch: int, most: int) -> int:
    """Take the marks of some days from before an epoch and work these out anew; give how many they were.

    In the caller's transaction, which must be READ COMMITTED: the hours are read after the marks were taken.
    """
    taken = sorted({tuple(row) for row in await connection.fetch(_TAKE_MARKS, epoch, most)})
    if taken:
        columns = list(zip(*taken, strict=True))
        for sql in (*_FORGET_DAYS, *_CONDENSE_DAYS):
            await connection.execute(sql, *columns)
    return len(taken)
