"""Kill -9 in mid-stream of the service, of PostgreSQL, and of a file's ingestion; real processes, fsync on.

answered before the kill   sent again   ->  all of it duplicates, none of it missing
everything                 sent again   ->  spend equals the naive ledger's, each record once
everything                 once more    ->  nothing but duplicates
"""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import msgspec
import psutil
import pytest

from ledger.bench.databases import count_events
from ledger.bench.processes import server_process
from ledger.bench.records import Mix, cut, record_lines
from ledger.bootstrap import open_ledger
from ledger.clock import SystemClock
from ledger.core.spend import spend_query
from ledger.services.spend import answer_spend, spend_body
from ledger.settings import Settings
from ledger.store.database import Database
from ledger.store.embedded import embedded_server
from tests.conftest import ADMIN_KEY, NOW
from tests.naive import naive_ledger, read_tables
from tests.servers import data_folder

RATES = Path(__file__).parents[2] / "pricing" / "rates"
START, END = datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 6, 2, tzinfo=UTC)
MIX = Mix(customers=40, models=20)
BATCH_RECORDS, BATCHES, ANSWERED_BEFORE_KILL = 80, 60, 15
FILE_RECORDS = 15_000
SENDERS = 4
PATIENCE_S = 30
OTHER_SESSIONS = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A fresh data folder; the server in it has fsync on."""
    with data_folder() as path:
        yield path


class Stream:
    """A client that posts batches over a few connections and keeps every answer.

    `answers` are the counters of batches that got 200, `failures` the status of the others, None where
    the connection broke.
    """

    def __init__(self) -> None:
        self.lines = list(record_lines(BATCH_RECORDS * BATCHES, START, MIX))
        self.batches = [b"\n".join(lines) for lines in cut(self.lines, BATCH_RECORDS)]
        self.answers: dict[int, dict[str, Any]] = {}
        self.failures: dict[int, int | None] = {}
        self.is_midway = asyncio.Event()

    async def send(self, url: str, indexes: Iterable[int]) -> None:
        """Post batches, each once, whatever comes of it."""
        self.answers, self.failures = {}, {}
        waiting = iter(indexes)
        async with client(url) as http, asyncio.TaskGroup() as senders:
            for _ in range(SENDERS):
                senders.create_task(self._send_waiting(http, waiting))

    async def _send_waiting(self, http: httpx.AsyncClient, waiting: Iterator[int]) -> None:
        for index in waiting:
            try:
                answer = await http.post("/v1/requests/batch", content=self.batches[index])
            except httpx.TransportError:
                self.failures[index] = None
                continue
            if answer.status_code == 200:
                self.answers[index] = answer.json()
            else:
                self.failures[index] = answer.status_code
            if len(self.answers) >= ANSWERED_BEFORE_KILL:
                self.is_midway.set()

    def counted(self, *names: str) -> tuple[int, ...]:
        """The sums of some counters over all answers."""
        return tuple(sum(answer[name] for answer in self.answers.values()) for name in names)


def client(url: str) -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {ADMIN_KEY}", "Content-Type": "application/x-ndjson"}
    return httpx.AsyncClient(base_url=url, headers=headers, timeout=PATIENCE_S)


def environment(database_url: str) -> dict[str, str]:
    return {"LEDGER_DATABASE_URL": database_url, "LEDGER_ADMIN_KEY": ADMIN_KEY}


async def until(condition: Callable[[], Awaitable[object]]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not await condition():  # noqa: ASYNC110 - another process sets no event
            await asyncio.sleep(0.01)


async def is_ready(url: str) -> bool:
    async with client(url) as http:
        return (await http.get("/readyz")).status_code == 200


async def require_nothing_lost_or_doubled(stream: Stream, url: str) -> None:
    """Resend what was answered, then everything, twice; compare the sums with the naive ledger's."""
    everything, answered = range(BATCHES), sorted(stream.answers)
    assert 0 < len(answered) < BATCHES, "the kill was not in mid-stream"

    await stream.send(url, answered)
    expected = (0, len(answered) * BATCH_RECORDS)
    assert stream.counted("accepted", "duplicates") == expected, "something answered was missing"

    for _ in range(2):
        await stream.send(url, everything)
        assert not stream.failures
    assert stream.counted("accepted", "duplicates") == (0, len(stream.lines))

    async with client(url) as http:
        span = {"from": START.isoformat(), "to": END.isoformat()}
        answer = await http.get("/v1/spend", params={**span, "group_by": "customer,model"})
    require_naive_spend(answer.json(), stream.lines)


def require_naive_spend(body: dict[str, Any], lines: Sequence[bytes]) -> None:
    """Each record counted once, to the last digit."""
    naive = naive_ledger(lines, read_tables(RATES), received_at=NOW)
    expected = naive.spend(("customer", "model"), START, END)
    assert body["totals"]["requests"] == len(lines) == naive.counters["accepted"]
    assert len(body["rows"]) == len(expected)
    for row, wanted in zip(body["rows"], expected, strict=True):
        for name, value in wanted.items():
            assert (Decimal(row[name]) if isinstance(value, Decimal) else row[name]) == value


async def test_kill_of_the_service_loses_and_doubles_nothing(folder: Path) -> None:
    """What a killed service answered is there, and its successor counts each record once."""
    stream = Stream()
    serve = ("ledger", "serve", "--port", "0")
    async with embedded_server(folder) as postgres:
        variables = environment(postgres.url())
        async with server_process(*serve, environment=variables) as service:
            sending = asyncio.create_task(stream.send(service.url, range(BATCHES)))
            await asyncio.wait_for(stream.is_midway.wait(), PATIENCE_S)
            service.process.kill()
            await service.process.wait()
            await sending
        assert set(stream.failures.values()) == {None}
        async with server_process(*serve, environment=variables) as successor:
            await require_nothing_lost_or_doubled(stream, successor.url)


def postmaster_and_backends(postmaster: psutil.Process) -> list[psutil.Process]:
    return [postmaster, *postmaster.children()]


def one_backend(postmaster: psutil.Process) -> list[psutil.Process]:
    backends = [each for each in postmaster.children() if "[local]" in " ".join(each.cmdline())]
    return backends[:1]


@pytest.mark.parametrize("victims", [postmaster_and_backends, one_backend])
async def test_kill_of_postgresql_loses_and_doubles_nothing(
    folder: Path, victims: Callable[[psutil.Process], list[psutil.Process]]
) -> None:
    """The service answers 503 for what is not durable and goes on by itself when PostgreSQL is back."""
    stream = Stream()
    async with AsyncExitStack() as stack:
        postgres = await stack.enter_async_context(embedded_server(folder))
        service = await stack.enter_async_context(
            server_process(
                *("ledger", "serve", "--port", "0"), environment=environment(postgres.url())
            )
        )
        sending = asyncio.create_task(stream.send(service.url, range(BATCHES)))
        await asyncio.wait_for(stream.is_midway.wait(), PATIENCE_S)
        for process in victims(psutil.Process(postgres.process_id)):
            process.kill()
        await sending
        assert set(stream.failures.values()) == {503}
        await stack.enter_async_context(embedded_server(folder))  # starts it, or waits for it
        await until(lambda: is_ready(service.url))
        await require_nothing_lost_or_doubled(stream, service.url)
        assert service.process.returncode is None  # the same process all the while


async def test_kill_of_an_ingestion_loses_and_doubles_nothing(folder: Path) -> None:
    """Ingesting a file again after the kill adds exactly what had not landed; once more adds nothing."""
    lines = list(record_lines(FILE_RECORDS, START, MIX))
    file = folder / "records.ndjson"
    file.write_bytes(b"\n".join(lines))
    async with embedded_server(folder) as postgres:
        url = postgres.url()
        settings = Settings(database_url=url, data_dir=folder)
        async with open_ledger(settings, migrating=True) as ledger:
            killed = await start_ingest(file, url)
            await until(lambda: count_events(url))
            killed.kill()
            await killed.communicate()
            await until(lambda: is_alone(ledger.database))
            landed = await count_events(url)
            assert 0 < landed < FILE_RECORDS, "the kill was not midway"

            for accepted in (FILE_RECORDS - landed, 0):
                counters = await ingest(file, url)
                assert counters["accepted"] == accepted
                assert counters["duplicates"] == FILE_RECORDS - accepted
            question = spend_query(START, END, ("customer", "model"))
            answer = await answer_spend(ledger.database, SystemClock(), question)
            require_naive_spend(spend_body(answer, "USD"), lines)


async def start_ingest(file: Path, url: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ledger", "ingest", str(file), "--json"),
        env={**os.environ, "LEDGER_DATABASE_URL": url},
        stdout=asyncio.subprocess.PIPE,
    )


async def ingest(file: Path, url: str) -> dict[str, Any]:
    process = await start_ingest(file, url)
    out, _ = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    assert process.returncode == 0
    counters: dict[str, Any] = msgspec.json.decode(out)
    return counters


async def is_alone(database: Database) -> bool:
    """Whether no session of another process is left: a commit on its way has come to its end then."""
    connection = await asyncpg.connect(database.url)
    try:
        return bool(await connection.fetchval(OTHER_SESSIONS) <= 1)  # the pool of this test
    finally:
        await connection.close()
