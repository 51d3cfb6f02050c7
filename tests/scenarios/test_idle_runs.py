"""Runs that find nothing to settle: they hold nobody up, and miss nothing."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from ledger.clock import FixedClock
from ledger.core.errors import TooBusy
from ledger.services import invoice_chunks as service
from ledger.services.intake.writer import Writer
from ledger.store.database import Database
from ledger.store.invoices import read_due, try_lock_customer
from tests.scenarios.invoice_tables import all_invoices, assert_table, record, run, scalar, state

OCTOBER = """
    customer  on          model  input
    acme      2025-10-16  llama  1000000
    """


@pytest.mark.parametrize("customer_id", ["acme", None])
async def test_nothing_due_raises_no_epoch(
    database: Database, clock: FixedClock, writer: Writer, customer_id: str | None
) -> None:
    """Whether there is no mark, only usage after the period, or all is billed: nothing at all is written."""
    await record(writer, OCTOBER)
    before = await state(database)
    for _ in range(3):
        answer = await run(database, clock, "2025-09", customer_id=customer_id)
        assert (answer["issued"], answer["skipped"]) == (0, 0)
    assert await state(database) == before

    assert (await run(database, clock, "2025-10", customer_id=customer_id))["issued"] == 1
    before = await state(database)
    for _ in range(3):
        answer = await run(database, clock, "2025-10", customer_id=customer_id)
        assert (answer["issued"], answer["skipped"]) == (0, 0)
    assert await state(database) == before


@pytest.mark.parametrize("customer_id", ["acme", None])
async def test_what_waits_for_a_later_run_raises_no_epoch(
    database: Database, clock: FixedClock, writer: Writer, customer_id: str | None
) -> None:
    """A mark of too little to bill, or of a period that has its invoice, stays and stops nobody.

    | sent       | run     | issued | skipped |
    | 1 token    | 2025-10 | 0      | 1       |
    | 1000000    | 2025-10 | 1      | 0       |
    | 1000000    | 2025-10 | 0      | 1       |
    """
    await record(writer, "customer on model input\nacme 2025-10-16 llama 1")
    assert await _idle_runs(database, clock, customer_id) == {(0, 1)}
    await record(writer, OCTOBER)
    assert (await run(database, clock, "2025-10", customer_id=customer_id))["issued"] == 1
    await record(writer, OCTOBER)
    assert await _idle_runs(database, clock, customer_id) == {(0, 1)}


async def _idle_runs(
    database: Database, clock: FixedClock, customer_id: str | None
) -> set[tuple[int, int]]:
    """What several runs issue and skip, none of which writes anything."""
    before = await state(database)
    answers = [await run(database, clock, "2025-10", customer_id=customer_id) for _ in range(3)]
    assert await state(database) == before
    return {(answer["issued"], answer["skipped"]) for answer in answers}


@pytest.mark.parametrize(
    ("step", "sent_before"),
    [("read_touched_customers", 0), ("read_invoiced_customers", 1), ("read_due", 1)],
)
async def test_usage_that_comes_during_a_look_is_billed_by_the_next_run(
    database: Database,
    clock: FixedClock,
    writer: Writer,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    sent_before: int,
) -> None:
    """The look has read past it and finds nothing due, whether or not the month was marked before."""
    for _ in range(sent_before):
        await record(writer, "customer on model input\nacme 2025-10-16 llama 1")
    whole = getattr(service, step)
    with monkeypatch.context() as patch:

        async def followed_by_usage(*arguments: Any, **options: Any) -> Any:
            result = await whole(*arguments, **options)
            await record(writer, OCTOBER)
            return result

        patch.setattr(service, step, followed_by_usage)
        assert (await run(database, clock, "2025-10"))["issued"] == 0
    assert (await run(database, clock, "2025-10"))["issued"] == 1

    assert_table(
        await all_invoices(database),
        """
        number      period_start  total
        INV-000001  2025-10-01    0.90
        """,
    )


async def test_a_run_for_a_customer_is_the_only_one(
    database: Database, clock: FixedClock, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second is told to come again, other customers are not; a dry run, and the next one, go on."""
    await record(writer, f"{OCTOBER}bolt 2025-10-16 llama 1000000")
    is_inside, may_go_on = asyncio.Event(), asyncio.Event()

    async def slowly(*arguments: Any) -> Mapping[int, Any]:
        monkeypatch.setattr(service, "read_due", read_due)
        is_inside.set()
        await may_go_on.wait()
        return await read_due(*arguments)

    monkeypatch.setattr(service, "read_due", slowly)
    first = asyncio.create_task(run(database, clock, "2025-10", customer_id="acme"))
    await is_inside.wait()
    try:
        for _ in range(20):  # more than the pool has connections
            with pytest.raises(TooBusy, match="run them again after that"):
                await run(database, clock, "2025-10", customer_id="acme")
        dry = await run(database, clock, "2025-10", customer_id="acme", dry_run=True)
        assert dry["issued"] == 1
        assert (await run(database, clock, "2025-10", customer_id="bolt"))["issued"] == 1
    finally:
        may_go_on.set()
        answer = await first

    assert answer["issued"] == 1
    assert (await run(database, clock, "2025-10", customer_id="acme"))["issued"] == 0
    assert await scalar(database, "SELECT count(*) FROM pg_locks WHERE classid = 3") == 0


async def test_a_run_for_all_is_not_kept_out(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """It waits for the one customer that another session holds, and bills it too."""
    await record(writer, OCTOBER)
    async with database.connection() as holder:
        customer = await holder.fetchval("SELECT max(customer) FROM customer")
        assert await try_lock_customer(holder, customer)
        waiting = asyncio.create_task(run(database, clock, "2025-10"))
        await asyncio.sleep(0.2)
        assert not waiting.done()
    assert (await waiting)["issued"] == 1
