"""A second batch on its way beside the first: what waits for a lane, what does not, and in which order."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from ledger.clock import FixedClock
from ledger.services.intake import writer as writer_module
from ledger.services.intake.committer import Committer
from ledger.services.intake.outcomes import Verdict
from ledger.services.intake.writer import Writer
from ledger.services.proof.verification import verify
from ledger.store.database import Database
from tests.scenarios.test_fence import statements

MANY = range(600)


@pytest.fixture(autouse=True)
def sooner(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some dozens of records are worth a lane here."""
    monkeypatch.setattr(writer_module, "WORTH_A_LANE_RECORDS", 20)


@asynccontextmanager
async def held(database: Database, writer: Writer, stream: object = None) -> AsyncIterator[None]:
    """The first lane has a batch of acme, which waits for a row until the block ends."""
    await writer.submit(statements(0))
    async with database.connection() as connection, connection.transaction():
        await connection.execute("SELECT FROM rollup_hour FOR UPDATE")
        waits = asyncio.create_task(writer.submit(statements(1), stream=stream))
        await asyncio.sleep(0.05)
        assert not writer.waiting_submissions
        yield
    assert [each.verdict for each in await waits] == [Verdict.ACCEPTED]


async def lanes(database: Database) -> list[tuple[int, int]]:
    """Lanes, and the events in each."""
    async with database.connection() as connection:
        rows = await connection.fetch(
            "SELECT lane, count(*) FROM usage_event GROUP BY 1 ORDER BY 1"
        )
    return [tuple(row) for row in rows]


async def test_much_does_not_wait_for_a_batch_that_waits(
    database: Database, writer: Writer, clock: FixedClock
) -> None:
    """It is durable before the other is; the log is sound with both.

    | lane | events              |
    | 1    | 0 and 1 of acme     |
    | 2    | 600 of globex       |
    """
    async with held(database, writer):
        async with asyncio.timeout(20):
            outcomes = await writer.submit(statements(*MANY, customer="globex"))
        assert {each.verdict for each in outcomes} == {Verdict.ACCEPTED}
        assert await lanes(database) == [(1, 1), (2, 600)]
    assert await lanes(database) == [(1, 2), (2, 600)]
    report = await verify(database, clock)
    assert report["ok"]


async def test_little_waits_for_the_first_lane(database: Database, writer: Writer) -> None:
    """Few records cost less in one batch together than in one each."""
    async with held(database, writer):
        few = [
            asyncio.create_task(writer.submit(statements(n, customer="globex"))) for n in range(3)
        ]
        await asyncio.sleep(0.1)
        assert not any(each.done() for each in few)
    await asyncio.gather(*few)
    assert await lanes(database) == [(1, 5)]


async def test_a_stream_keeps_its_order(database: Database, writer: Writer) -> None:
    """What came second waits for what came first, however much it is and although a lane is free."""
    stream = object()
    async with held(database, writer, stream):
        later = asyncio.create_task(
            writer.submit(statements(*MANY, customer="globex"), stream=stream)
        )
        await asyncio.sleep(0.1)
        assert not later.done()
    await later
    assert await lanes(database) == [(1, 602)]


async def test_a_second_lane_that_cannot_be_had_costs_nobody(
    database: Database, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the database takes no more connections: what waits goes with the first lane."""

    async def refused(*_: object, **__: object) -> Committer:
        raise asyncpg.TooManyConnectionsError("sorry, too many clients already")

    async with held(database, writer):
        monkeypatch.setattr(Committer, "open", refused)
        many = asyncio.create_task(writer.submit(statements(*MANY, customer="globex")))
        await asyncio.sleep(0.1)
        assert not many.done()
    assert {each.verdict for each in await many} == {Verdict.ACCEPTED}
    assert await lanes(database) == [(1, 602)]
