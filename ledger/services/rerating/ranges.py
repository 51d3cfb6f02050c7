"""Re-rating a range that somebody names: shown first, then applied; both make the same pass."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from ledger.clock import Clock
from ledger.core.adjustments import Standing
from ledger.core.errors import InvalidParameter
from ledger.core.instants import format_instant
from ledger.core.rerating import Differences, plan_rerating, stretches
from ledger.services.customers import known_customer
from ledger.services.decisions import check_reason
from ledger.services.rerating.chunks import CHUNK_REQUESTS, ChunkWriter, Order
from ledger.services.rerating.shown import differences_body
from ledger.store.configuration import load_configuration
from ledger.store.database import Connection, Database
from ledger.store.interning import read_customer_words
from ledger.store.rerating import Reach, read_chunks, read_hours

LAST_HOUR = datetime(9999, 12, 31, 23, tzinfo=UTC)
STRETCH_REQUESTS = 50_000  # a snapshot is held no longer than it takes to read so many

Step = Callable[[Sequence[Standing]], Awaitable[Differences]]
Progress = Callable[[int, int], None]  # how many requests are looked at, of how many


class RerateRequest(msgspec.Struct, frozen=True):
    """Which requests are to be rated again, by their own time `[start, end)`; empty filters do not filter."""

    start_at: datetime
    end_at: datetime
    customer_ids: Sequence[str] = ()
    models: Sequence[str] = ()


async def rerate(
    database: Database,
    clock: Clock,
    actor: str,
    request: RerateRequest,
    *,
    is_applied: bool,
    reason: str | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Show what the rate tables known now would change in a range, or change it.

    Applied again it finds nothing to change; after an interruption it goes on with what is left.

    Raises:
        InvalidParameter: an empty range, or one that reaches beyond all time.
        NotFound: no such customer.
        InvalidRecord: a reason outside its rule.
        DatabaseUnavailable: what was recorded until then is whole; run it again.
    """
    if request.start_at >= request.end_at:
        raise InvalidParameter("to", "must be later than from")
    if request.end_at > LAST_HOUR:
        raise InvalidParameter("to", "must lie before the last hour of year 9999")
    check_reason(reason)
    async with database.connection() as connection:
        reach = await _reach(connection, request)
        order = Order(actor, "rerate", reach, reason)
        step = await (_applying if is_applied else _showing)(connection, clock, order)
        hours = await read_hours(connection, reach)
        counted = [(hour_at, requests) for hour_at, _, requests in hours]
        differences = await look_through(database, reach, counted, step, progress)
        names = await read_customer_words(connection, {number for number, _ in differences.groups})
    return {
        "from": format_instant(request.start_at),
        "to": format_instant(request.end_at),
        "applied": is_applied,
        **differences_body(differences, {number: words[0] for number, words in names.items()}),
    }


async def look_through(
    database: Database,
    reach: Reach,
    hours: Sequence[tuple[datetime, int]],
    step: Step,
    progress: Progress | None = None,
) -> Differences:
    """Take a step for every chunk of what stands, in hours that have some; give what all steps gave."""
    total, looked_at = Differences(), 0
    expected = sum(requests for _, requests in hours)
    for start_at, end_at in stretches(hours, reach.start_at, reach.end_at, STRETCH_REQUESTS):
        part = msgspec.structs.replace(reach, start_at=start_at, end_at=end_at)
        async with database.snapshot() as snapshot:
            async for chunk in read_chunks(snapshot, part, CHUNK_REQUESTS):
                total.add(await step(chunk))
                looked_at += len(chunk)
                if progress is not None:
                    progress(looked_at, expected)
    return total


async def _reach(connection: Connection, request: RerateRequest) -> Reach:
    customers = [await known_customer(connection, name) for name in request.customer_ids]
    return Reach(request.start_at, request.end_at, customers or None, request.models or None)


async def _applying(connection: Connection, clock: Clock, order: Order) -> Step:
    writer = await ChunkWriter.open(connection, clock)

    async def apply(chunk: Sequence[Standing]) -> Differences:
        return await writer.write(chunk, order)

    return apply


async def _showing(connection: Connection, _clock: Clock, _order: Order) -> Step:
    configuration = await load_configuration(connection)

    async def show(chunk: Sequence[Standing]) -> Differences:
        return plan_rerating(chunk, configuration.book).differences

    return show
