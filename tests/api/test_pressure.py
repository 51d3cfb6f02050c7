"""Too much, too slow, or no database: answers that say what to do, and nothing lost."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
import pytest
import zstandard

from ledger.api.app import create_app
from ledger.bootstrap import Ledger
from ledger.clock import FixedClock
from ledger.core.bodies import MAX_STEP_BYTES
from ledger.services.intake.intake import Intake
from ledger.settings import Settings
from ledger.store.database import MOST_STREAMS, Database
from tests.conftest import ADMIN_KEY, serving
from tests.lines import Line, line_to

NDJSON = {"Content-Type": "application/x-ndjson"}
NOVEMBER = {"from": "2026-11-01", "to": "2026-12-01"}
PATIENCE_S = 60
ANSWERED_S = 6  # generous; see the store's tests of the pulse
MEBIBYTE = 1024 * 1024


def record(request_id: str, padding: int = 0) -> bytes:
    """A record that is good."""
    stated = {
        "request_id": request_id,
        "customer_id": "acme",
        "input_tokens": 1,
        "timestamp": "2026-11-19T08:00:00Z",
        "note": "n" * padding,
    }
    return json.dumps(stated).encode()


class Served:
    """The application, a client to it, and what it counts."""

    def __init__(self, client: httpx.AsyncClient, intake: Intake, database: Database) -> None:
        self.client, self.intake, self.database = client, intake, database

    async def send(self, *request_ids: str) -> httpx.Response:
        """Records as lines."""
        lines = b"\n".join(map(record, request_ids))
        return await self.client.post("/v1/requests/batch", content=lines, headers=NDJSON)


@asynccontextmanager
async def served(
    database: Database, clock: FixedClock, most_bytes: int = 32 * MEBIBYTE
) -> AsyncIterator[Served]:
    """Serve the application on a database, with so much room for bodies."""
    settings = Settings(database_url=database.url, data_dir=Path(), max_bytes_in_flight=most_bytes)
    app = create_app(Ledger(settings, clock, database, ()), ADMIN_KEY)
    headers = {"Authorization": f"Bearer {ADMIN_KEY}"}
    async with (
        serving(app) as url,
        httpx.AsyncClient(base_url=url, headers=headers, timeout=PATIENCE_S) as client,
    ):
        yield Served(client, app.state.intake, database)


@pytest.fixture
async def line(database_url: str) -> AsyncIterator[Line]:
    """A line to the fresh database."""
    async with line_to(database_url) as open_line:
        yield open_line


@pytest.fixture
async def far(line: Line, clock: FixedClock) -> AsyncIterator[Served]:
    """The application over the line."""
    database = Database(line.url)
    await database.open()
    async with served(database, clock) as application:
        yield application
        await line.restore()
        await until(lambda: database.presence.why_away is None)
    await database.close()


async def until(condition: Callable[[], object]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - nobody sets an event
            await asyncio.sleep(0.01)


def problem_code(answer: httpx.Response) -> tuple[int, str]:
    """The status of a problem and its code."""
    assert answer.headers["content-type"].startswith("application/problem+json")
    return answer.status_code, answer.json()["error"]["code"]


@pytest.mark.parametrize("how", ["refused", "silent"])
async def test_every_call_is_told_when_the_database_is_away(
    far: Served, line: Line, how: str
) -> None:
    """Reads and writes, in flight and new ones, get 503; what was refused can be sent again."""
    assert (await far.send("before")).status_code == 200
    await (line.cut() if how == "refused" else asyncio.to_thread(line.silence))
    asked_at = time.monotonic()
    calls = [
        far.send("meanwhile"),
        far.client.post("/v1/requests", content=record("alone")),
        far.client.get("/v1/requests"),
        far.client.get("/v1/spend", params=NOVEMBER),
        far.client.get("/v1/exports/usage.csv", params=NOVEMBER),
        far.client.get("/v1/invoices"),
    ]
    answers = await asyncio.gather(*calls)
    assert time.monotonic() - asked_at < ANSWERED_S
    assert {problem_code(each) for each in answers} == {(503, "database_unavailable")}
    await until(lambda: far.database.presence.why_away == how)

    assert (await far.client.get("/healthz")).status_code == 200
    readiness = await far.client.get("/readyz")
    assert problem_code(readiness) == (503, "database_unavailable")
    assert readiness.json()["checks"][0] == {"name": "database", "ok": False, "code": how}
    asked_at = time.monotonic()
    assert (await far.send("at once")).status_code == 503
    assert time.monotonic() - asked_at < 1

    await line.restore()
    await until(lambda: far.database.presence.why_away is None)
    readiness = await far.client.get("/readyz")
    assert readiness.json()["checks"][0] == {"name": "database", "ok": True}
    counters = (await far.send("before", "meanwhile", "alone", "at once")).json()
    assert counters["read"] == counters["accepted"] + counters["duplicates"] == 4
    totals = (await far.client.get("/v1/spend", params=NOVEMBER)).json()["totals"]
    assert totals["requests"] == 4


async def test_an_array_without_room_is_refused(database: Database, clock: FixedClock) -> None:
    """429 with Retry-After while others hold the room; afterwards the same body is taken."""
    async with served(database, clock) as application:
        other = application.intake.bytes_in_flight.hold()
        other.become(31 * MEBIBYTE)
        body = b"[" + b",".join(record(f"a{n}", 100_000) for n in range(40)) + b"]"
        refused = await application.client.post("/v1/requests/batch", content=body)
        small = await application.client.post("/v1/requests", content=record("small"))
        other.release()
        taken = await application.client.post("/v1/requests/batch", content=body)

        assert problem_code(refused) == (429, "too_busy")
        assert int(refused.headers["retry-after"]) >= 1
        assert small.status_code == 201
        assert taken.json()["accepted"] == 40
        await until(lambda: application.intake.bytes_in_flight.held_bytes == 0)


async def test_a_body_holds_room_until_it_is_answered(
    database: Database, clock: FixedClock
) -> None:
    """While it comes, while it waits, and not after; whatever its end is."""
    async with served(database, clock) as application:
        room = application.intake.bytes_in_flight

        async def slowly() -> AsyncIterator[bytes]:
            yield b"[" + record("slow", MEBIBYTE // 2)
            await until(lambda: room.held_bytes > MEBIBYTE // 2)
            yield b"]"

        for body in (slowly(), b"[1", b"[]", b"\xff" * 1000):
            await application.client.post("/v1/requests/batch", content=body)
            await until(lambda: room.held_bytes == 0)


async def test_streams_share_the_room_there_is(database: Database, clock: FixedClock) -> None:
    """Many streams that together want far more than there is all land whole, within the cap."""
    lines = [b"\n".join(record(f"{s}-{n}", 20_000) for n in range(400)) for s in range(8)]
    async with served(database, clock, 8 * MEBIBYTE) as application:
        room = application.intake.bytes_in_flight
        senders = [
            asyncio.create_task(
                application.client.post("/v1/requests/batch", content=each, headers=NDJSON)
            )
            for each in lines
        ]
        most = 0
        while not all(sender.done() for sender in senders):
            most = max(most, room.held_bytes)
            await asyncio.sleep(0)
        answers = [await sender for sender in senders]

        landed = [each.json()["accepted"] for each in answers if each.status_code == 200]
        refused = [problem_code(each) for each in answers if each.status_code != 200]
        assert landed, "one at least had room"
        assert set(landed) == {400}
        assert set(refused) <= {(429, "too_busy")}
        assert most <= 8 * MEBIBYTE + MAX_STEP_BYTES
        assert room.held_bytes == 0


async def test_a_stream_without_room_is_refused(database: Database, clock: FixedClock) -> None:
    """Before anything of it was taken in; the same stream is taken when there is room."""
    async with served(database, clock) as application:
        other = application.intake.bytes_in_flight.hold()
        other.become(31 * MEBIBYTE)
        assert problem_code(await application.send("a", "b")) == (429, "too_busy")
        other.release()
        assert (await application.send("a", "b")).json()["accepted"] == 2


async def test_a_stream_goes_on_when_there_is_room_again(
    database: Database, clock: FixedClock
) -> None:
    """One that has begun has its own committed, and waits for a while before it gives up."""
    async with served(database, clock) as application:
        room = application.intake.bytes_in_flight
        other = room.hold()

        async def slowly() -> AsyncIterator[bytes]:
            yield record("first") + b"\n"
            await until(lambda: room.held_bytes)
            other.become(31 * MEBIBYTE)
            yield record("second") + b"\n"
            await until(lambda: room.held_bytes == other.held_bytes)  # its own is committed
            await asyncio.sleep(0.2)
            other.release()
            yield record("third") + b"\n"

        answer = await application.client.post(
            "/v1/requests/batch", content=slowly(), headers=NDJSON
        )
        assert answer.json()["accepted"] == 3


async def test_a_bomb_leaves_others_their_turn(database: Database, clock: FixedClock) -> None:
    """While 64 KiB become a gigabyte of blank lines, the process answers others within moments."""
    packer = zstandard.ZstdCompressor(level=1).compressobj()
    blank = b"\n" * MEBIBYTE
    bomb = b"".join(packer.compress(blank) for _ in range(1100)) + packer.flush()
    assert len(bomb) <= 64 * 1024
    headers = NDJSON | {"Content-Encoding": "zstd"}
    async with served(database, clock) as application:
        exploding = asyncio.create_task(
            application.client.post("/v1/requests/batch", content=bomb, headers=headers)
        )
        slowest_s = 0.0
        while not exploding.done():
            asked_at = time.monotonic()
            assert (await application.client.get("/healthz")).status_code == 200
            slowest_s = max(slowest_s, time.monotonic() - asked_at)
        answer = await exploding

    assert problem_code(answer) == (413, "body_too_large")
    assert answer.json()["progress"]["read"] == 0
    assert slowest_s < 3


async def test_exports_have_half_of_the_pool(database: Database, clock: FixedClock) -> None:
    """One more is told to come again, and gets its answer when one of the others has ended."""
    async with served(database, clock) as application:
        async with AsyncExitStack() as others:
            for number in range(MOST_STREAMS):
                await others.enter_async_context(database.stream(f"caller {number}"))
            answer = await application.client.get("/v1/exports/usage.csv", params=NOVEMBER)
            assert problem_code(answer) == (429, "too_busy")
            assert (await application.client.get("/v1/spend", params=NOVEMBER)).status_code == 200
        answer = await application.client.get("/v1/exports/usage.csv", params=NOVEMBER)
        assert answer.status_code == 200


async def test_a_reader_of_an_export_that_leaves_gives_its_connection_back(
    database: Database, clock: FixedClock
) -> None:
    """However many leave in the middle, the next one is served."""
    async with served(database, clock) as application:
        for start in range(0, 6000, 2000):
            ids = [f"r{n}" for n in range(start, start + 2000)]
            assert (await application.send(*ids)).json()["accepted"] == 2000
        for _ in range(2 * MOST_STREAMS):
            async with application.client.stream(
                "GET", "/v1/exports/usage.csv", params=NOVEMBER
            ) as answer:
                assert answer.status_code == 200
            await until(lambda: database.streams.free == MOST_STREAMS)
