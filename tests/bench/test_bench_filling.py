"""A ledger that was filled quickly is one that intake could have written."""

from datetime import UTC, datetime, timedelta

from ledger.bench.databases import BenchServer, count_events
from ledger.bench.filling import fill
from ledger.bench.patterns import Past
from ledger.bench.records import Mix
from ledger.clock import SystemClock
from ledger.services.proof.rebuilding import rebuild
from ledger.services.proof.verification import verify
from ledger.store.database import Database

START = datetime(2026, 6, 1, tzinfo=UTC)
SPREAD = """
SELECT customer, dimension, sum(requests), sum(unrated) FROM rollup_hour GROUP BY 1, 2 ORDER BY 1, 2
"""
TOUCHED = "SELECT count(*) FROM touched_period"


async def test_a_filled_ledger_holds(server: BenchServer) -> None:
    """Two batches: digests, amounts and sums are those of the log, and every event has a price."""
    url, clock = await server.fresh_database("filled"), SystemClock()
    past = Past(10_500, Mix(customers=7, models=3), START, START + timedelta(days=40))
    await fill(url, past, clock)
    assert await count_events(url) == 10_500
    database = Database(url)
    await database.open()
    checks = (await verify(database, clock))["checks"]
    assert len(checks) > 10
    assert [check for check in checks if not check["ok"] or check["count"]] == []
    projections = (await rebuild(database, clock))["projections"]
    assert all(each["identical"] for each in projections)
    async with database.connection() as connection:
        spread = [tuple(row) for row in await connection.fetch(SPREAD)]
        touched = await connection.fetchval(TOUCHED)
    await database.close()
    assert len(spread) == 7 * 3
    assert {(requests, unrated) for _, _, requests, unrated in spread} == {(500, 0)}
    assert touched == 7 * 2  # June and July of each customer: what an invoice run looks at
    await server.drop_database("filled")
