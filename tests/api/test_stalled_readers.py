"""Clients that ask for much and never read: cut when their time is over, at nobody's cost but their own."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import uvicorn

from ledger.api.app import create_app
from ledger.api.connections import Bounds
from ledger.bootstrap import Ledger
from ledger.cli.serve import server_config
from ledger.clock import FixedClock
from ledger.settings import Settings
from ledger.store.database import MOST_STREAMS, Database
from tests.conftest import ADMIN_KEY

BOUNDS = Bounds(drain_s=0.4)
# Two are to be stalled at one moment, however late the second comes.
BOUNDS_OF_TWO = Bounds(drain_s=4)
PATIENCE_S = 60
ROWS = 40_000
AUTHORIZATION = {"Authorization": f"Bearer {ADMIN_KEY}"}
EXPORT = "/v1/exports/usage.csv?from=2026-11-01&to=2026-12-01"
# Ids of 255 characters, so that a few rows are more than sockets hold.
MANY = """
INSERT INTO usage_event (request_id, occurred_at, uncached_input_tokens, cached_input_tokens, output_tokens,
    input_pico, cached_input_pico, output_pico, other_pico, fee_pico, batch, lane, customer, dimension,
    stated, kind, revision, requests, unrated, opaque_id)
SELECT ('8' || substr(md5(n::text), 2))::uuid, occurred_at, 0, 0, 0, 0, 0, 0, 0, 0, batch, lane, customer,
    dimension, stated, kind, revision, 1, 0, rpad(n::text, 255, 'x')
FROM usage_event, generate_series(1, $1) n
"""
CLOSED = 7  # in the kernel's numbers of what a connection is
MOST_WAITING_BYTES = 2_500_000  # two answers of 30
COPYING = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'COPY%' AND state = 'active'"


class House(msgspec.Struct):
    """A server with a short patience, on a ledger."""

    server: uvicorn.Server
    port: int
    client: httpx.AsyncClient

    @asynccontextmanager
    async def silent(self, request: bytes, count: int = 1) -> AsyncIterator[socket.socket]:
        """A connection that sends a request so many times and never reads."""
        loop = asyncio.get_running_loop()
        with socket.socket() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # before it connects
            connection.setblocking(False)
            await loop.sock_connect(connection, ("127.0.0.1", self.port))
            sending = asyncio.create_task(loop.sock_sendall(connection, request * count))
            yield connection
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    async def serves(self) -> None:
        """Take a record and give a page, while others do as they do."""
        record = {"request_id": f"r{id(self)}", "customer_id": "good", "model": "m"}
        taken = await self.client.post("/v1/requests", json=record)
        assert taken.status_code in (200, 201)
        page = await self.client.get("/v1/requests", params={"limit": 1})
        assert page.status_code == 200

    def stalled(self) -> int:
        """How many connections wait for a reader."""
        return sum(each.transport.get_write_buffer_size() > 0 for each in self.connections())

    def connections(self) -> Any:
        """All that are open; the good client keeps one."""
        return self.server.server_state.connections


@pytest.fixture
async def house(database: Database, clock: FixedClock) -> AsyncIterator[House]:
    """The product's server with bounds that a test can wait for."""
    async with open_house(database, clock, BOUNDS) as opened:
        yield opened


@asynccontextmanager
async def open_house(database: Database, clock: FixedClock, bounds: Bounds) -> AsyncIterator[House]:
    """Serve a ledger in this loop, until the block ends."""
    ledger = Ledger(Settings(database_url=database.url, data_dir=Path()), clock, database, ())
    app = create_app(ledger, ADMIN_KEY)
    server = uvicorn.Server(server_config(app, bounds, app.state.metrics.http))
    with socket.socket(proto=socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        await until(lambda: server.started)
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", headers=AUTHORIZATION, timeout=PATIENCE_S
        ) as client:
            yield House(server, port, client)
        server.should_exit = True
        await serving


async def until(condition: Callable[[], object]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - nobody sets an event
            await asyncio.sleep(0.01)


async def fill(database: Database, client: httpx.AsyncClient) -> None:
    """One record by the door, and many like it."""
    record = {"request_id": "first", "customer_id": "c", "model": "m"}
    at = datetime(2026, 11, 19, tzinfo=UTC).isoformat()
    assert (await client.post("/v1/requests", json=record | {"timestamp": at})).status_code == 201
    async with database.connection() as connection:
        await connection.execute(MANY, ROWS)


def request(method: str, path: str, body: bytes = b"", media_type: str = "text/plain") -> bytes:
    """A request with the admin key, as it goes over the wire."""
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {ADMIN_KEY}\r\n"
        f"Content-Type: {media_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def test_an_export_that_nobody_reads_ends(database: Database, clock: FixedClock) -> None:
    """Others are served meanwhile; then its connection to the database is closed and its place is free."""
    async with open_house(database, clock, BOUNDS_OF_TWO) as house:
        await fill(database, house.client)
        await _exports_end(house, database)


async def _exports_end(house: House, database: Database) -> None:
    async with house.silent(request("GET", EXPORT)), house.silent(request("GET", EXPORT)):
        await until(lambda: house.stalled() == 2)
        assert database.streams.free == MOST_STREAMS - 2
        for _ in range(3):
            await house.serves()
        await until(lambda: database.streams.free == MOST_STREAMS)
        assert database.turns.in_use == 0
        assert house.stalled() == 0

    for _ in range(8):  # whichever connection of the pool it gets
        async with database.connection() as connection:
            assert await connection.fetchval("SELECT 1") == 1
    async with asyncio.timeout(PATIENCE_S), database.connection() as connection:
        while await connection.fetchval(COPYING):  # noqa: ASYNC110 - nor does the database
            await asyncio.sleep(0.05)
    whole = await house.client.get(EXPORT)
    assert whole.text.count("\r\n") == ROWS + 3  # with the first, the good one and the header


REJECTS = b"\n".join(b'{"request_id":"%s"}' % (b"r" * 250) for _ in range(500))
# A page of these is a megabyte.
WORDY = b"\n".join(
    msgspec.json.encode(
        {
            "request_id": f"wordy-{number}",
            "customer_id": "c",
            "metadata": {f"{each}": "w" * 250 for each in range(40)},
        }
    )
    for number in range(100)
)
NDJSON = "application/x-ndjson"


@pytest.mark.parametrize(
    "asked",
    [
        request("GET", "/v1/requests?limit=100"),
        request("POST", "/v1/requests/batch", REJECTS, NDJSON),
    ],
    ids=["lists", "batch answers"],
)
async def test_answers_that_nobody_reads_end(house: House, asked: bytes) -> None:
    """Many on one connection wait in the socket, not in memory, and the connection is cut."""
    taken = await house.client.post(
        "/v1/requests/batch", content=WORDY, headers={"Content-Type": NDJSON}
    )
    assert taken.json()["accepted"] == 100
    async with house.silent(asked, 30) as silent:
        await until(house.stalled)
        waiting_bytes = 0
        while house.stalled():
            await house.serves()
            waiting_bytes = max(
                waiting_bytes,
                *(each.transport.get_write_buffer_size() for each in house.connections()),
            )
        await until(lambda: len(house.connections()) == 1)
        assert waiting_bytes < MOST_WAITING_BYTES
        # Reset: what the kernel held for it is forgotten too.
        assert silent.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == CLOSED
