"""A database that stops or hangs: noticed, told to everybody who waits, and forgotten when it is back.

The bounds on time are generous: a busy machine may take a second for anything.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import pytest

from ledger.clock import FixedClock
from ledger.core.errors import DatabaseUnavailable, LedgerError, TooBusy
from ledger.core.reading import read_statement
from ledger.core.statements import Statement
from ledger.services.intake.writer import Writer
from ledger.store import database as store
from ledger.store.database import MOST_STREAMS, POOL_SIZE, Database
from ledger.store.our_words import in_our_words
from ledger.store.pulse import Presence, Pulse
from tests.conftest import NOW
from tests.lines import Line, line_to

PATIENCE_S = 20
# Noticed in a little more than two seconds, where nobody else uses the processor.
NOTICED_S = 6
SLEEP = "SELECT pg_sleep(60)"


@pytest.fixture
async def line(database_url: str) -> AsyncIterator[Line]:
    """A line to the fresh database."""
    async with line_to(database_url) as open_line:
        yield open_line


@pytest.fixture
async def far(line: Line) -> AsyncIterator[Database]:
    """The database over the line, its pulse taken."""
    database = Database(line.url)
    await database.open()
    async with database.watched():
        yield database
    await line.restore()
    await database.close()


async def until(condition: Callable[[], object]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - nobody sets an event
            await asyncio.sleep(0.01)


async def sleeping(database: Database) -> None:
    """A read that takes its time."""
    async with database.connection() as connection:
        await connection.execute(SLEEP)


async def lose(line: Line, how: str) -> None:
    """Stop the server, or hang it."""
    if how == "refused":
        await line.cut()
    else:
        line.silence()


async def test_who_takes_time_to_end_is_not_told_again() -> None:
    """Else the pulse would end over it, and nobody would hear that the database is back."""
    presence, begun, may_end = Presence(), asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        async with presence.required():
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                await may_end.wait()

    waiting = asyncio.create_task(wait())
    await begun.wait()
    for _ in range(2):
        presence.leave("refused")
        for _ in range(3):
            await asyncio.sleep(0)
    may_end.set()
    with pytest.raises(DatabaseUnavailable):
        await waiting


@pytest.mark.parametrize("how", ["refused", "silent"])
async def test_a_database_that_is_lost_is_refused_until_it_is_back(
    line: Line, far: Database, how: str
) -> None:
    """Whoever waits is told, whoever comes is told at once; afterwards all goes on by itself."""
    waiting = [asyncio.create_task(sleeping(far)) for _ in range(POOL_SIZE + 3)]
    await asyncio.sleep(0.2)
    lost_at = time.monotonic()
    await lose(line, how)
    ended = await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), PATIENCE_S)
    assert [type(each) for each in ended] == [DatabaseUnavailable] * len(waiting)
    await until(lambda: far.presence.why_away == how)
    assert time.monotonic() - lost_at < NOTICED_S

    asked_at = time.monotonic()
    for ask in (far.check, far.connect, lambda: sleeping(far)):
        with pytest.raises(DatabaseUnavailable):
            await ask()
    assert time.monotonic() - asked_at < 1

    await line.restore()
    await until(lambda: far.presence.why_away is None)
    await far.check()
    async with far.connection() as connection:
        assert await connection.fetchval("SELECT 1") == 1


async def test_sessions_that_are_ended_are_no_absence(line: Line, far: Database) -> None:
    """All sessions were ended, and a new one begins: the server is there."""
    for _ in range(3):
        line.cut_connections()
        await asyncio.sleep(0.6)
        assert far.presence.why_away is None
    async with far.connection() as connection:
        assert await connection.fetchval("SELECT 1") == 1


async def test_a_moment_of_silence_is_no_absence(line: Line, far: Database) -> None:
    """A server that answers late has not gone, and nobody's work is ended."""
    async with far.connection() as connection:
        for _ in range(3):
            line.silence()
            await asyncio.sleep(0.3)
            await line.restore()
            await asyncio.sleep(0.3)
        assert far.presence.why_away is None
        assert await connection.fetchval("SELECT 1") == 1


async def test_we_were_busy_ourselves(far: Database) -> None:
    """A process that does not get to look at the clock for a while does not blame the database."""
    for _ in range(4):
        time.sleep(1.2)  # noqa: ASYNC251 - as long work in the loop would
        await asyncio.sleep(0.05)
        assert far.presence.why_away is None


@pytest.mark.parametrize("how", ["refused", "silent"])
async def test_the_writer_tells_who_waits_and_goes_on(
    line: Line, far: Database, clock: FixedClock, how: str
) -> None:
    """What it could not commit is told so in time; what comes later is committed without a restart."""
    writer = Writer(far, clock)
    await writer.start()
    committed = await writer.submit([statement("before")])
    await lose(line, how)
    asked_at = time.monotonic()
    with pytest.raises(DatabaseUnavailable):
        await writer.submit([statement("meanwhile")])
    assert time.monotonic() - asked_at < NOTICED_S
    await until(lambda: far.presence.why_away == how)

    await line.restore()
    await until(lambda: far.presence.why_away is None)
    again = await writer.submit([statement("before"), statement("meanwhile"), statement("after")])
    await writer.close()

    assert [each.verdict for each in committed] == ["accepted"]
    assert [each.verdict for each in again] == ["duplicate", "accepted", "accepted"]


def statement(request_id: str) -> Statement:
    """A record that is good."""
    raw = b'{"request_id":"%s","customer_id":"acme","input_tokens":1}' % request_id.encode()
    read = read_statement(raw, NOW)
    assert isinstance(read, Statement)
    return read


async def test_a_pool_in_use_is_no_absent_database(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When others use all of the pool one is told to come again, and that is not the database's fault."""
    monkeypatch.setattr(store, "WAIT_FOR_CONNECTION_S", 0.2)
    async with AsyncExitStack() as others:
        for _ in range(POOL_SIZE):
            await others.enter_async_context(database.connection())
        with pytest.raises(TooBusy):
            await database.check()
    await database.check()


async def test_streams_leave_half_of_the_pool(database: Database) -> None:
    """One stream more is refused at once, and the rest of the pool is for others."""
    async with AsyncExitStack() as others:
        for number in range(MOST_STREAMS):
            await others.enter_async_context(database.stream(f"caller {number}"))
        with pytest.raises(TooBusy):
            await others.enter_async_context(database.stream("another"))
        for _ in range(POOL_SIZE - MOST_STREAMS):
            await others.enter_async_context(database.connection())
    async with database.stream("another") as connection:
        assert await connection.fetchval("SELECT 1") == 1


async def test_what_fails_is_named_without_what_it_held(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """The log has the kind of an error and the names of table and constraint, not a row's values."""
    statement = "INSERT INTO customer (customer_id) VALUES ('top secret'), ('top secret')"
    with caplog.at_level(logging.ERROR), pytest.raises(LedgerError) as error:
        async with database.connection() as connection:
            await connection.execute(statement)

    assert "UniqueViolationError sqlstate 23505 table_name customer" in caplog.text
    for text in (caplog.text, str(error.value), error.value.detail):
        assert "secret" not in text


async def test_details_are_not_told(database: Database) -> None:
    """What an error adds about rows is not part of what we say."""
    with pytest.raises(LedgerError) as error:
        async with in_our_words(), database.connection() as connection:
            await connection.execute(
                "DO $$ BEGIN RAISE undefined_table USING MESSAGE = 'no table', DETAIL = 'top secret'; END $$"
            )
    assert "no table" in error.value.detail
    assert "secret" not in error.value.detail


async def test_a_connection_that_is_being_made_at_the_end_is_given_up() -> None:
    """A server that stops as soon as it has started leaves none open."""
    asked, given_up = asyncio.Event(), asyncio.Event()

    async def connect() -> None:
        asked.set()
        try:
            await asyncio.Event().wait()
        finally:
            given_up.set()

    async with Pulse(Presence(), connect).beating():
        await asked.wait()
    assert given_up.is_set()
