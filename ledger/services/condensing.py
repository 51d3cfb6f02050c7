"""Condensing: days that are over as sums of their hours, so that answers over long spans read few rows.

    epoch raised: writers mark the days before today that they move ─▶ days worked out, chunk by chunk
                                                                        ─▶ `condensed_until`: they are read
    marks of earlier epochs ─▶ taken and their days worked out anew, chunk by chunk

Writers wait for the epoch alone, as for any decision. A batch of an earlier epoch has committed when the
hours are read; one of this epoch or later leaves its mark with its sums, and the day is read from its hours.
"""

from datetime import date, timedelta

import msgspec

from ledger.clock import Clock
from ledger.core.condensing import EVERYBODY
from ledger.store.condensing import (
    condense_everybody,
    condense_span,
    condense_touched,
    end_alone,
    forget_older_months,
    read_first_day,
    read_horizons,
    read_next_customers,
    set_condensed_until,
    set_marked_until,
    try_alone,
)
from ledger.store.database import Connection, Database
from ledger.store.log import raise_epoch

# What one transaction works out: a customer's day has some hundred rows, if models are many.
CHUNK_CUSTOMER_DAYS = 1_000
SPAN_DAYS = 31


class Condensed(msgspec.Struct, frozen=True):
    """Up to which day the ledger is condensed, and how many days of customers were so anew."""

    until: date
    anew: int


async def condense(database: Database, clock: Clock) -> Condensed | None:
    """Condense the days that are over, and those anew that have moved; None while another session does.

    It may be stopped at any moment; the next run goes on.

    Raises:
        DatabaseUnavailable: what was condensed until then is whole.
    """
    async with database.connection() as connection:
        return await condense_alone(connection, clock.now().date())


async def condense_alone(connection: Connection, today: date) -> Condensed | None:
    """The same on a connection; not inside a transaction of its own."""
    if not await try_alone(connection):
        return None
    try:
        return await _condense(connection, today)
    finally:
        await end_alone(connection)


async def _condense(connection: Connection, today: date) -> Condensed:
    found = await read_horizons(connection)
    if found.condensed_until >= today and not found.is_touched:
        return Condensed(found.condensed_until, 0)  # nobody is kept waiting for nothing
    async with connection.transaction():
        epoch = await raise_epoch(connection)
        await set_marked_until(connection, today)
    await forget_older_months(connection, epoch)
    await _advance(connection, found.condensed_until, today)
    anew = await _take_marks(connection, epoch)
    return Condensed(max(found.condensed_until, today), anew)


async def _advance(connection: Connection, done_until: date, today: date) -> None:
    """Work out the days that are over and are not condensed, oldest first; what is done stays done."""
    while done_until < today:
        first = await read_first_day(connection, done_until)
        end = today if first is None else min(first + timedelta(days=SPAN_DAYS), today)
        if first is not None and first < today:
            await _advance_span(connection, first, end)
        async with connection.transaction():
            await set_condensed_until(connection, end)
        done_until = end


async def _advance_span(connection: Connection, first: date, end: date) -> None:
    after, most = EVERYBODY, max(1, CHUNK_CUSTOMER_DAYS // (end - first).days)
    while customers := await read_next_customers(connection, after, most):
        async with connection.transaction():
            await condense_span(connection, customers, first, end)
        after = customers[-1]
    async with connection.transaction():
        await condense_everybody(connection, first, end)


async def _take_marks(connection: Connection, epoch: int) -> int:
    anew = 0
    while True:
        async with connection.transaction():
            taken = await condense_touched(connection, epoch, CHUNK_CUSTOMER_DAYS)
        if not taken:
            return anew
        anew += taken
