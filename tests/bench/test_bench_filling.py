"""A ledger that was filled quickly is one that intake could have written."""

from datetime import UTC, datetime, timedelta

from ledger.bench.databases import BenchServer, count_events
from ledger.bench.filling import fill
from ledger.bench.patterns import Past
from ledger.bench.processes import run_command
from ledger.bench.records import Mix
from ledger.clock import SystemClock

START = datetime(2026, 6, 1, tzinfo=UTC)


async def test_a_filled_ledger_holds(server: BenchServer) -> None:
    """Two batches: digests, amounts and sums are those of the log, and every event has a price."""
    url = await server.fresh_database("filled")
    past = Past(10_500, Mix(customers=7, models=3), START, START + timedelta(days=40))
    await fill(url, past, SystemClock())
    verified = (await run_command(url, "verify")).document
    assert [check for check in verified["checks"] if not check["ok"] or check["count"]] == []
    rebuilt = (await run_command(url, "rebuild")).document
    rows = {each["name"]: each["rows"] for each in rebuilt["projections"]}
    assert all(each["identical"] for each in rebuilt["projections"])
    assert rows["rollup_hour"] > 7 * 3
    assert await count_events(url) == 10_500
    spend = await run_command(
        url, "spend", "--from", "2026-06-01", "--to", "2026-08-01", "--by", "customer,model"
    )
    assert [row["requests"] for row in spend.document["rows"]] == [500] * 21
    assert spend.document["unrated_requests"] == 0
    await server.drop_database("filled")
