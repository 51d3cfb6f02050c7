"""Runs of invoices on a real database: each thing billed once, whoever runs when and however it ends."""

import asyncio
import itertools
from decimal import Decimal
from typing import Any

import pytest

from ledger.clock import FixedClock
from ledger.core.errors import DatabaseUnavailable
from ledger.services import invoice_chunks as service
from ledger.services.intake.writer import Writer
from ledger.services.invoices import list_invoices
from ledger.store.database import Database, owner_connection
from ledger.store.invoices import forget_touched
from ledger.store.log import append_batch
from tests.scenarios.invoice_tables import (
    LLAMA_PER_TOKEN,
    all_invoices,
    assert_table,
    record,
    run,
    scalar,
    state,
)


async def test_the_same_run_again_does_nothing(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """A repeat issues nothing, takes no number and finds no customer to look at."""
    await record(
        writer,
        """
        customer  on          model  input
        acme      2025-09-30  llama  1000000
        acme      2025-10-31  llama  1000000
        bolt      2025-10-31  llama  1000000
        """,
    )
    first = await run(database, clock, "2025-10")
    assert (first["issued"], first["total"]) == (2, "2.70")
    before = await state(database)
    assert await run(database, clock, "2025-10") == {
        "period": "2025-10", "issued": 0, "skipped": 0, "total": "0.00",
        "unrated_requests": 0, "invoices": [],
    }  # fmt: skip
    assert await state(database) == before


@pytest.mark.parametrize("runners", [2, 4])
async def test_runners_at_once_bill_once(
    database: Database,
    clock: FixedClock,
    writer: Writer,
    monkeypatch: pytest.MonkeyPatch,
    runners: int,
) -> None:
    """However many run at the same time, each customer gets one invoice, and no number is missing."""
    monkeypatch.setattr(service, "CHUNK_CUSTOMERS", 3)
    rows = "\n".join(f"c{n:02} 2025-10-16 llama {n + 1}000000" for n in range(20))
    await record(writer, f"customer on model input\n{rows}")
    answers = await asyncio.gather(*(run(database, clock, "2025-10") for _ in range(runners)))
    assert sum(answer["issued"] for answer in answers) == 20
    invoices = await all_invoices(database)
    assert [invoice["number"] for invoice in invoices] == [f"INV-{n:06}" for n in range(1, 21)]
    assert {invoice["customer_id"]: invoice["total"] for invoice in invoices} == {
        f"c{n:02}": str(Decimal("0.90") * (n + 1)) for n in range(20)
    }
    assert await scalar(database, "SELECT count(*) FROM touched_period") == 0


@pytest.mark.parametrize(
    ("step", "call"),  # the first chunk is read twice: once to see whether there is anything to do
    [("read_due", 3), ("forget_touched", 2), ("write_invoices", 2), ("append_batch", 2)],
)
async def test_a_run_that_ends_midway_is_finished_by_the_next(
    database: Database,
    clock: FixedClock,
    writer: Writer,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    call: int,
) -> None:
    """Wherever it is cancelled, nothing is lost, nothing billed twice, and no lock or number is left over."""
    monkeypatch.setattr(service, "CHUNK_CUSTOMERS", 2)
    rows = "\n".join(f"c{n} 2025-10-16 llama {n + 1}000000" for n in range(6))
    await record(writer, f"customer on model input\n{rows}")
    with monkeypatch.context() as patch:
        calls, whole = itertools.count(1), getattr(service, step)

        async def cancelled_in_the_second_chunk(*arguments: Any, **options: Any) -> Any:
            result = await whole(*arguments, **options)
            if next(calls) == call:
                raise asyncio.CancelledError
            return result

        patch.setattr(service, step, cancelled_in_the_second_chunk)
        with pytest.raises(asyncio.CancelledError):
            await run(database, clock, "2025-10")
    assert len(await all_invoices(database)) == 2
    locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 3"
    assert await scalar(database, locks) == 0
    answer = await run(database, clock, "2025-10")
    assert (answer["issued"], answer["skipped"]) == (4, 0)
    assert_table(
        await all_invoices(database),
        """
        number      customer_id  total
        INV-000001  c0           0.90
        INV-000002  c1           1.80
        INV-000003  c2           2.70
        INV-000004  c3           3.60
        INV-000005  c4           4.50
        INV-000006  c5           5.40
        """,
    )


async def test_a_lost_connection_is_no_lost_invoice(
    database: Database, clock: FixedClock, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the server ends the run's session before the commit, the run says so, and a repeat bills."""
    await record(
        writer,
        """
        customer  on          model  input
        acme      2025-10-16  llama  1000000
        """,
    )
    with monkeypatch.context() as patch:

        async def append_and_be_ended(connection: Any, *arguments: Any, **options: Any) -> None:
            await append_batch(connection, *arguments, **options)
            async with owner_connection(database.url) as owner:
                session = connection.get_server_pid()
                assert await owner.fetchval("SELECT pg_terminate_backend($1, 5000)", session)

        patch.setattr(service, "append_batch", append_and_be_ended)
        with pytest.raises(DatabaseUnavailable):
            await run(database, clock, "2025-10")
    assert await all_invoices(database) == []
    await run(database, clock, "2025-10")
    assert_table(
        await list_invoices(database),
        """
        number      customer_id  total
        INV-000001  acme         0.90
        """,
    )


async def test_usage_between_snapshot_and_commit_stays_marked(
    database: Database, clock: FixedClock, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Usage that lands while its month is being settled is not in the invoice, and is in the next."""
    october = """
        customer  on          model  input
        acme      2025-10-16  llama  1000000
        """
    await record(writer, october)
    with monkeypatch.context() as patch:

        async def record_and_forget(*arguments: Any) -> None:
            await record(writer, october)
            await forget_touched(*arguments)

        patch.setattr(service, "forget_touched", record_and_forget)
        await run(database, clock, "2025-10")
    await run(database, clock, "2025-11")
    assert_table(
        await all_invoices(database),
        """
        number      period_start  total
        INV-000001  2025-10-01    0.90
        INV-000002  2025-11-01    0.90
        """,
    )


async def test_a_dry_run_writes_nothing(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """It tells what would be issued, without numbers, also in the middle of a period."""
    await record(
        writer,
        """
        customer  on          model  input
        acme      2026-11-02  embed  1000000000
        bolt      2026-11-02  embed  1
        """,
    )
    await record(
        writer,
        """
        customer  on          model  input
        acme      2025-11-02  llama  1000000
        """,
    )
    before = await state(database)
    answer = await run(database, clock, "2026-11", dry_run=True)
    assert (answer["issued"], answer["skipped"], answer["total"]) == (1, 1, "0.90")
    assert_table(
        answer["invoices"],
        """
        number  customer_id  period_start  period_end  status  currency  total
        None    acme         2026-11-01    2026-12-01  draft   USD       0.90
        """,
    )
    assert await state(database) == before


async def test_intake_goes_on_while_invoices_run(
    database: Database, clock: FixedClock, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever lands in between: after a last run of a later period, billed is exactly all that was used."""
    monkeypatch.setattr(service, "CHUNK_CUSTOMERS", 2)
    used: dict[tuple[str, str], int] = {}
    done = asyncio.Event()

    async def take_in(offset: int) -> None:
        for n in range(offset, offset + 60):
            customer, month = f"c{n % 5}", ("2025-08", "2025-09", "2025-10")[n % 3]
            tokens = 20_000 + 7 * n
            row = f"{customer} {month}-{n % 28 + 1:02} {('llama', 'mixtral')[n % 2]} {tokens} 0"
            await record(writer, f"customer on model input output\n{row}")
            used[customer, month] = used.get((customer, month), 0) + tokens

    async def keep_running() -> None:
        for month in itertools.cycle(("2025-08", "2025-09", "2025-10")):
            await run(database, clock, month)
            if done.is_set():
                return
            await asyncio.sleep(
                0.01
            )  # a run holds intake off for a moment; some usage lands in between

    async def all_intake() -> None:
        await asyncio.gather(*(take_in(1000 * lane) for lane in range(4)))
        done.set()

    await asyncio.gather(all_intake(), keep_running(), keep_running())
    await run(database, clock, "2025-11")
    invoices = await all_invoices(database)
    billed: dict[tuple[str, str], Decimal] = {}
    for invoice in invoices:
        for line in invoice["lines"]:
            key = (invoice["customer_id"], line["period_start"][:7])
            billed[key] = billed.get(key, Decimal(0)) + Decimal(line["exact"])
    assert billed == {key: tokens * LLAMA_PER_TOKEN for key, tokens in used.items()}
    assert sum(line["requests"] for invoice in invoices for line in invoice["lines"]) == 240
    numbers = [invoice["number"] for invoice in invoices]
    assert numbers == [f"INV-{n:06}" for n in range(1, len(invoices) + 1)]
