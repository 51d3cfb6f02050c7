"""Rating what had no price when it came, as soon as a table has one."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from ledger.clock import Clock
from ledger.core.adjustments import Standing
from ledger.core.instants import HOUR
from ledger.core.rerating import Differences, could_be_rated
from ledger.services.decisions import check_reason
from ledger.services.rerating.chunks import ChunkWriter, Order
from ledger.services.rerating.ranges import LAST_HOUR, Progress, look_through
from ledger.services.rerating.shown import differences_body
from ledger.store.database import Connection, Database
from ledger.store.interning import read_customer_words
from ledger.store.rerating import (
    Reach,
    read_dimensions,
    read_epoch,
    read_hours,
    try_unrated_job,
)
from pricing import RateBook

JOB_ACTOR = "unrated-job"
_EVER = Reach(datetime(1, 1, 1, tzinfo=UTC), LAST_HOUR, is_unrated=True)

Hours = list[tuple[datetime, int]]


class UnratedRun(msgspec.Struct, frozen=True):
    """A run that left nothing that the tables of an epoch could price, and what it did."""

    epoch: int
    rated: int
    body: dict[str, Any]


async def rate_unrated(
    database: Database,
    clock: Clock,
    actor: str = JOB_ACTOR,
    *,
    reason: str | None = None,
    progress: Progress | None = None,
) -> UnratedRun | None:
    """Rate unrated requests that have a price by now, pass after pass, until one changes nothing.

    One session at a time over all processes; None when it is another one's turn.

    Raises:
        InvalidRecord: a reason outside its rule.
        DatabaseUnavailable: what was recorded until then is whole; the next run goes on.
    """
    check_reason(reason)
    async with database.connection() as connection:
        if not await try_unrated_job(connection):
            return None
        writer = await ChunkWriter.open(connection, clock)
        total = Differences()
        while True:
            epoch = writer.configuration.epoch
            passed = await _pass(database, connection, writer, actor, reason, progress)
            if not passed.total().changed and writer.configuration.epoch == epoch:
                break
            total.add(passed)
            await writer.reload()
        names = await read_customer_words(connection, {number for number, _ in total.groups})
    body = differences_body(total, {number: words[0] for number, words in names.items()})
    return UnratedRun(epoch, total.total().changed, body)


class UnratedWatch:
    """Runs the job only when something may have come of it: another epoch, or when it is told to."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._complete_epoch: int | None = None

    async def look(self) -> UnratedRun | None:
        """Run the job unless it has run to the end since the configuration moved.

        Usage that arrives is rated by the tables of its epoch, so what stays unrated then waits for another.
        """
        async with self._database.connection() as connection:
            if await read_epoch(connection) == self._complete_epoch:
                return None
        return await self.look_again()

    async def look_again(self) -> UnratedRun | None:
        """Run the job in any case. A correction may leave a request unrated that has a price today."""
        run = await rate_unrated(self._database, self._clock)
        if run is not None:
            self._complete_epoch = run.epoch
        return run


async def _pass(
    database: Database,
    connection: Connection,
    writer: ChunkWriter,
    actor: str,
    reason: str | None,
    progress: Progress | None,
) -> Differences:
    hours, dimensions = await _due(connection, writer.configuration.book)
    if not hours:
        return Differences()
    reach = Reach(hours[0][0], hours[-1][0] + HOUR, is_unrated=True, dimensions=sorted(dimensions))
    order = Order(actor, "unrated", reach, reason)

    async def apply(chunk: Sequence[Standing]) -> Differences:
        return await writer.write(chunk, order)

    return await look_through(database, reach, hours, apply, progress)


async def _due(connection: Connection, book: RateBook) -> tuple[Hours, set[int]]:
    """The hours and dimensions with unrated requests that may have a price by now."""
    found = await read_hours(connection, _EVER)
    known = await read_dimensions(connection, {number for _, number, _ in found})
    due = [each for each in found if could_be_rated(known[each[1]], each[0], book)]
    return [(hour_at, requests) for hour_at, _, requests in due], {number for _, number, _ in due}
