"""Posting: events into the log, and everything that follows from them, in one transaction.

    events ─▶ usage_event ─▶ rollups, usage of meters ─▶ limit windows, alerts ─▶ batch row with its digest

Rollups are those of the lane and of customers, and marks on days that were condensed. The rows are locked in
this order, each table's in the order of its keys, by everybody who writes. Those of the lane come first: for
those of customers others wait until the commit.
"""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import date, datetime

import msgspec

from ledger.core.configuration import Configuration
from ledger.core.limits import movements
from ledger.core.rollups import Fold, RollupDelta
from ledger.core.rows import EventText, UsageEvent
from ledger.services.limit_windows import Tiered, move_limits
from ledger.services.metering import meter_usage
from ledger.services.unrated import announce_unrated
from ledger.store.condensing import add_to_lane, mark_days
from ledger.store.database import Connection
from ledger.store.events import append_events
from ledger.store.interning import Interned
from ledger.store.log import Batch, Decision, Lane, append_batch
from ledger.store.rollups import add_to_rollups, touch_periods

EVENTS_PER_TURN = 500


class Posting(msgspec.Struct, frozen=True):
    """What one batch appends. Events stand in the order of their keys; `decisions` are why they do."""

    recorded_at: datetime
    events: Sequence[UsageEvent]
    texts: Sequence[EventText] = ()
    decisions: Sequence[Decision] = ()
    actor: str = "intake"
    reason: str | None = None


class Posted(msgspec.Struct, frozen=True):
    """What holds once the transaction has committed: the lane, and the months that were marked anew.

    Beside it what was posted: events, the requests and unrated ones that they count, alerts.
    """

    lane: Lane
    newly_touched: set[tuple[int, date]]
    events: int
    requests: int
    unrated: int
    alerts: Sequence[Decision]


async def post(
    connection: Connection,
    lane: Lane,
    posting: Posting,
    configuration: Configuration,
    interned: Interned,
    touched: frozenset[tuple[int, date]] | set[tuple[int, date]] = frozenset(),
) -> Posted:
    """Write events and move what follows from them, inside the caller's transaction and the fence.

    `touched` are the months that are marked already since the epoch began.

    Raises:
        KeyTaken (as `sorted_failures` calls it): a key was recorded meanwhile.
    """
    folding = asyncio.create_task(_fold(posting.events), name="ledger-fold")
    try:
        lines = await append_events(connection, posting.events, posting.texts)
        delta = await folding
    finally:
        folding.cancel()
    await add_to_lane(connection, lane.lane, delta)
    await add_to_rollups(connection, delta)
    await mark_days(connection, delta, configuration.marked_until, configuration.epoch)
    metered = await meter_usage(connection, posting.events, configuration, interned)
    newly_touched = (delta.touched_months | metered.fee_months) - touched
    await touch_periods(connection, newly_touched, configuration.epoch)
    alerts: list[Decision] = []
    if limits := configuration.limits:
        moves = movements(await _spent(connection, delta, interned), limits, metered.fee_months)
        tiered = Tiered(configuration.tiered, metered.usage)
        alerts = await move_limits(connection, moves, posting.recorded_at, interned, tiered)
    alerts += await announce_unrated(connection, posting.events, posting.recorded_at, interned)
    batch = Batch(
        posting.recorded_at,
        posting.events,
        lines,
        [*posting.decisions, *alerts],
        posting.actor,
        posting.reason,
    )
    return Posted(
        await append_batch(connection, lane, batch, interned),
        newly_touched,
        len(posting.events),
        delta.requests,
        delta.unrated,
        alerts,
    )


async def _fold(events: Sequence[UsageEvent]) -> RollupDelta:
    """Sum events up while the database copies them, giving way for the rest of them to be sent."""
    fold = Fold()
    for first in range(0, len(events), EVENTS_PER_TURN):
        await asyncio.sleep(0)
        fold.add(events[first : first + EVENTS_PER_TURN])
    return fold.delta()


async def _spent(
    connection: Connection, delta: RollupDelta, interned: Interned
) -> Iterator[tuple[int, datetime, int]]:
    """What limits count: (customer, hour, pico units). Windows begin and end with hours."""
    dimensions = {dimension for _, _, dimension in delta.sums}
    await interned.learn_words(connection, (), dimensions)
    return delta.spent({each for each in dimensions if interned.is_byok(each)})
