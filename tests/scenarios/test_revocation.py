"""A revoked key is of no use within a second, in every process that serves the ledger."""

import time
from contextlib import AsyncExitStack

import httpx
import pytest

from ledger.bench.processes import server_process
from ledger.clock import FixedClock
from ledger.services.keys import KeyRequest, create_key, revoke_key
from ledger.store.database import Database
from tests.scenarios.test_kills import environment

SERVE = ("ledger", "serve", "--port", "0")
SPEND = "/v1/spend?from=2026-11-01&to=2026-12-01"


@pytest.fixture
async def key(database: Database, clock: FixedClock) -> str:
    """A key that reads."""
    body = await create_key(database, clock, "test", KeyRequest("reader", ("read",)))
    return str(body["key"])


async def test_two_servers_refuse_a_revoked_key_within_a_second(
    database: Database, clock: FixedClock, key: str
) -> None:
    """Whoever revokes it: one of the servers, or a command beside them. The other keys go on."""
    other = (await create_key(database, clock, "test", KeyRequest("other", ("read",))))["key"]
    async with AsyncExitStack() as stack:
        clients = []
        for _ in range(2):
            process = server_process(*SERVE, environment=environment(database.url))
            url = (await stack.enter_async_context(process)).url
            clients.append(
                await stack.enter_async_context(httpx.AsyncClient(base_url=url, timeout=10))
            )
        first, second = clients
        assert await answers(clients, key) == [200, 200]

        admin = {"Authorization": f"Bearer {environment(database.url)['LEDGER_ADMIN_KEY']}"}
        revoked = await first.post(f"/v1/keys/{key[:13]}/revoke", headers=admin, json={})
        assert revoked.status_code == 200
        assert await answers([first], key) == [401]
        assert await seconds_until_refused(second, key) < 1
        assert await answers(clients, other) == [200, 200]

        await revoke_key(database, clock, "test", other[:13])
        assert await seconds_until_refused(first, other) < 1
        assert await seconds_until_refused(second, other) < 1


async def answers(clients: list[httpx.AsyncClient], key: str) -> list[int]:
    """What each is answered with a key."""
    headers = {"Authorization": f"Bearer {key}"}
    return [(await client.get(SPEND, headers=headers)).status_code for client in clients]


async def seconds_until_refused(client: httpx.AsyncClient, key: str) -> float:
    """Ask until the answer is 401."""
    began_at = time.monotonic()
    while await answers([client], key) != [401]:
        assert time.monotonic() - began_at < 30
    return time.monotonic() - began_at
