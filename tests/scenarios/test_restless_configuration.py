"""Intake goes on however often the configuration is decided anew."""

import asyncio
from typing import Any

import pytest

from ledger.clock import FixedClock
from ledger.services.intake import committer
from ledger.services.intake.outcomes import Verdict
from ledger.services.intake.writer import Writer
from ledger.services.meters import set_meter
from ledger.services.proof.verification import verify
from ledger.store.configuration import load_configuration
from ledger.store.database import Database
from ledger.store.log import raise_epoch
from tests.scenarios.invoice_tables import record, run, scalar, statement

PATIENCE_S = 60
OCTOBER = "customer on model input\nacme 2025-10-16 llama 1000000"
FENCE_LOCKS = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 1"


async def raise_once(database: Database) -> None:
    """A decision that changes nothing, and that every writer has to follow."""
    async with database.connection() as connection, connection.transaction():
        await raise_epoch(connection)


async def test_batches_commit_while_epochs_are_raised_in_a_tight_loop(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """Four deciders never pause: each batch commits all the same, once, and they go on as well."""
    done = asyncio.Event()
    raised = 0

    async def decide() -> None:
        nonlocal raised
        while not done.is_set():
            await raise_once(database)
            raised += 1

    async def take_in() -> None:
        for _ in range(20):
            await record(writer, OCTOBER)
        done.set()

    async with asyncio.timeout(PATIENCE_S):
        await asyncio.gather(take_in(), *(decide() for _ in range(4)))

    assert raised > 20
    assert await scalar(database, "SELECT count(*) FROM usage_event") == 20
    assert (await run(database, clock, "2025-10"))["total"] == "18.00"
    assert (await verify(database, clock))["ok"]
    assert await scalar(database, FENCE_LOCKS) == 0


async def test_a_batch_is_planned_in_vain_only_so_often(
    database: Database, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An epoch after every load: a few loads later the fence is held, and decisions wait for the batch."""
    loads = 0
    decisions: list[asyncio.Task[None]] = []

    async def met_by_a_decision(connection: Any) -> Any:
        nonlocal loads
        loads += 1
        configuration = await load_configuration(connection)
        decisions.append(asyncio.create_task(raise_once(database)))
        await asyncio.wait(decisions[-1:], timeout=0.5)  # it ends, unless the fence is held
        return configuration

    await record(writer, OCTOBER)
    monkeypatch.setattr(committer, "load_configuration", met_by_a_decision)
    await raise_once(database)
    async with asyncio.timeout(PATIENCE_S):
        await record(writer, OCTOBER)
        await asyncio.gather(*decisions)

    assert loads == committer.MOVES_BEFORE_HOLDING + 1
    assert await scalar(database, FENCE_LOCKS) == 0


async def test_what_is_planned_inside_the_fence_is_rated_by_what_is_in_force(
    database: Database, clock: FixedClock, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refused record does not end the hold for its neighbours, and the meter of before it counts.

    | record | meter | fee  |
    | 1      | 10 %  | 0.09 |
    """
    monkeypatch.setattr(committer, "MOVES_BEFORE_HOLDING", 0)
    await set_meter(database, clock, "test", "tenth", {"percentage": "10"})
    row = {"customer": "acme", "on": "2025-10-16", "model": "llama", "input": "1000000"}
    good, culprit = statement(row), statement(row)
    good.meter_slug = "tenth"
    culprit.fields = "a text with \x00 that no column takes"

    outcomes = await writer.submit([good, culprit])

    assert [each.verdict for each in outcomes] == [Verdict.ACCEPTED, Verdict.REJECTED]
    assert outcomes[0].rated is not None
    assert outcomes[0].rated.fee_pico == 90_000_000_000
    assert await scalar(database, FENCE_LOCKS) == 0
