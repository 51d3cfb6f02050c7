"""SIGTERM and SIGINT, to real processes.

first     nothing new is taken; what was asked is answered, what waits is committed; lane and locks are free
second    the process ends at once; what was answered is there, what was not can be sent again
"""

import asyncio
import itertools
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import httpx
import pytest

from ledger.bench.databases import count_events
from ledger.bench.processes import ServerProcess, server_process
from ledger.bench.records import Mix, record_lines
from ledger.store.embedded.postmaster import find_process_id
from tests.conftest import ADMIN_KEY
from tests.servers import data_folder

ROOT = Path(__file__).parents[2]
START = datetime(2026, 6, 1, tzinfo=UTC)
BATCH_RECORDS, SENDERS = 50, 6
PATIENCE_S = 60
ENDED_IN_ORDER, ENDED_AT_ONCE = 0, 3
LOCKS = """
SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database
WHERE locktype = 'advisory' AND datname = current_database()
"""
HEADERS = {"Authorization": f"Bearer {ADMIN_KEY}", "Content-Type": "application/x-ndjson"}


@pytest.fixture
async def server(database_url: str) -> AsyncIterator[ServerProcess]:
    """`ledger serve` on the fresh database."""
    environment = {"LEDGER_DATABASE_URL": database_url, "LEDGER_ADMIN_KEY": ADMIN_KEY}
    async with server_process("ledger", "serve", "--port", "0", environment=environment) as started:
        yield started


class Traffic:
    """Senders without a pause; each batch is sent once, and what came of it is kept."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._lines = record_lines(1 << 30, START, Mix())
        self.answered: list[Sequence[bytes]] = []
        self.unanswered: list[Sequence[bytes]] = []
        self.refused_connections = 0

    async def send(self) -> None:
        """Send until nobody takes a connection any more."""
        async with httpx.AsyncClient(base_url=self._url, headers=HEADERS, timeout=30) as http:
            while True:
                batch = list(itertools.islice(self._lines, BATCH_RECORDS))
                try:
                    answer = await http.post("/v1/requests/batch", content=b"\n".join(batch))
                except httpx.ConnectError:
                    self.refused_connections += 1
                    return
                except httpx.TransportError:
                    self.unanswered.append(batch)
                else:
                    assert answer.json()["accepted"] == BATCH_RECORDS
                    self.answered.append(batch)

    async def until_answered(self, batches: int) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while len(self.answered) < batches:  # noqa: ASYNC110 - a count sets no event
                await asyncio.sleep(0.01)


@pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGINT])
async def test_the_first_signal_ends_a_server_in_order(
    server: ServerProcess, database_url: str, asked: signal.Signals
) -> None:
    """Every request that was taken is answered and committed, then nothing of the process is left."""
    traffic = Traffic(server.url)
    async with asyncio.TaskGroup() as senders:
        for _ in range(SENDERS):
            senders.create_task(traffic.send())
        await traffic.until_answered(20)
        server.process.send_signal(asked)
    assert await ended(server.process) == ENDED_IN_ORDER

    assert traffic.refused_connections == SENDERS
    # A request on its way to a connection that is being closed was never taken; nothing of it is recorded.
    assert await count_events(database_url) == BATCH_RECORDS * len(traffic.answered)
    assert await fetch(database_url, LOCKS) == 0
    assert b"Traceback" not in b"".join(server.said)


async def test_a_body_on_its_way_is_waited_for(server: ServerProcess, database_url: str) -> None:
    """A stream that had begun may go on after the first signal, and is answered."""
    lines = list(record_lines(4, START, Mix()))
    more = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield lines[0] + b"\n"
        await more.wait()
        yield b"\n".join(lines[1:])

    async with client(server) as http:
        sending = asyncio.create_task(http.post("/v1/requests/batch", content=body()))
        await until_busy(server)
        server.process.send_signal(signal.SIGTERM)
        await until_closed(server)
        more.set()
        answer = await sending
    assert answer.json()["accepted"] == len(lines)
    assert await ended(server.process) == ENDED_IN_ORDER
    assert await count_events(database_url) == len(lines)


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
async def test_the_second_signal_ends_a_server_at_once(
    server: ServerProcess, database_url: str, second: signal.Signals
) -> None:
    """It waits for nobody; what was answered is there, and another server goes on."""
    answered, begun = list(record_lines(100, START, Mix())), asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        begun.set()
        while True:
            yield b"\n" * 4096
            await asyncio.sleep(0.1)

    async with client(server) as http:
        answer = await http.post("/v1/requests/batch", content=b"\n".join(answered))
        assert answer.json()["accepted"] == len(answered)
        sending = asyncio.create_task(http.post("/v1/requests/batch", content=endless()))
        await begun.wait()
        await until_busy(server)
        server.process.send_signal(signal.SIGTERM)
        await until_closed(server)
        server.process.send_signal(second)
        assert await ended(server.process) == ENDED_AT_ONCE
        with pytest.raises(httpx.TransportError):
            await sending
    assert b"Traceback" not in b"".join(server.said)

    environment = {"LEDGER_DATABASE_URL": database_url, "LEDGER_ADMIN_KEY": ADMIN_KEY}
    async with (
        server_process("ledger", "serve", "--port", "0", environment=environment) as next_one,
        client(next_one) as http,
    ):
        answer = await http.post("/v1/requests/batch", content=b"\n".join(answered))
        assert answer.json()["duplicates"] == len(answered)


async def test_an_embedded_server_ends_with_the_last_process_whichever_signal() -> None:
    """After the second signal it ends by itself, and the next start finds all that was answered."""
    lines = list(record_lines(10, START, Mix()))
    with data_folder() as folder:
        environment = {"LEDGER_DATA_DIR": str(folder), "LEDGER_ADMIN_KEY": ADMIN_KEY}
        for signals, code in (((signal.SIGTERM,) * 2, ENDED_AT_ONCE), ((signal.SIGINT,), 0)):
            async with server_process(
                "ledger", "serve", "--port", "0", environment=environment
            ) as server:
                async with client(server) as http:
                    answer = await http.post("/v1/requests/batch", content=b"\n".join(lines))
                    assert answer.status_code == 200
                    held = await begun_and_held(server)
                    server.process.send_signal(signals[0])
                    await until_closed(server)
                    if len(signals) > 1:
                        server.process.send_signal(signals[1])
                    else:
                        held.close()
                assert await ended(server.process) == code
            held.close()
            await until_gone(folder / "postgres")
        assert answer.json()["duplicates"] == len(lines)


@pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_before_it_listens_leaves_nothing_behind(asked: signal.Signals) -> None:
    """While PostgreSQL's files are being made there is nothing to finish."""
    with data_folder() as folder:
        process = await command(
            "serve", "--port", "0", LEDGER_DATA_DIR=str(folder), LEDGER_ADMIN_KEY=ADMIN_KEY
        )
        await until_exists(folder / "postgres.lock")
        process.send_signal(asked)
        _, said = await asyncio.wait_for(process.communicate(), PATIENCE_S)
        assert process.returncode == ENDED_AT_ONCE
        assert b"Traceback" not in said
        assert find_process_id(folder / "postgres") is None


async def test_a_command_heeds_either_signal_and_the_second(database_url: str) -> None:
    """`ingest` of an endless input: told once it gives back in order, told twice at once."""
    for count in (1, 2):
        process = await command(
            "ingest", "-", LEDGER_DATABASE_URL=database_url, stdin=asyncio.subprocess.PIPE
        )
        assert process.stdin is not None
        for line in record_lines(3000, START, Mix()):
            process.stdin.write(line + b"\n")
        await process.stdin.drain()
        for each in (signal.SIGTERM, signal.SIGINT)[:count]:
            process.send_signal(each)
        _, said = await asyncio.wait_for(process.communicate(), PATIENCE_S)
        assert process.returncode == ENDED_AT_ONCE, said
        assert b"Traceback" not in said


async def command(
    *words: str, stdin: int | None = None, **changes: str
) -> asyncio.subprocess.Process:
    """Start a command of the product; its standard error is a pipe."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ledger", *words),
        env={**os.environ, "PYTHONPATH": str(ROOT), **changes},
        stdin=stdin,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )


async def ended(process: asyncio.subprocess.Process) -> int:
    return await asyncio.wait_for(process.wait(), PATIENCE_S)


def client(server: ServerProcess) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=server.url, headers=HEADERS, timeout=PATIENCE_S)


async def begun_and_held(server: ServerProcess) -> asyncio.StreamWriter:
    """A request whose body does not come: the server waits for it, and so does its end."""
    _, writer = await asyncio.open_connection(server.host, server.port)
    head = "POST /v1/requests/batch HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n"
    writer.write((head + "".join(f"{k}: {v}\r\n" for k, v in HEADERS.items()) + "\r\n").encode())
    await until_busy(server)
    return writer


async def until_busy(server: ServerProcess) -> None:
    """The head of a request sent before has arrived: a later connection is answered."""
    async with client(server) as http:
        assert (await http.get("/healthz")).status_code == 200


async def until_closed(server: ServerProcess) -> None:
    """Nobody takes connections any more."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                _, writer = await asyncio.open_connection(server.host, server.port)
            except OSError:
                return
            writer.close()
            await asyncio.sleep(0.01)


async def until_exists(path: Path) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not path.exists():  # noqa: ASYNC110, ASYNC240 - another process sets no event
            await asyncio.sleep(0.01)


async def until_gone(cluster_dir: Path) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while find_process_id(cluster_dir) is not None:  # noqa: ASYNC110 - the same
            await asyncio.sleep(0.05)


async def fetch(url: str, query: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()
