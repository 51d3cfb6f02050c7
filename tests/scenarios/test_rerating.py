"""Re-rating a range: shown to the digit, applied once, and nothing but what was named.

`llama` costs 0.90 USD per 1M tokens by the shipped table, and no other model here is in it. The tables here
are published later.
"""

import asyncio
from typing import Any

import asyncpg
import pytest

from ledger.clock import FixedClock
from ledger.core.errors import DatabaseUnavailable, InvalidParameter, NotFound
from ledger.core.events import usage_event
from ledger.core.rerating import Differences
from ledger.services.intake.writer import Writer
from ledger.services.requests import show_request
from ledger.services.rerating import chunks, ranges
from ledger.services.rerating.chunks import ChunkWriter
from ledger.store.database import Connection, Database
from ledger.store.log import enter_fence
from tests.scenarios.explained_requests import WORKED, correct, take, void
from tests.scenarios.invoice_tables import (
    MODELS,
    assert_table,
    record,
    scalar,
    ten_percent_for,
)
from tests.scenarios.rerating_tables import (
    OCTOBER,
    assert_sound,
    publish,
    rerated,
    spend_totals,
)

USAGE = """
    customer on         model   key     input   output times
    acme     2026-10-05 llama   managed 1000000 0      3
    acme     2026-10-06 llama   byok    1000000 500000 1
    acme     2026-10-07 embed   managed 1000000 0      1
    acme     2026-11-02 llama   managed 1000000 0      1
    beta     2026-10-05 llama   managed 0       200    2
    beta     2026-10-05 mystery managed 7       0      1
"""


@pytest.fixture(autouse=True)
async def everything_still_adds_up(database: Database, clock: FixedClock) -> Any:
    """After every test the whole ledger is verified, and a rebuild changes nothing."""
    yield
    await assert_sound(database, clock)


@pytest.fixture
async def usage(database: Database, clock: FixedClock, writer: Writer) -> None:
    """Usage of two customers at a tenth of the cost, and then a dearer table for its time."""
    await ten_percent_for(database, clock, "acme")
    await record(writer, USAGE)
    await publish(database, clock, "dearer", llama="1.80", embed="0.008", mystery="1")


def spends(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of a report, with spend alone."""
    return [
        {**row, **{name: row[name]["spend"] for name in ("before", "after", "difference")}}
        for row in body["rows"]
    ]


@pytest.mark.usefixtures("usage")
async def test_what_is_shown_is_what_is_applied_to_the_digit(
    database: Database, clock: FixedClock
) -> None:
    """3 million managed tokens at 0.90 more each, with a tenth on top; of own keys the fee alone moves."""
    before = await spend_totals(database, clock)
    shown = await rerated(database, clock, is_applied=False)
    unmoved = await spend_totals(database, clock)
    applied = await rerated(database, clock)
    after = await spend_totals(database, clock)

    assert before == unmoved
    assert {**applied, "applied": False} == shown
    assert_table(
        spends(shown),
        """
        customer_id model   requests changed before         after          difference
        acme        llama   4        4       3.105000000000 6.210000000000 3.105000000000
        acme        embed   1        1       0.000000000000 0.008800000000 0.008800000000
        beta        llama   2        2       0.000360000000 0.000720000000 0.000360000000
        beta        mystery 1        1       0.000000000000 0.000007000000 0.000007000000
        """,
    )
    totals = shown["totals"]
    assert (totals["requests"], totals["changed"]) == (8, 8)
    assert totals["before"] == before
    assert totals["after"] == after
    assert totals["difference"]["unrated_requests"] == -2


@pytest.mark.usefixtures("usage")
async def test_applied_twice_changes_nothing_more(database: Database, clock: FixedClock) -> None:
    """The second run looks at the same requests and appends no batch."""
    await rerated(database, clock)
    batches = await scalar(database, "SELECT count(*) FROM batch")
    again = await rerated(database, clock)

    assert (again["totals"]["requests"], again["totals"]["changed"], again["rows"]) == (8, 0, [])
    assert await scalar(database, "SELECT count(*) FROM batch") == batches


@pytest.mark.usefixtures("usage")
async def test_only_what_is_named_is_touched(database: Database, clock: FixedClock) -> None:
    """By customer, by model, and by the time of the request: from inclusive, to exclusive."""

    async def changed(*span: str, **named: Any) -> int:
        body = await rerated(database, clock, span or OCTOBER, **named)  # type: ignore[arg-type]
        return int(body["totals"]["changed"])

    llama = MODELS["llama"]
    assert await changed(customer_ids=["beta"], models=[llama]) == 2
    assert await changed(models=["no-such-model"]) == 0
    assert await changed("2026-10-06", "2026-10-06T12:00:00Z") == 0
    assert await changed("2026-10-06T12:00:00Z", "2026-10-06T12:00:00.000001Z") == 1
    assert await changed(customer_ids=["acme", "beta"], models=[llama, MODELS["embed"]]) == 4
    assert await changed() == 1
    november = await spend_totals(database, clock, ("2026-11-01", "2026-12-01"))
    assert november["spend"] == "0.990000000000"
    touched = "SELECT count(*) FROM usage_event WHERE revision > 1 AND occurred_at >= '2026-11-01'"
    assert await scalar(database, touched) == 0


async def test_a_range_must_be_one(database: Database, clock: FixedClock) -> None:
    """Empty ranges, all time and unknown customers are refused."""
    with pytest.raises(InvalidParameter, match="later than from"):
        await rerated(database, clock, ("2026-10-01", "2026-10-01"))
    with pytest.raises(InvalidParameter, match="year 9999"):
        await rerated(database, clock, ("2026-10-01", "9999-12-31T23:30:00Z"))
    with pytest.raises(NotFound):
        await rerated(database, clock, customer_ids=["nobody"])


async def test_a_price_is_never_lost(database: Database, clock: FixedClock, writer: Writer) -> None:
    """A table that does not list the model leaves what is priced; the report says how many."""
    await record(
        writer, "customer on input model\nacme 2026-10-05 1000000 llama\nacme 2026-10-05 10 embed"
    )
    await publish(database, clock, "narrow", embed="1")

    body = await rerated(database, clock)

    assert_table(
        spends(body),
        """
        customer_id model requests changed losing before         after
        acme        llama 1        0       1      0.900000000000 0.900000000000
        acme        embed 1        1       0      0.000000000000 0.000010000000
        """,
    )


async def test_what_does_not_fit_is_left_as_it_is(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """A price that no amount can hold changes nothing; a fee that only the database refuses neither."""
    await record(writer, "customer on input model\nacme 2026-10-05 1000000000000 llama")
    await publish(database, clock, "mistyped", llama="90000000")

    body = await rerated(database, clock)

    assert (body["totals"]["changed"], body["totals"]["does_not_fit"]) == (0, 1)


async def test_a_revision_too_many_is_left_out_alone(
    database: Database, clock: FixedClock, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the database refuses is found by halves: its neighbours are recorded."""
    await record(
        writer,
        """
        customer on         model input   times
        acme     2026-10-05 llama 1000000 5
        beta     2026-10-05 llama 3000000 1
        """,
    )
    await publish(database, clock, "dearer", llama="1.80")

    def unstorable(rated: Any, *words: Any, **more: Any) -> Any:
        event = usage_event(rated, *words, **more)
        return event._replace(fee_pico=2**63) if event.input_pico == 5_400_000_000_000 else event

    monkeypatch.setattr(chunks, "usage_event", unstorable)
    body = await rerated(database, clock)

    assert (body["totals"]["changed"], body["totals"]["does_not_fit"]) == (5, 1)
    assert body["totals"]["after"] == await spend_totals(database, clock)


async def test_what_is_voided_stays_so(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """A void, a sighting that never completed, and a correction, whose new statement is rated again."""
    await take(writer, "req_test_void", timestamp="2026-10-05T00:00:00Z")
    await take(writer, "req_test_pending", timestamp="2026-10-05T00:00:00Z", status="pending")
    await take(writer, timestamp="2026-10-05T00:00:00Z", reported_cost="0.002")
    await void(database, clock, "req_test_void")
    await correct(database, clock, output_tokens=400)
    await publish(database, clock, "dearer", llama="1.80")

    body = await rerated(database, clock)
    shown = await show_request(database, WORKED)

    assert (body["totals"]["requests"], body["totals"]["changed"]) == (1, 1)
    assert_table(
        shown["revisions"],
        """
        revision kind        output_tokens rate_version cost            actor
        1        usage       412           2026-05-12   0.001131300000  intake
        2        reversal    -412          2026-05-12   -0.001131300000 cli
        3        replacement 400           2026-05-12   0.001120500000  cli
        4        reversal    -400          2026-05-12   -0.001120500000 cli
        5        replacement 400           dearer       0.002241000000  cli
        """,
    )
    assert shown["reported_cost"] == "0.002"
    assert {each["reason"] for each in shown["revisions"][3:]} == {"new price list"}


@pytest.mark.usefixtures("usage")
async def test_a_run_that_ends_midway_goes_on_later(
    database: Database, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole chunks are recorded; shown and applied again it is the rest, and together they are all."""
    monkeypatch.setattr(ranges, "CHUNK_REQUESTS", 3)
    expected = (await rerated(database, clock, is_applied=False))["totals"]
    write = ChunkWriter.write
    written: list[Differences] = []

    async def write_twice(*words: Any) -> Any:
        if len(written) == 2:
            raise asyncio.CancelledError
        written.append(await write(*words))
        return written[-1]

    monkeypatch.setattr(ChunkWriter, "write", write_twice)
    with pytest.raises(asyncio.CancelledError):
        await rerated(database, clock)
    monkeypatch.setattr(ChunkWriter, "write", write)

    recorded = sum(each.total().changed for each in written)
    assert recorded == 6
    await assert_sound(database, clock)
    rest = await rerated(database, clock)
    assert rest["totals"]["changed"] == 2
    assert rest["totals"]["after"] == expected["after"] == await spend_totals(database, clock)


async def test_a_correction_in_between_is_rated_as_it_stands_then(
    database: Database, clock: FixedClock, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One request is corrected and one voided after the chunk was read, and before it is written."""
    for name in ("req_test_1", "req_test_2", WORKED):
        await take(writer, name, timestamp="2026-10-05T00:00:00Z")
    await publish(database, clock, "dearer", llama="1.80")
    calls: list[Connection] = []

    async def overtaken(connection: Connection) -> int:
        if not calls:
            await correct(database, clock, output_tokens=400)
            await void(database, clock, "req_test_1")
        calls.append(connection)
        return await enter_fence(connection)

    monkeypatch.setattr(chunks, "enter_fence", overtaken)
    body = await rerated(database, clock)

    assert len(calls) == 2
    assert (body["totals"]["requests"], body["totals"]["changed"]) == (2, 2)
    assert body["totals"]["after"] == await spend_totals(database, clock)
    assert (await show_request(database, WORKED))["cost"] == "0.002241000000"
    assert (await show_request(database, "req_test_1"))["status"] == "voided"


async def test_a_table_published_in_between_counts(
    database: Database, clock: FixedClock, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fence: a chunk that was planned with an older book is planned again."""
    await record(writer, "customer on model input\nacme 2026-10-05 llama 1000000")
    await publish(database, clock, "dearer", llama="1.80")
    calls: list[Connection] = []

    async def overtaken(connection: Connection) -> int:
        calls.append(connection)
        if len(calls) == 1:
            # Not from within: who publishes waits for all inside the fence.
            await publish(database, clock, "dearest", llama="2.70")
        return await enter_fence(connection)

    monkeypatch.setattr(chunks, "enter_fence", overtaken)
    body = await rerated(database, clock)

    assert len(calls) == 2
    assert body["totals"]["after"]["spend"] == "2.700000000000"
    assert (await spend_totals(database, clock))["spend"] == "2.700000000000"


async def test_one_that_is_always_overtaken_gives_up(
    database: Database, clock: FixedClock, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a bounded number of attempts, saying that it may be repeated."""
    await record(writer, "customer on model input\nacme 2026-10-05 llama 1000000")
    await publish(database, clock, "dearer", llama="1.80")

    async def deadlock(*_: Any) -> None:
        raise asyncpg.DeadlockDetectedError

    with monkeypatch.context() as patched:
        patched.setattr(chunks, "post", deadlock)
        with pytest.raises(DatabaseUnavailable, match="run it again"):
            await rerated(database, clock)
    assert (await rerated(database, clock))["totals"]["changed"] == 1


async def test_intake_adjustments_and_two_runs_at_once(
    database: Database, clock: FixedClock, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every request ends with the price in force, once, whoever was faster."""
    monkeypatch.setattr(ranges, "CHUNK_REQUESTS", 7)
    old = [f"req_test_old_{number}" for number in range(40)]
    for name in old:
        await take(writer, name, timestamp="2026-10-05T00:00:00Z")
    await publish(database, clock, "dearer", llama="1.80")

    async def send() -> None:
        for number in range(20):
            await take(writer, f"req_test_new_{number}", timestamp="2026-10-05T00:00:00Z")

    async def adjust() -> None:
        for name in old[::4]:
            await void(database, clock, name)

    await asyncio.gather(send(), adjust(), rerated(database, clock), rerated(database, clock))

    after = await rerated(database, clock)
    assert (after["totals"]["requests"], after["totals"]["changed"]) == (50, 0)
    standing = """
        SELECT count(*) FROM usage_event e WHERE revision IN (1, 3) AND input_pico = 845 * 1800000
            AND NOT EXISTS (SELECT FROM usage_event x WHERE x.request_id = e.request_id
                AND x.revision = e.revision + 1)
    """
    assert await scalar(database, standing) == 50
