"""Refused records that nobody mends: taken out, and that somebody did so is a fact."""

import asyncio
import json

import pytest

from ledger.clock import FixedClock
from ledger.core.errors import InvalidRecord, NotFound
from ledger.services.proof.rebuilding import rebuild
from ledger.services.quarantine import dismiss, show_quarantined
from ledger.store.database import Database
from tests.scenarios.quarantine_desk import Desk, open_desk, record


@pytest.fixture
async def desk(database: Database, clock: FixedClock) -> Desk:
    """A ledger that knows the customer acme, and no other."""
    return await open_desk(database, clock)


async def test_dismissing_is_a_fact(desk: Desk) -> None:
    """Who, why and what it was, without its content; digests, verify and rebuild hold with it."""
    await desk.send(record("r", customer_id="bolt", note="private words"))
    [row] = await desk.kept()
    name = row["quarantine_id"]

    [body] = await dismiss(desk.database, desk.clock, "jane", [name], reason="a test")

    assert (body["quarantine_id"], body["request_id"], body["sightings"]) == (name, "r", 1)
    assert len(bytes.fromhex(body["digest"])) == 32
    async with desk.database.connection() as connection:
        fact = await connection.fetchrow(
            "SELECT * FROM ledger_event WHERE kind = 'quarantine_dismissed'"
        )
        left = await connection.fetchrow("SELECT kept, kept_bytes FROM quarantine_sender")
    assert (fact["subject"], fact["actor"], fact["reason"]) == (name, "jane", "a test")
    assert json.loads(fact["body"]) == body
    assert "private words" not in fact["body"]
    assert tuple(left) == (0, 0)
    assert await desk.kept() == []
    assert await desk.is_sound()
    assert all(
        each["identical"] for each in (await rebuild(desk.database, desk.clock))["projections"]
    )
    with pytest.raises(NotFound):
        await dismiss(desk.database, desk.clock, "jane", [name], reason="again")
    with pytest.raises(NotFound):
        await show_quarantined(desk.database, name)


async def test_dismissing_takes_all_or_none(desk: Desk) -> None:
    """A name that is not there, or a reason that is none, leaves everything."""
    await desk.send(*(record(f"r{n}", customer_id="bolt") for n in range(3)))
    names = [row["quarantine_id"] for row in await desk.kept()]

    with pytest.raises(NotFound):
        await dismiss(desk.database, desk.clock, "jane", [*names, "q_0"], reason="a test")
    for reason in ("", "\x00", "x" * 1001):
        with pytest.raises(InvalidRecord):
            await dismiss(desk.database, desk.clock, "jane", names, reason=reason)
    assert len(await desk.kept()) == 3
    await dismiss(desk.database, desk.clock, "jane", [*names, *names], reason="a test")
    assert await desk.kept() == []


async def test_only_one_of_several_dismisses(desk: Desk) -> None:
    """One decision for one record, however many people have found it before one of them takes it out."""
    await desk.send(record("r", customer_id="bolt"))
    [row] = await desk.kept()
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"

    async def dismiss_it() -> None:
        names = [row["quarantine_id"]]
        await dismiss(desk.database, desk.clock, "jane", names, reason="a test")

    async with desk.database.connection() as connection, asyncio.timeout(60):
        async with connection.transaction():
            await connection.fetch("SELECT FROM quarantine_sender FOR UPDATE")
            deciding = [asyncio.create_task(dismiss_it()) for _ in range(3)]
            while await connection.fetchval(waiting) < len(deciding):  # noqa: ASYNC110 - no event
                await asyncio.sleep(0.01)
        ends = await asyncio.gather(*deciding, return_exceptions=True)

    assert sorted(type(end).__name__ for end in ends) == ["NoneType", "NotFound", "NotFound"]
    async with desk.database.connection() as connection:
        assert (
            await connection.fetchval(
                "SELECT count(*) FROM ledger_event WHERE kind = 'quarantine_dismissed'"
            )
            == 1
        )
    assert await desk.is_sound()
