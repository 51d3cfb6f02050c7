"""Some hundreds of drawn bodies; `scripts/fuzz-bodies` sends a hundred thousand."""

import asyncio

import httpx
from hypothesis import HealthCheck, given, seed, settings

from ledger.clock import FixedClock
from ledger.services.proof.verification import verify
from ledger.store.database import Database
from tests.properties.fuzzed_bodies import Drawn, drawn_bodies
from tests.properties.fuzzing import Fuzzing

BODIES = 250
QUIET = settings(
    max_examples=BODIES, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)


async def test_no_body_breaks_the_service_or_loses_a_good_record(
    api: httpx.AsyncClient, database: Database, clock: FixedClock
) -> None:
    """No 5xx, counters that add up, spend as the second model has it, and a log that verifies."""
    fuzzing, loop = Fuzzing(api), asyncio.get_running_loop()

    @seed(5)
    @QUIET
    @given(drawn_bodies())
    def send(drawn: Drawn) -> None:
        asyncio.run_coroutine_threadsafe(fuzzing.send(drawn), loop).result(timeout=60)

    await asyncio.to_thread(send)
    assert fuzzing.bodies >= BODIES
    assert {200, 201, 400, 415} <= set(fuzzing.statuses)
    await fuzzing.settle()
    assert len(fuzzing.landed) >= BODIES // 4
    await fuzzing.check_spend()
    async with database.connection() as connection:
        fuzzing.check_events(await connection.fetchval("SELECT count(*) FROM usage_event"))
    assert (await verify(database, clock))["ok"]
