"""Refused records, mended and sent again: each lands exactly once, whoever else sends it meanwhile."""

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from ledger.clock import FixedClock
from ledger.core.errors import DatabaseUnavailable, NotFound
from ledger.core.keys import Sender
from ledger.services.customers import set_customer
from ledger.services.intake.window import Taken
from ledger.services.meters import set_meter
from ledger.services.quarantine import show_quarantined
from ledger.services.replaying import replay
from ledger.store.database import Database
from ledger.store.quarantine import QuarantineFilter
from tests.conftest import NOW
from tests.scenarios.quarantine_desk import ALL, SECRET, Desk, open_desk, record

GATEWAY = Sender("lk_gateway000")


@pytest.fixture
async def desk(database: Database, clock: FixedClock) -> Desk:
    """A ledger that knows the customer acme, and no other."""
    return await open_desk(database, clock)


async def test_what_is_mended_lands_once(desk: Desk) -> None:
    """A rate, a meter and a customer; each leaves quarantine when its fault is gone, and not before.

    | request | refused for         | mended by             |
    | rate    | amount_out_of_range | a table with a price  |
    | meter   | unknown_meter       | publishing the meter  |
    | who     | unknown_customer    | making it known       |
    | broken  | wrong_type          | nobody                |
    """
    sent = [
        record("rate"),
        record("meter", output_tokens=1, meter_slug="pro"),
        record("who", output_tokens=1, customer_id="bolt"),
        record("broken", output_tokens="many"),
    ]
    await desk.send(*sent)
    assert await desk.codes() == {
        "rate": "amount_out_of_range", "meter": "unknown_meter", "who": "unknown_customer",
        "broken": "wrong_type",
    }  # fmt: skip

    nothing = await desk.replay()
    assert (nothing.read, nothing.rejected, len(nothing.records)) == (4, 4, 4)
    assert all(each["kept_as"] == each["quarantine_id"] for each in nothing.records)
    assert {row["sightings"] for row in await desk.kept()} == {1}

    await desk.publish("2026-02", "900")
    assert (await desk.replay()).accepted == 1
    assert (await desk.show("rate"))["spend"] == "900.000000000000"
    await set_meter(desk.database, desk.clock, "test", "pro", {"percentage": "10"})
    await desk.know("bolt")
    mended = await desk.replay()
    assert (mended.read, mended.accepted, mended.rejected) == (3, 2, 1)
    assert await desk.codes() == {"broken": "wrong_type"}

    again = await desk.send(*sent[:3])
    assert [each.verdict for each in again.outcomes] == ["duplicate"] * 3
    assert [await desk.rows_of(name) for name in ("rate", "meter", "who")] == [1, 1, 1]
    assert await desk.is_sound()


async def test_replays_that_race_land_a_record_once(desk: Desk) -> None:
    """Two replays by two processes and the original, sent again meanwhile: one row each, quarantine empty."""
    records = [record(f"r{number}", customer_id="bolt", output_tokens=1) for number in range(300)]
    await desk.send(*records[:150])
    await desk.send(*records[150:], sender=GATEWAY)
    await desk.know("bolt")

    async def resend() -> None:
        for start in range(0, 300, 30):
            await desk.send(*records[start : start + 30], sender=GATEWAY)

    first, second, _ = await asyncio.gather(desk.replay(), desk.replay(), resend())

    for replayed in (first, second):
        assert replayed.read == replayed.accepted + replayed.duplicates
    assert await desk.kept() == []
    async with desk.database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM usage_event") == 300
    assert await desk.is_sound()


async def test_usage_falls_where_it_happened(desk: Desk, clock: FixedClock) -> None:
    """A record without a time happened when it was first seen, however late it is mended."""
    await desk.send(record("late", customer_id="bolt", output_tokens=1))
    clock.instant = NOW + timedelta(days=20)
    await desk.send(record("late", customer_id="bolt", output_tokens=1))  # not when it came again
    await desk.know("bolt")

    await desk.replay()

    assert (await desk.show("late"))["timestamp"] == "2026-11-20T12:00:00Z"


async def test_a_record_ahead_of_its_time_is_judged_by_now(desk: Desk, clock: FixedClock) -> None:
    """It is refused until its time has come; then it counts at the time it states."""
    ahead = "2026-11-23T00:00:00Z"
    await desk.send(record("ahead", output_tokens=1, timestamp=ahead))

    assert (await desk.replay()).records[0]["code"] == "in_the_future"
    clock.instant = datetime(2026, 11, 22, 1, tzinfo=UTC)
    assert (await desk.replay()).accepted == 1
    assert (await desk.show("ahead"))["timestamp"] == ahead


async def test_a_bound_sender_replays_as_what_it_is(desk: Desk) -> None:
    """A record that leaves its customer out is its sender's customer's; another's stays forbidden."""
    await desk.know("bolt")
    async with desk.database.connection() as connection:
        number = await connection.fetchval(
            "SELECT customer FROM customer WHERE customer_id = 'bolt'"
        )
    bound = Sender("lk_bound00000", number, "bolt")
    mine = record("mine", output_tokens=1, meter_slug="pro")
    del mine["customer_id"]
    await desk.send(mine, record("theirs", output_tokens=1), sender=bound)
    await set_meter(desk.database, desk.clock, "test", "pro", {"percentage": "10"})
    await set_customer(desk.database, desk.clock, "test", "bolt", "pro")  # or it could not name it

    replayed = await desk.replay()

    assert (replayed.accepted, replayed.rejected) == (1, 1)
    assert (await desk.show("mine"))["customer_id"] == "bolt"
    assert await desk.codes() == {"theirs": "customer_forbidden"}
    assert [row["sender_customer_id"] for row in await desk.kept()] == ["bolt"]


async def test_refused_for_another_reason_it_has_another_id(desk: Desk) -> None:
    """The answer names it; what was mended shows what is wrong besides."""
    await desk.send(record("both", customer_id="bolt", meter_slug="pro"))
    [before] = await desk.kept()
    await desk.know("bolt")

    [told] = (await desk.replay(before["quarantine_id"])).records

    [after] = await desk.kept()
    assert (told["quarantine_id"], told["code"]) == (before["quarantine_id"], "unknown_meter")
    assert told["kept_as"] == after["quarantine_id"] != before["quarantine_id"]
    assert after["code"] == "unknown_meter"
    with pytest.raises(NotFound):
        await desk.replay(before["quarantine_id"])
    # Sent again it is a sighting of the same.
    await desk.send(record("both", customer_id="bolt", meter_slug="pro"))
    assert [row["sightings"] for row in await desk.kept()] == [2]


async def test_what_is_not_kept_whole_cannot_be_replayed(desk: Desk) -> None:
    """Beyond 64 KiB, or with a hint where a secret stood in metadata. It stays as it is."""
    await desk.send(
        record("long", customer_id="bolt", note="x" * 70_000),
        record("secret", customer_id="bolt", metadata={"api_key": SECRET}),
        record("hint", customer_id="bolt", output_tokens=1, provider_key=SECRET),
    )
    await desk.know("bolt")

    replayed = await desk.replay()

    assert (replayed.accepted, replayed.rejected) == (1, 2)
    assert {each["code"] for each in replayed.records} == {"not_whole", None}
    assert await desk.codes() == {"long": "unknown_customer", "secret": "unknown_customer"}
    assert SECRET.encode() not in msgspec.json.encode(await desk.show("hint"))
    # Whoever has the original may send it: that is no conflict.
    await desk.publish("2026-02", "900")
    sent = await desk.send(record("secret", customer_id="bolt", metadata={"api_key": SECRET}))
    assert sent.outcomes[0].verdict == "accepted"


async def test_a_conflict_is_shown_side_by_side(desk: Desk) -> None:
    """What was sent, what is recorded, and every field that differs; replayed it stays a conflict."""
    at = "2026-11-19T08:00:00Z"
    first = record("r", output_tokens=1, input_seconds="1.5", timestamp=at)
    await desk.send(first)
    await desk.send(first | {"output_tokens": 2, "input_seconds": 2, "provider_key_type": "byok"})

    [row] = await desk.kept()
    body = await show_quarantined(desk.database, row["quarantine_id"])

    assert (body["outcome"], body["code"]) == ("conflict", "conflicting_value")
    conflict = body["conflict"]
    assert conflict["differences"] == [
        {"field": "output_tokens", "sent": 2, "recorded": 1},
        {"field": "input_seconds", "sent": "2.000000", "recorded": "1.500000"},
    ]
    assert conflict["sent"].keys() == conflict["recorded"].keys()
    for side, figures in (("sent", (2, "2.000000")), ("recorded", (1, "1.500000"))):
        assert (conflict[side]["output_tokens"], conflict[side]["input_seconds"]) == figures
        assert conflict[side]["timestamp"] == at
    assert (conflict["sent"]["cost"], conflict["sent"]["unrated"]) == (None, False)
    assert not conflict["is_corrected"]
    replayed = await desk.replay()
    assert (replayed.conflicts, replayed.records[0]["outcome"]) == (1, "conflict")
    assert len(await desk.kept()) == 1


async def test_a_conflict_about_key_types_and_times_reads_as_records_do(desk: Desk) -> None:
    """In the words and forms of answers; a hint in metadata is not told as a difference."""
    base = record(
        "r", output_tokens=1, timestamp="2026-11-19T08:00:00Z", provider_key_type="managed"
    )
    await desk.send(base | {"metadata": {"api_key": SECRET}})
    changed = {"timestamp": "2026-11-19T09:00:00Z", "provider_key_type": "byok", "batch": True}
    await desk.send(base | changed | {"metadata": {"api_key": SECRET}})

    [row] = await desk.kept()
    body = await show_quarantined(desk.database, row["quarantine_id"])

    assert body["conflict"]["differences"] == [
        {"field": "provider_key_type", "sent": "unmanaged", "recorded": "managed"},
        {
            "field": "timestamp",
            "sent": "2026-11-19T09:00:00Z",
            "recorded": "2026-11-19T08:00:00Z",
        },
    ]
    assert SECRET not in body["record"]


async def test_many_are_replayed_in_steps(desk: Desk) -> None:
    """All of a filter and nothing else, the first thousand told one by one, progress all the way."""
    many = [record(f"r{n}", customer_id="bolt", output_tokens=1) for n in range(1100)]
    await desk.send(*many)
    await desk.send(record("other", output_tokens=1, meter_slug="pro"))
    await desk.know("bolt")
    told: list[tuple[int, int]] = []

    async with desk.intake() as intake:
        wanted = QuarantineFilter(code="unknown_customer", outcome="rejected", customer_id="bolt")
        replayed = await replay(
            desk.database, intake, wanted, progress=lambda *done: told.append(done)
        )

    assert (replayed.read, replayed.accepted, len(replayed.records)) == (1100, 1100, 1000)
    assert told == [(n, 1100) for n in (200, 400, 600, 800, 1000, 1100)]
    assert await desk.codes() == {"other": "unknown_meter"}


async def test_a_replay_that_breaks_off_can_be_made_again(desk: Desk) -> None:
    """What was recorded and not taken out is a duplicate the next time."""
    await desk.send(record("r", customer_id="bolt", output_tokens=1))
    await desk.know("bolt")
    async with AsyncExitStack() as stack:
        intake = await stack.enter_async_context(desk.intake())
        closed = Database(desk.database.url)

        class BreaksOff:
            """Takes records in; the database is gone when the answer comes."""

            async def take(self, *raws: Any, **more: Any) -> Taken:
                taken = await intake.take(*raws, **more)
                await closed.close()
                return taken

        await closed.open()
        with pytest.raises(DatabaseUnavailable):
            await replay(closed, BreaksOff(), ALL)  # type: ignore[arg-type]

    assert len(await desk.kept()) == 1
    assert (await desk.replay()).duplicates == 1
    assert await desk.kept() == []
