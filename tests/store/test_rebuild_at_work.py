"""A rebuild while others write and decide, and what it makes up for."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from ledger.clock import FixedClock
from ledger.core.errors import UnprocessableDecision
from ledger.services.customers import set_customer
from ledger.services.intake.writer import Writer
from ledger.services.limits import LimitRequest, list_alerts, set_limit
from ledger.services.meters import set_meter
from ledger.services.proof import rebuilding
from ledger.services.proof.rebuilding import rebuild
from ledger.store import rebuild as store
from ledger.store.database import Database
from ledger.store.log import take_lane
from tests.store.rebuild_damage import ROLLUP, repaired, statements, whole
from tests.store.tampering import tamper


async def test_repair_while_a_writer_commits(
    ledger: str, database: Database, clock: FixedClock, writer: Writer
) -> None:
    """Sums that are damaged midway are repaired on top of what goes on: nothing lost, nothing doubled."""
    sent = 0
    ended = asyncio.Event()

    async def write() -> None:
        nonlocal sent
        while not ended.is_set():
            await writer.submit(statements(range(sent, sent + 5), customer="acme-2"))
            sent += 5

    await set_customer(database, clock, "test", "acme-2", "ten")
    await set_limit(database, clock, "test", LimitRequest("acme-2", "1000000", window="total"))
    writing = asyncio.create_task(write())
    try:
        for damage in ("TRUNCATE rollup_hour, limit_window", "UPDATE rollup_hour SET requests = 7"):
            await asyncio.sleep(0.2)
            await tamper(ledger, damage)
            assert repaired(await rebuild(database, clock))["rollup_hour"] > 0
    finally:
        ended.set()
        await writing

    await whole(database, clock)
    async with database.connection() as connection:
        assert sent == await connection.fetchval(
            """SELECT sum(requests) FROM rollup_hour JOIN customer USING (customer)
            WHERE customer_id = 'acme-2'"""
        )


async def test_what_breaks_during_the_repair_is_repaired(
    ledger: str, database: Database, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is gone through again until all is identical, and every repair is counted."""
    damage = f"UPDATE rollup_hour SET requests = requests + 1, fee_pico = fee_pico - 7 {ROLLUP}"
    await tamper(ledger, damage)
    left = [damage, damage]

    async def repair_and_break(*arguments: Any) -> None:
        await store.repair_sums(*arguments)
        if left:
            await tamper(ledger, left.pop())

    monkeypatch.setattr(rebuilding, "repair_sums", repair_and_break)

    assert repaired(await rebuild(database, clock)) == {"rollup_hour": 3}
    await whole(database, clock)


async def test_two_at_once(ledger: str, database: Database, clock: FixedClock) -> None:
    """The second is refused with what to do, and the first is not disturbed."""
    assert ledger
    results = await asyncio.gather(
        rebuild(database, clock), rebuild(database, clock), return_exceptions=True
    )

    [refusal] = [each for each in results if isinstance(each, UnprocessableDecision)]
    assert refusal.code == "rebuild_running"
    [result] = [each for each in results if isinstance(each, dict)]
    assert repaired(result) == {}
    await whole(database, clock)  # the lock has gone with the session


async def test_decisions_during_the_rebuild_stand(
    ledger: str, database: Database, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A limit or meter that is set between snapshot and repair is not set back, nor is its window doubled."""
    await tamper(ledger, "TRUNCATE customer_setting, spend_limit, limit_window")

    async def decide_and_repair(*arguments: Any) -> None:
        limit = LimitRequest("acme", "7.00", limit_id="acme-month")
        await set_limit(database, clock, "test", limit)
        await set_customer(database, clock, "test", "acme", "five")
        await store.repair_settings(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(rebuilding, "repair_settings", decide_and_repair)
        result = repaired(await rebuild(database, clock))

    assert result.keys() == {"customer_setting", "spend_limit", "limit_window"}
    async with database.connection() as connection:
        stands = await connection.fetchrow(
            """SELECT amount_pico, meter_slug FROM spend_limit JOIN customer_setting USING (customer)
            WHERE limit_id = 'acme-month'"""
        )
    assert tuple(stands) == (7 * 10**12, "five")
    await whole(database, clock)


async def test_what_goes_on_differing_is_told(
    ledger: str, database: Database, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be repaired is named, and all else is repaired."""
    await tamper(ledger, "TRUNCATE spend_limit, rollup_hour")

    async def repair_nothing(*_: Any) -> None:
        pass

    with monkeypatch.context() as patched:
        patched.setattr(rebuilding, "repair_settings", repair_nothing)
        with pytest.raises(UnprocessableDecision, match=r"differs: spend_limit\.") as refusal:
            await rebuild(database, clock)

    assert refusal.value.code == "rebuild_incomplete"
    assert repaired(await rebuild(database, clock)) == {"spend_limit": 4}
    await whole(database, clock)


async def test_writers_are_told_of_repaired_limits(
    ledger: str, database: Database, clock: FixedClock, writer: Writer
) -> None:
    """A writer that knew no limit watches it again; the window and alerts that it missed are made up for."""
    await set_meter(database, clock, "test", "free", {})
    await set_customer(database, clock, "test", "late", "free")
    await set_limit(
        database, clock, "test", LimitRequest("late", "1.00", window="day", limit_id="late-day")
    )
    await tamper(ledger, "TRUNCATE spend_limit", "UPDATE configuration SET epoch = epoch + 1")
    await writer.submit(statements(range(1)))  # 0.90, unseen: 0.5 and 0.8 are reached
    async with database.connection() as connection:
        assert not await connection.fetchval(
            "SELECT count(*) FROM limit_window WHERE limit_id = 'late-day'"
        )

    result = await rebuild(database, clock)

    assert set(repaired(result)) == {"spend_limit", "limit_window"}
    assert result["alerts"] == 2
    await writer.submit(statements(range(1, 2)))
    alerts = await list_alerts(database, ["late"], 10)
    assert [(each["threshold"], each["spend"]) for each in alerts] == [
        ("0.5", "0.900000000000"),
        ("0.8", "0.900000000000"),
        ("1", "1.800000000000"),
    ]
    await whole(database, clock)


async def test_the_later_decision_counts(
    ledger: str, database: Database, clock: FixedClock
) -> None:
    """Whichever lane it was made in, and also when the clock of its lane had gone back."""
    async with database.connection() as connection:
        await take_lane(connection)  # the next one decides in a lane of its own
        await set_limit(
            database, clock, "test", LimitRequest("acme", "3.00", limit_id="acme-month")
        )
    clock.instant += timedelta(seconds=1)
    await set_limit(database, clock, "test", LimitRequest("acme", "2.00", limit_id="acme-month"))
    clock.instant -= timedelta(hours=1)
    await set_limit(database, clock, "test", LimitRequest("acme", "4.00", limit_id="acme-month"))
    await tamper(ledger, "TRUNCATE spend_limit")

    await rebuild(database, clock)

    async with database.connection() as connection:
        lanes, amount = await connection.fetchrow(
            """SELECT count(DISTINCT lane), min(amount_pico) FROM ledger_event CROSS JOIN spend_limit
            WHERE kind = 'limit_set' AND limit_id = 'acme-month' AND subject = limit_id"""
        )
    assert lanes > 1
    assert amount == 4 * 10**12
    await whole(database, clock)


async def test_nothing_is_repaired_from_a_log_that_was_altered(
    ledger: str, database: Database, clock: FixedClock
) -> None:
    """The sums still hold what was true; only who insists has them follow the altered log."""
    await tamper(
        ledger,
        """UPDATE usage_event SET output_tokens = output_tokens + 1
        WHERE request_id = (SELECT request_id FROM usage_event WHERE revision = 1 LIMIT 1)""",
    )

    with pytest.raises(UnprocessableDecision) as refused:
        await rebuild(database, clock)

    assert refused.value.code == "log_altered"
    assert "lane 1, batch" in refused.value.detail
    assert repaired(await rebuild(database, clock, trust_log=True)) == {
        "rollup_hour": 1,
        "rollup_lane_hour": 1,
        "rollup_day": 2,
    }
