"""Two servers on one database, one of them of the next version: real processes, records to both.

old ─────────────────────▶ restarted ─────────────────────▶ refuses
       new, migrates ──────────────────▶
                                          one that breaks ─┘
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest

from ledger.bench.processes import ServerProcess, server_process
from ledger.clock import FixedClock
from ledger.store.database import Database
from ledger.store.migrations import migrate, migrations
from tests.conftest import ADMIN_KEY, NOW
from tests.former_ledgers import program_with
from tests.newer_program import carrying, later_migration
from tests.store.rebuild_damage import whole

OLD, NEW = "ledger", "tests.newer_program"
ADDED = later_migration(
    "holidays",
    "CREATE TABLE holiday (day date PRIMARY KEY);\n"
    "GRANT SELECT ON holiday TO ledger_service;\n"
    "ALTER TABLE usage_event ADD COLUMN note text;",
)
BREAKING = later_migration("rules", "SELECT;", steps=2, breaks=True)
HEADERS = {"Authorization": f"Bearer {ADMIN_KEY}", "Content-Type": "application/x-ndjson"}
SPAN = {"from": "2026-11-01", "to": "2026-12-01"}
BATCH = 20


class Stream:
    """Records to whichever server is named, each one twice; every answer must be 200."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self.sent = 0

    async def send(self, *servers: ServerProcess) -> None:
        """A batch to the first, the same again to the last, whose answer is that it is there."""
        lines = b"\n".join(line(self.sent + number) for number in range(BATCH))
        self.sent += BATCH
        first = await self.post(servers[0], lines)
        again = await self.post(servers[-1], lines)
        assert (first["accepted"], again["duplicates"]) == (BATCH, BATCH)

    async def post(self, server: ServerProcess, lines: bytes) -> Any:
        answer = await self.client.post(f"{server.url}/v1/requests/batch", content=lines)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def send_until(self, done: asyncio.Event, server: ServerProcess) -> None:
        while not done.is_set():
            await self.send(server)


def line(number: int) -> bytes:
    stated = {
        "request_id": f"rolling-{number}",
        "customer_id": f"customer-{number % 3}",
        "model": "accounts/fireworks/models/glm-5p1",
        "provider": "fireworks",
        "output_tokens": 1_000,
        "timestamp": "2026-11-19T08:00:00Z",
    }
    return json.dumps(stated).encode()


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(headers=HEADERS, timeout=30) as client:
        yield client


async def test_old_and_new_serve_one_ledger(
    database: Database, clock: FixedClock, http: httpx.AsyncClient
) -> None:
    """No request fails while versions change, both see all of it, and both stop when they must."""
    old_one = {"LEDGER_DATABASE_URL": database.url, "LEDGER_ADMIN_KEY": ADMIN_KEY}
    new_one = old_one | carrying(ADDED)
    serve = ("serve", "--port", "0")
    stream = Stream(http)
    async with AsyncExitStack() as stack:
        async with server_process(OLD, *serve, environment=old_one) as old:
            is_up = asyncio.Event()
            sending = asyncio.create_task(stream.send_until(is_up, old))
            new = await stack.enter_async_context(server_process(NEW, *serve, environment=new_one))
            is_up.set()
            await sending
            await stream.send(old, new)
        restarted = await stack.enter_async_context(
            server_process(OLD, *serve, environment=old_one)
        )
        await stream.send(restarted, new)
        await stream.send(new, restarted)
        await whole(database, clock)
        for server in (restarted, new):
            spend = await http.get(f"{server.url}/v1/spend", params=SPAN)
            assert spend.json()["totals"]["requests"] == stream.sent

        with program_with(*migrations(), ADDED, BREAKING):
            assert await migrate(database.url, NOW.date()) == [BREAKING.name]
        for server in (restarted, new):
            refused = await http.post(f"{server.url}/v1/requests/batch", content=line(-1))
            assert (refused.status_code, refused.json()["error"]["code"]) == (503, "setup")
