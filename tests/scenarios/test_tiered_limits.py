"""Limits and tiered fees: a window of a month or of ever holds the fees of its months, and says so once."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from ledger.clock import FixedClock
from ledger.services import metering, posting
from ledger.services.intake.writer import Writer
from ledger.services.limits import LimitRequest, set_limit
from ledger.store.database import Database
from ledger.store.log import append_batch
from ledger.store.meter_usage import read_later_months
from tests.conftest import NOW
from tests.scenarios.invoice_tables import scalar
from tests.scenarios.tiered_tables import adjust, alerts, assert_whole, charge, fees, use

NOON = "2026-11-20T12:00:00Z"


async def limit(database: Database, clock: FixedClock, window: str, amount: str) -> None:
    request = LimitRequest("acme", amount, window, ("0.5", "1"), limit_id=window)
    await set_limit(database, clock, "test", request)


async def test_a_fee_alone_crosses_a_threshold(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """A million tokens for nobody's money but ours: byok costs nothing, its fee by tiers is 5, then 8.

    The day and the week have no part in it.
    """
    await charge(database, clock, "acme", "lava")
    for window in ("day", "week", "month", "total"):
        await limit(database, clock, window, "8.00")
    await use(writer, "acme", NOON, 700_000, provider_key_type="byok")
    assert await alerts(database) == []
    await use(writer, "acme", NOON, 100_000, provider_key_type="byok")
    reached = ["month 0.5 2026-11-01 4", "total 0.5 ever 4"]
    assert await alerts(database) == reached
    await use(writer, "acme", NOON, 1_200_000, provider_key_type="byok")
    reached = sorted([*reached, "month 1 2026-11-01 8", "total 1 ever 8"])
    assert await alerts(database) == reached
    await use(writer, "acme", NOON, 1_200_000, provider_key_type="byok")
    assert await alerts(database) == reached
    assert await scalar(database, "SELECT count(*) FROM outbox") == 4
    await assert_whole(database, clock)


async def test_other_usage_is_judged_with_the_fee(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """5 of fee and 3.60 of cost are 8.60, whichever of them moved last."""
    await charge(database, clock, "acme", "lava")
    await use(writer, "acme", NOON, 1_000_000, provider_key_type="byok")
    await charge(database, clock, "acme", "plain", kind="none", unit=None, tiers=None)
    await limit(database, clock, "month", "8.60")
    assert await alerts(database) == ["month 0.5 2026-11-01 5"]
    await use(writer, "acme", NOON, 3_999_999)
    assert await alerts(database) == ["month 0.5 2026-11-01 5"]
    await use(writer, "acme", NOON, 1)
    assert await alerts(database) == ["month 0.5 2026-11-01 5", "month 1 2026-11-01 8.6"]
    await assert_whole(database, clock)


async def test_setting_a_limit_judges_the_fees_that_are_there(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """The open month, and for ever all months; a month that has closed raises nothing."""
    await charge(database, clock, "acme", "lava")
    await use(writer, "acme", "2026-10-20T12:00:00Z", 5_000_000, provider_key_type="byok")
    await use(writer, "acme", NOON, 1_000_000, provider_key_type="byok")
    await limit(database, clock, "month", "10.00")
    await limit(database, clock, "total", "22.00")
    reached = ["month 0.5 2026-11-01 5", "total 0.5 ever 22", "total 1 ever 22"]
    assert await alerts(database) == reached
    await use(writer, "acme", "2026-10-20T12:00:00Z", 50_000_000, provider_key_type="byok")
    assert await alerts(database) == reached
    await assert_whole(database, clock)


async def test_a_threshold_is_not_announced_again_after_a_correction(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """The fee falls below and rises again; its alert is one."""
    await charge(database, clock, "acme", "lava")
    await limit(database, clock, "month", "5.00")
    first = await use(writer, "acme", NOON, 1_000_000, provider_key_type="byok")
    reached = ["month 0.5 2026-11-01 5", "month 1 2026-11-01 5"]
    assert await alerts(database) == reached
    await adjust(database, clock, first, 100_000)
    await use(writer, "acme", NOON, 2_000_000, provider_key_type="byok")
    assert await alerts(database) == reached
    await assert_whole(database, clock)


async def test_late_usage_moves_later_windows_over_a_lifetime(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """Ever dearer tiers: a million in October makes November's million cost 4 and not 1, and that is told."""
    dearer = [{"start": 0, "rate": "1"}, {"start": 1_000_000, "rate": "4"}]
    await charge(database, clock, "acme", "dearer", tiers=dearer, period="lifetime")
    await limit(database, clock, "month", "4.00")
    await use(writer, "acme", NOON, 1_000_000, provider_key_type="byok")
    assert await alerts(database) == []
    await use(writer, "acme", "2026-10-20T12:00:00Z", 1_000_000, provider_key_type="byok")
    assert await fees(database, clock) == {"acme 2026-10 dearer": "1", "acme 2026-11 dearer": "4"}
    assert await alerts(database) == ["month 0.5 2026-11-01 4", "month 1 2026-11-01 4"]
    await assert_whole(database, clock)


async def test_two_writers_fill_the_same_tiers(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """Every token counts once, and each threshold is announced once, by whichever of them crosses it.

    120 records of 50,000 tokens a customer, half of them in each month, at 1.00 and from 2M on at 5.00. Each
    writer sees the other's records only once they are committed.
    """
    other = Writer(database, clock)
    await other.start()
    clock.instant = datetime(2026, 10, 5, tzinfo=UTC)
    thresholds = tuple(str(Decimal(share) / 20) for share in range(1, 21))
    for period in ("lifetime", "month"):
        tiers = [{"start": 0, "rate": "1"}, {"start": 2_000_000, "rate": "5"}]
        await charge(database, clock, period, period, period=period, tiers=tiers)
        for window, amount in (("month", "14"), ("total", "22")):
            await set_limit(
                database, clock, "test", LimitRequest(period, amount, window, thresholds)
            )
    clock.instant = NOW
    sent = [
        use(each, customer, f"2026-{month}-20T10:00:00Z", 50_000, provider_key_type="byok")
        for _ in range(30)
        for customer in ("lifetime", "month")
        for month, each in (("10", writer), ("11", other), ("11", writer), ("10", other))
    ]
    for first in range(0, len(sent), 8):
        await asyncio.gather(*sent[first : first + 8])
    await other.close()
    assert await fees(database, clock) == {
        "lifetime 2026-10 lifetime": "7",
        "lifetime 2026-11 lifetime": "15",
        "month 2026-10 month": "7",
        "month 2026-11 month": "7",
    }
    await assert_whole(database, clock)  # no threshold that is reached lacks its alert


@pytest.mark.parametrize(
    ("period", "first", "second"),
    [
        ("lifetime", ("2026-10-20T10:00:00Z", "a"), ("2026-11-19T10:00:00Z", "a")),
        ("month", ("2026-11-18T10:00:00Z", "a"), ("2026-11-19T10:00:00Z", "b")),
    ],
)
async def test_two_that_meet_midway_miss_nothing(
    database: Database,
    clock: FixedClock,
    writer: Writer,
    monkeypatch: pytest.MonkeyPatch,
    period: str,
    first: tuple[str, str],
    second: tuple[str, str],
) -> None:
    """Usage of October makes that of November dearer, or two meters share a month: one of them sees both.

    Each has written its usage and not committed when the other goes on; unless it was made to wait before.
    """
    tiers = [{"start": 0, "rate": "3"}, {"start": 1_000_000, "rate": "6"}]
    for slug in ("a", "b"):
        await charge(database, clock, "acme", slug, period=period, tiers=tiers)
    await limit(database, clock, "month", "6.00")
    other = Writer(database, clock)
    await other.start()
    both = asyncio.Barrier(2)

    def meeting(step: Callable[..., Any]) -> Callable[..., Any]:
        """A step before which each waits a moment for the other."""

        async def meet(*arguments: Any) -> Any:
            with suppress(TimeoutError):
                await asyncio.wait_for(both.wait(), 0.5)
            return await step(*arguments)

        return meet

    monkeypatch.setattr(metering, "read_later_months", meeting(read_later_months))
    monkeypatch.setattr(posting, "append_batch", meeting(append_batch))
    await asyncio.gather(
        *(
            use(each, "acme", at, 1_000_000, provider_key_type="byok", meter_slug=slug)
            for each, (at, slug) in ((writer, first), (other, second))
        )
    )
    await other.close()
    assert [alert[:10] for alert in await alerts(database)] == ["month 0.5 ", "month 1 20"]
    await assert_whole(database, clock)
