"""What a bench counts as the database's own time."""

import asyncio

from ledger.bench.databases import BenchServer
from ledger.bench.postgres import database_cpu_s
from ledger.store.database import owner_connection

_WORK = "SELECT sum(sqrt(number)) FROM generate_series(1, 1000000) AS number"


async def test_work_counts_while_its_session_lives_and_after(server: BenchServer) -> None:
    """A session that has ended took what it took."""
    before_s = database_cpu_s(server.embedded)
    async with owner_connection(server.embedded.url("postgres")) as connection:
        await connection.fetchval(_WORK)
        meanwhile_s = database_cpu_s(server.embedded)
    async with owner_connection(server.embedded.url("postgres")) as connection:
        others = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
        async with asyncio.timeout(30):
            while await connection.fetchval(others) > 1:  # noqa: ASYNC110 - no event is set
                await asyncio.sleep(0.01)
    assert before_s < meanwhile_s <= database_cpu_s(server.embedded) + 0.01
