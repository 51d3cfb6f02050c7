"""Answering what was spent."""

import asyncio
from datetime import datetime
from typing import Any

from ledger.clock import Clock
from ledger.core.cuts import AsOf, Cut, format_as_of, is_reached, lanes_after
from ledger.core.errors import InvalidParameter, TooBusy
from ledger.core.instants import format_instant
from ledger.core.shown import quantities_body
from ledger.core.spend import SpendAnswer, SpendFigures, SpendQuery, SpendRow, merge
from ledger.store.cuts import read_cut_at, read_inside_fence, read_last_recorded_at
from ledger.store.database import Connection, Database
from ledger.store.log import read_cut
from ledger.store.spend import read_spend
from pricing import format_amount

MOST_WAIT_S = 10
SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 0.005, 0.05


async def answer_spend(
    database: Database, clock: Clock, question: SpendQuery, as_of: AsOf | None = None
) -> SpendAnswer:
    """Answer a question from one snapshot, as of a point in the log or of now.

    What is acknowledged before the call is in an answer of now. The `as_of` of an answer gives that
    answer again, whatever has been recorded since.

    Raises:
        InvalidParameter: the point lies in the future, or is none of this ledger.
        TooManyRows: the answer would have more than 10,000 rows.
        TooBusy: what was recorded by a given time is not settled yet.
    """
    if as_of is not None and as_of.at is not None and as_of.cut is None:
        await _settle(database, clock, as_of.at)
    async with database.snapshot() as connection:
        # The cut is read first: it fixes the snapshot that everything after it is read in.
        last = await read_cut(connection)
        at, cut = (clock.now(), last) if as_of is None else await _locate(connection, as_of, last)
        parts = await read_spend(connection, question, lanes_after(cut, last))
    return merge(question, parts, format_as_of(at, cut))


async def _settle(database: Database, clock: Clock, at: datetime) -> None:
    """Wait until everything that was recorded by an instant is committed, or gone.

    A batch takes its time inside the fence: whoever comes in from now on takes a later one, and whoever is
    inside may have taken an earlier one and not have committed. Between looks no connection is held.

    Raises:
        InvalidParameter: the instant lies in the future.
        TooBusy: a transaction stays in the fence for longer than 10 seconds.
    """
    if at > clock.now():
        raise InvalidParameter("as_of", "must not lie in the future")
    pause_s = SHORTEST_PAUSE_S
    inside = await _inside_fence(database)
    try:
        async with asyncio.timeout(MOST_WAIT_S):
            while inside:
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
                inside &= await _inside_fence(database)
    except TimeoutError:
        raise TooBusy("a batch is still being recorded; ask again, or as of a cut") from None


async def _inside_fence(database: Database) -> frozenset[str]:
    async with database.connection() as connection:
        return await read_inside_fence(connection)


async def _locate(connection: Connection, as_of: AsOf, last: Cut) -> tuple[datetime, Cut]:
    """The time and the cut of a point in a log that ends at `last`, both the same for ever.

    Raises:
        InvalidParameter: a cut that the log has not reached.
    """
    at, cut = as_of.at, as_of.cut
    if cut is None and at is not None:
        return at, await read_cut_at(connection, last, at)
    if cut is None or not is_reached(cut, last):
        raise InvalidParameter("as_of", "names a lane or a batch that this ledger does not have")
    at = at or await read_last_recorded_at(connection, cut)
    if at is None:
        raise InvalidParameter("as_of", "must have a time when it is before the first batch")
    return at, cut


def spend_body(answer: SpendAnswer, currency: str) -> dict[str, Any]:
    """An answer as the interface shows it."""
    question = answer.query
    return {
        "from": format_instant(question.span.start_at),
        "to": format_instant(question.span.end_at),
        "currency": currency,
        "group_by": list(question.group_by),
        "rows": [_row_body(question, row) for row in answer.rows],
        "totals": figures_body(answer.totals),
        "unrated_requests": answer.totals.unrated,
        "as_of": answer.as_of,
    }


def _row_body(question: SpendQuery, row: SpendRow) -> dict[str, Any]:
    """A row as the interface shows it; `meter` stands in rows of tiered fees alone."""
    return {
        **dict(zip(question.group_by, row.group, strict=True)),
        **({} if row.meter is None else {"meter": row.meter}),
        **figures_body(row.figures),
    }


def figures_body(figures: SpendFigures) -> dict[str, Any]:
    """The sums of one group: counts as numbers, amounts as decimal strings, other units if there are any."""
    return {
        "requests": figures.requests,
        **quantities_body(
            figures.uncached_input_tokens,
            figures.cached_input_tokens,
            figures.output_tokens,
            figures.units,
        ),
        "cost": format_amount(figures.cost_pico),
        "fee": format_amount(figures.fee_pico),
        "spend": format_amount(figures.spend_pico),
    }
