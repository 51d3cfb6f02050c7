"""Filling a ledger quickly: what intake would have written, by COPY, and the sums of it in one go.

    patterns ─▶ COPY usage_event ─▶ batch row with its digest ─▶ ... ─▶ rollups, touched months ─▶ days

`verify` finds nothing in it, and `rebuild` nothing to repair; a test holds both.
"""

from datetime import timedelta

import msgspec

from ledger.bench.patterns import Past, Rows, patterns_by_model, rated_statements
from ledger.bench.records import Mix, customer_id
from ledger.bench.report import tell
from ledger.clock import Clock
from ledger.services.condensing import condense
from ledger.services.rates import publish_tables
from ledger.store.configuration import load_configuration
from ledger.store.database import Connection, Database, owner_connection
from ledger.store.events import append_events
from ledger.store.interning import Interned
from ledger.store.log import Batch, append_batch, enter_fence, take_lane
from ledger.store.sql_files import query
from pricing import shipped_rate_files

PROVIDER = "bench"
BATCH_RECORDS = 10_000  # what the writer commits at once when much waits
_TOLD_EVERY = 1_000_000
_RATES_FILE = "fireworks/2026-05-12.yaml"

_NOT_WAITING = "SET synchronous_commit = off"
_MEMORY = "SET LOCAL work_mem = '256MB'"
# Names of tables are no parameters; these are constants, each with the order of its key.
_ROLLUPS = {
    name: f"INSERT INTO {name} SELECT * FROM rebuilt_{name} ORDER BY {key}"  # noqa: S608
    for name, key in (
        ("rollup_hour", "customer, hour_at, dimension"),
        ("rollup_lane_hour", "hour_at, dimension, lane"),
    )
}
_TOUCH = """
INSERT INTO touched_period (customer, period_start, epoch)
SELECT DISTINCT customer, date_trunc('month', hour_at AT TIME ZONE 'UTC')::date,
    (SELECT epoch FROM configuration)
FROM rollup_hour
"""


def past_until(clock: Clock, days: int, events: int, mix: Mix) -> Past:
    """A past that ended at midnight two days ago: intake may go on where it ends."""
    today = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    end_at = today - timedelta(days=2)
    return Past(events, mix, end_at - timedelta(days=days), end_at)


async def fill(url: str, past: Past, clock: Clock) -> None:
    """Give a fresh ledger a past."""
    if not past.events:
        return
    await _publish_prices(url, clock)
    connection = await Database(url).connect()
    try:
        await _copy(connection, past, clock)
    finally:
        await connection.close()
    async with owner_connection(url) as owner:
        await _sum_up(owner)
    await _condense(url, clock)
    async with owner_connection(url) as owner:
        await owner.execute("VACUUM ANALYZE")  # as the server does by itself in the long run
        await owner.execute("CHECKPOINT")
    tell(f"{past.events:,} events are recorded")


async def _publish_prices(url: str, clock: Clock) -> None:
    """Publish what a shipped table says, for another provider and all times: every event has a price."""
    text = dict(shipped_rate_files())[_RATES_FILE]
    text = text.replace("provider: fireworks", f"provider: {PROVIDER}", 1)
    text = text.replace("effective_from: 2026-05-12", "effective_from: 2020-01-01", 1)
    database = Database(url)
    await database.open()
    try:
        await publish_tables(database, clock, "bench", [("bench.yaml", text)], currency="USD")
    finally:
        await database.close()


async def _copy(connection: Connection, past: Past, clock: Clock) -> None:
    await connection.execute(_NOT_WAITING)
    mix = msgspec.structs.replace(past.mix, provider=PROVIDER)
    rated = rated_statements(mix, past.start_at, await load_configuration(connection))
    interned, names = Interned(), [customer_id(number) for number in range(mix.customers)]
    await interned.learn_customers(connection, names, create=True)
    await interned.learn_dimensions(connection, {each.dimension for each in rated})
    by_model = patterns_by_model(rated, interned.dimensions.__getitem__)
    rows = Rows(past, by_model, [interned.customers[name] for name in names])
    lane, copied = await take_lane(connection), 0
    while several := rows.take(BATCH_RECORDS, lane.lane, lane.next_batch):
        async with connection.transaction():
            await enter_fence(connection)
            lines = await append_events(connection, several)
            batch = Batch(lane.next_recorded_at(clock.now()), several, lines)
            lane = await append_batch(connection, lane, batch, interned)
        copied += len(several)
        if copied % _TOLD_EVERY == 0:
            tell(f"{copied:,} of {past.events:,} events are filled in")


async def _condense(url: str, clock: Clock) -> None:
    """Work out the days that are over, as a job does each night; the servers of benches run no jobs."""
    database = Database(url)
    await database.open()
    try:
        await condense(database, clock)
    finally:
        await database.close()


async def _sum_up(owner: Connection) -> None:
    """Derive the sums as a rebuild does, but into empty tables."""
    async with owner.transaction():
        await owner.execute(_MEMORY)
        for name, insert in _ROLLUPS.items():
            await owner.execute(query("rebuild", "prefer_hashing"))
            await owner.execute(query("rebuild", f"{name}_derive"))
            await owner.execute(query("rebuild", "prefer_nothing"))
            await owner.execute(insert)
            await owner.execute(f"DROP TABLE rebuilt_{name}")
        await owner.execute(_TOUCH)
