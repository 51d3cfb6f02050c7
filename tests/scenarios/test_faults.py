"""Faults of docs/faults.md that no other test has: who leaves, what is cut, a full disk, a wrong clock."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from ledger.clock import FixedClock
from ledger.services.proof.verification import verify
from ledger.store.database import Database
from ledger.store.log import raise_epoch
from tests.conftest import ADMIN_KEY, NOW

PATIENCE_S = 20
SPEND = {"from": "2026-11-01", "to": "2026-12-01"}
WAITS = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
FILL_DISK = """
CREATE FUNCTION fill_disk() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE disk_full USING MESSAGE = 'could not extend file'; END $$;
CREATE TRIGGER full_disk BEFORE INSERT ON usage_event FOR EACH ROW EXECUTE FUNCTION fill_disk();
"""
MAKE_ROOM = "DROP TRIGGER full_disk ON usage_event"


def record(request_id: str) -> bytes:
    stated = {"customer_id": "acme", "input_tokens": 1, "timestamp": "2026-11-19T08:00:00Z"}
    return json.dumps({"request_id": request_id} | stated).encode()


@asynccontextmanager
async def sent_raw(
    api: httpx.AsyncClient, path: str, content_type: str, body: bytes, announced_bytes: int
) -> AsyncIterator[None]:
    """A request whose sender closes the connection with the block, whatever has come of it."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: ledger\r\nAuthorization: Bearer {ADMIN_KEY}\r\n"
        f"Content-Type: {content_type}\r\nContent-Length: {announced_bytes}\r\n\r\n"
    )
    _, sender = await asyncio.open_connection(api.base_url.host, api.base_url.port)
    sender.write(head.encode() + body)
    await sender.drain()
    try:
        yield
    finally:
        sender.close()
        await sender.wait_closed()


async def until(condition: Callable[[], Awaitable[object]]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not await condition():  # noqa: ASYNC110 - nobody sets an event
            await asyncio.sleep(0.01)


async def test_who_leaves_before_the_answer_may_send_again(
    api: httpx.AsyncClient, database: Database
) -> None:
    """The record that was on its way is recorded; sent again, it is there."""
    body = record("left")

    async def is_waiting() -> Any:
        return await connection.fetchval(WAITS)

    async def is_there() -> bool:
        return (await api.get("/v1/requests/left")).status_code == 200

    async with database.connection() as connection, connection.transaction():
        await raise_epoch(connection)  # no batch commits meanwhile
        async with sent_raw(api, "/v1/requests", "application/json", body, len(body)):
            await until(is_waiting)
    await until(is_there)

    again = await api.post("/v1/requests", content=body)
    assert again.status_code == 200
    assert (await api.get("/v1/spend", params=SPEND)).json()["totals"]["requests"] == 1


async def test_a_network_that_is_cut_in_a_batch_loses_what_was_not_sent(
    api: httpx.AsyncClient,
) -> None:
    """Nothing of an array lands. Sent again whole, everything is there once."""
    whole = b"[" + b",".join(map(record, "abc")) + b"]"
    async with sent_raw(api, "/v1/requests/batch", "application/json", whole[:-20], len(whole)):
        pass

    again = (await api.post("/v1/requests/batch", content=whole)).json()

    assert (again["accepted"], again["duplicates"]) == (3, 0)
    assert (await api.get("/v1/spend", params=SPEND)).json()["totals"]["requests"] == 3


async def test_a_full_disk_refuses_records_and_answers_questions(
    api: httpx.AsyncClient, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """503 to senders, a line that names it in the log; with room again the same records are taken."""
    owner = await asyncpg.connect(database_url, server_settings={"search_path": "ledger"})
    await owner.execute(FILL_DISK)
    with caplog.at_level(logging.ERROR):
        refused = await api.post("/v1/requests", content=record("a"))
    assert refused.status_code == 503
    assert refused.json()["detail"] == "the database failed (DiskFullError)"
    assert "DiskFullError sqlstate 53100" in caplog.text
    assert (await api.get("/v1/spend", params=SPEND)).status_code == 200

    await owner.execute(MAKE_ROOM)
    await owner.close()

    assert (await api.post("/v1/requests", content=record("a"))).status_code == 201


async def test_a_clock_that_goes_back_turns_no_lane_back(
    api: httpx.AsyncClient, database: Database, clock: FixedClock
) -> None:
    """What is recorded next is recorded no earlier than what came before, and the log holds."""
    await api.post("/v1/requests", content=record("before"))
    clock.instant = NOW - timedelta(hours=3)

    await api.post("/v1/requests", content=record("after"))

    async with database.connection() as connection:
        batches = await connection.fetch("SELECT recorded_at FROM batch")
    assert {row["recorded_at"] for row in batches} == {NOW}
    assert (await verify(database, clock))["ok"]


async def test_a_clock_that_is_a_day_slow_refuses_what_is_of_today(
    api: httpx.AsyncClient, clock: FixedClock
) -> None:
    """`in_the_future`, kept in quarantine; with the clock put right it is replayed."""
    clock.instant = NOW - timedelta(days=3)
    refused = await api.post("/v1/requests", content=record("today"))
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["code"] == "in_the_future"
    clock.instant = NOW
    (kept,) = (await api.get("/v1/quarantine")).json()["data"]

    replayed = await api.post(f"/v1/quarantine/{kept['quarantine_id']}/replay")

    assert replayed.json()["accepted"] == 1
