"""Invoice runs that read a chunk while they write the one before: nobody waits for it who did not before."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from ledger.clock import FixedClock
from ledger.core.errors import DatabaseUnavailable
from ledger.services import invoice_chunks, invoices
from ledger.services.intake.writer import Writer
from ledger.services.invoice_chunks import Desk, open_desk
from ledger.store.database import POOL_SIZE, Connection, Database
from ledger.store.invoices import lock_customers
from tests.conftest import NOW
from tests.scenarios.invoice_tables import all_invoices, assert_table, record, run, scalar

SIX = """
    number      customer_id  total
    INV-000001  c0           0.90
    INV-000002  c1           1.80
    INV-000003  c2           2.70
    INV-000004  c3           3.60
    INV-000005  c4           4.50
    INV-000006  c5           5.40
    """
LOCKS = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 3 AND granted"


@pytest.fixture
async def six_customers(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three chunks of two customers, each with usage in October."""
    monkeypatch.setattr(invoice_chunks, "CHUNK_CUSTOMERS", 2)
    rows = "\n".join(f"c{n} 2025-10-16 llama {n + 1}000000" for n in range(6))
    await record(writer, f"customer on model input\n{rows}")


async def until_it_counts(count: int, query: str, database: Database) -> None:
    """Wait until the database says so."""
    async with asyncio.timeout(30):
        while await scalar(database, query) != count:  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.01)


@asynccontextmanager
async def held_up(
    database: Database, clock: FixedClock, customer_id: str
) -> AsyncIterator[asyncio.Task[dict[str, Any]]]:
    """A run that has billed two and waits for a customer whom another session has, until the block ends."""
    async with database.connection() as holder:
        query = "SELECT customer FROM customer WHERE customer_id = $1"
        await lock_customers(holder, [await holder.fetchval(query, customer_id)])
        waiting = asyncio.create_task(run(database, clock, "2025-10"))
        await until_it_counts(2, "SELECT count(*) FROM invoice", database)
        yield waiting


@pytest.mark.usefixtures("six_customers")
async def test_who_waits_for_a_customer_holds_up_nobody_before(
    database: Database, clock: FixedClock
) -> None:
    """While another session has the third customer, the first two are billed, and free again."""
    async with held_up(database, clock, "c2") as waiting:
        await until_it_counts(1, LOCKS, database)
        assert not waiting.done()
    assert (await waiting)["issued"] == 6
    assert_table(await all_invoices(database), SIX)


@pytest.mark.usefixtures("six_customers")
async def test_a_run_that_is_ended_while_it_waits_leaves_nothing(
    database: Database, clock: FixedClock
) -> None:
    """Neither a lock nor a number: the next run bills the rest."""
    async with held_up(database, clock, "c3") as waiting:
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    assert await scalar(database, LOCKS) == 0
    assert database.turns.in_use == 0
    assert (await run(database, clock, "2025-10"))["issued"] == 4
    assert_table(await all_invoices(database), SIX)


@pytest.mark.usefixtures("six_customers")
async def test_with_no_connection_to_spare_one_does(database: Database, clock: FixedClock) -> None:
    """It asks for a second one only while half of the pool is free."""
    async with AsyncExitStack() as others:
        for _ in range(POOL_SIZE - 2):
            await others.enter_async_context(database.connection())
        assert (await run(database, clock, "2025-10"))["issued"] == 6
    assert_table(await all_invoices(database), SIX)


@pytest.mark.usefixtures("six_customers")
async def test_a_second_connection_that_cannot_be_had_costs_nothing(
    database: Database, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server may have no room for it: then the run goes on without."""
    desks: list[Desk] = []

    async def open_one(connection: Connection, epoch: int) -> Desk:
        if desks:
            raise DatabaseUnavailable("too many clients already")
        desks.append(await open_desk(connection, epoch))
        return desks[0]

    monkeypatch.setattr(invoices, "open_desk", open_one)
    assert (await run(database, clock, "2025-10"))["issued"] == 6
    assert_table(await all_invoices(database), SIX)


@pytest.mark.usefixtures("six_customers")
async def test_invoices_are_issued_in_the_order_of_their_numbers(
    database: Database, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where two connections take turns and the clock goes back between them."""
    moments = count()
    monkeypatch.setattr(clock, "now", lambda: NOW - timedelta(seconds=next(moments)))
    await run(database, clock, "2025-10")
    async with database.connection() as connection:
        rows = await connection.fetch("SELECT issued_at FROM invoice ORDER BY number")
    times = [row["issued_at"] for row in rows]
    assert len(times) == 6
    assert times == sorted(times)
