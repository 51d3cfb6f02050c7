"""Usage without a price: announced once, and rated as soon as a table has a price for it."""

import asyncio
import logging
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ledger.bootstrap import Ledger
from ledger.clock import FixedClock
from ledger.core.rows import UsageEvent
from ledger.jobs import scheduler
from ledger.services.customers import set_customer
from ledger.services.explaining.request_pages import render_request
from ledger.services.explaining.requests import explain_request
from ledger.services.intake.writer import Writer
from ledger.services.limits import LimitRequest, list_alerts, set_limit
from ledger.services.meters import set_meter
from ledger.services.rerating import ranges, unrated_job
from ledger.services.rerating.unrated_job import UnratedRun, UnratedWatch, rate_unrated
from ledger.services.unrated import announce_unrated
from ledger.settings import Settings
from ledger.store.database import Database
from ledger.store.interning import Interned
from ledger.store.log import Decision
from tests.conftest import NOW
from tests.scenarios.explained_requests import WORKED, correct, take
from tests.scenarios.invoice_tables import MODELS, record, scalar, ten_percent_for
from tests.scenarios.rerating_tables import assert_sound, publish, spend_totals

DAY = timedelta(days=1)
UNRATED = """
    customer on         model   input   times
    acme     2026-10-05 mystery 1000000 3
    beta     2026-10-06 mystery 1000000 2
    beta     2026-10-06 llama   1000000 1
    beta     2026-09-30 mystery 1000000 1
"""


@pytest.fixture(autouse=True)
async def everything_still_adds_up(database: Database, clock: FixedClock) -> Any:
    """After every test the whole ledger is verified, and a rebuild changes nothing."""
    yield
    await assert_sound(database, clock)


async def rated(database: Database, clock: FixedClock) -> int:
    """How many requests a run of the job has rated."""
    run = await rate_unrated(database, clock)
    assert run is not None
    return run.rated


async def test_a_table_that_arrives_prices_what_waits_for_it(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """From when it is in force, for all customers, and nothing that has a price.

    | customer | day     | model   | before  | after         |
    | acme     | Oct 5   | mystery | unrated | 3 x 2.00      |
    | beta     | Oct 6   | mystery | unrated | 2 x 2.00      |
    | beta     | Oct 6   | llama   | 0.90    | 0.90          |
    | beta     | Sept 30 | mystery | unrated | unrated       |
    """
    await record(writer, UNRATED)
    assert await rated(database, clock) == 0
    await publish(database, clock, "wide", mystery="2", llama="7")
    assert (await spend_totals(database, clock))["unrated_requests"] == 5

    assert await rated(database, clock) == 5

    totals = await spend_totals(database, clock)
    assert totals == {
        "cost": "10.900000000000",
        "fee": "0.000000000000",
        "spend": "10.900000000000",
        "unrated_requests": 0,
    }
    september = await spend_totals(database, clock, ("2026-09-01", "2026-10-01"))
    assert september["unrated_requests"] == 1
    assert await rated(database, clock) == 0


async def test_the_provider_is_looked_for_again(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """A record without one, of a model that no table listed, belongs to the one whose table lists it now."""
    await take(writer, model="model-x", timestamp="2026-10-05T00:00:00Z")
    await publish(database, clock, "first", provider="someone", **{"model-x": "1"})

    assert await rated(database, clock) == 1

    explained = await explain_request(database, WORKED)
    assert explained["provider"] == "someone"
    assert explained["agrees"]
    assert "  re-rated  from no price to someone first\n" in render_request(explained)
    assert f"  decided   by {unrated_job.JOB_ACTOR}\n" in render_request(explained)


async def test_what_a_listed_model_lacks_stays_unrated(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """The model has a price and one of its units has none; the run ends all the same."""
    await take(writer, model=MODELS["mystery"], provider="fireworks", input_seconds=3)
    await publish(database, clock, "tokens-only", mystery="2")

    assert await rated(database, clock) == 0


async def test_a_correction_that_left_a_request_unrated_is_found(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """A correction keeps the table it was priced by; what that lacks another has, and the job finds it.

    Nothing was decided since the last look, so only the look that is taken in any case sees it.
    """
    watch = UnratedWatch(database, clock)
    await take(writer, timestamp="2026-10-05T00:00:00Z")
    await publish(database, clock, "images", llama='{input: "1", output: "1", image: "0.01"}')
    await watch.look()
    await correct(database, clock, images=1)
    assert await watch.look() is None
    assert (await spend_totals(database, clock))["unrated_requests"] == 1

    run = await watch.look_again()

    assert run is not None
    assert run.rated == 1
    assert (await spend_totals(database, clock))["spend"] == "0.011257000000"


async def test_the_watch_looks_only_when_something_was_decided(
    database: Database,
    clock: FixedClock,
    writer: Writer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Once at its start, and after a table was published; usage that comes in between costs no look."""
    runs: list[UnratedRun | None] = []

    async def counted(*words: Any) -> UnratedRun | None:
        runs.append(await rate_unrated(*words))
        return runs[-1]

    monkeypatch.setattr(unrated_job, "rate_unrated", counted)
    watch = UnratedWatch(database, clock)
    await record(writer, UNRATED)
    await watch.look()
    await record(writer, UNRATED)
    await watch.look()
    assert len(runs) == 1
    await publish(database, clock, "wide", mystery="2", llama="7")
    await watch.look()
    await watch.look()

    assert [each.rated for each in runs if each] == [0, 10]


async def test_it_goes_on_while_usage_comes_in(
    database: Database, clock: FixedClock, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Chunk by chunk, beside a writer; a table that arrives midway counts for both."""
    monkeypatch.setattr(ranges, "CHUNK_REQUESTS", 5)
    await record(writer, "customer on model input times\nacme 2026-10-05 mystery 1000000 60")

    async def send() -> None:
        for _ in range(10):
            await record(writer, "customer on model input times\nacme 2026-10-05 mystery 1000000 2")

    sending = asyncio.create_task(send())
    await publish(database, clock, "wide", mystery="2")
    await rated(database, clock)
    await sending
    await rated(database, clock)

    totals = await spend_totals(database, clock)
    assert (totals["spend"], totals["unrated_requests"]) == ("160.000000000000", 0)


async def test_two_at_once_do_the_work_once(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """One of them works, the other is told that it is not its turn; later it is again."""
    await record(writer, UNRATED)
    await publish(database, clock, "wide", mystery="2", llama="7")

    runs = await asyncio.gather(rate_unrated(database, clock), rate_unrated(database, clock))

    assert sum(run.rated for run in runs if run) == 5
    assert await scalar(database, "SELECT max(revision) FROM usage_event") == 3
    async with database.connection() as other:
        assert await other.fetchval("SELECT pg_try_advisory_lock(8, 0)")
        assert await rate_unrated(database, clock) is None
        assert await UnratedWatch(database, clock).look() is None
    assert await rated(database, clock) == 0


async def test_a_limit_that_is_crossed_raises_its_alert(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """In the batch of the new statement: with a tenth, 3 x 2.20 of 10.00 is more than a half."""
    await ten_percent_for(database, clock, "acme")
    await set_limit(
        database, clock, "test", LimitRequest(customer_id="acme", amount="10.00", window="month")
    )
    await record(writer, "customer on model input times\nacme 2026-11-05 mystery 1000000 3")
    assert await list_alerts(database, None, 10) == []
    await publish(database, clock, "wide", "2026-11-01", mystery="2")

    await rated(database, clock)

    (alert,) = await list_alerts(database, None, 10)
    assert (alert["threshold"], alert["spend"]) == ("0.5", "6.600000000000")
    together = """
        SELECT count(*) FROM ledger_event a JOIN ledger_event r USING (lane, batch)
        WHERE a.kind = 'alert_raised' AND r.kind = 'usage_rerated'
    """
    assert await scalar(database, together) == 1


async def test_a_tiered_fee_begins_with_the_first_price(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """What has no price counts for no tier; once it has one, 3M tokens at 5.00 per million are owed."""
    tiers = {"kind": "graduated", "unit": "tokens_1m", "tiers": [{"start": "0", "rate": "5.00"}]}
    await set_meter(database, clock, "test", "tiers", tiers)
    await set_customer(database, clock, "test", "acme", "tiers")
    await record(writer, "customer on model input times\nacme 2026-10-05 mystery 1000000 3")
    assert (await spend_totals(database, clock))["fee"] == "0.000000000000"
    await publish(database, clock, "wide", mystery="2")

    await rated(database, clock)

    totals = await spend_totals(database, clock)
    assert (totals["fee"], totals["spend"]) == ("15.000000000000", "21.000000000000")


async def test_serving_runs_the_job_and_survives_it(
    database: Database,
    clock: FixedClock,
    writer: Writer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A run that fails is told in the log and tried again; one that did something is told too."""
    caplog.set_level(logging.INFO)
    await record(writer, UNRATED)
    watch = UnratedWatch(database, clock)
    with monkeypatch.context() as patched:
        patched.setattr(UnratedWatch, "look_again", _fails)
        await scheduler._rate_unrated(watch)
    assert caplog.text.count("rating_unrated_failed error=") == 1

    await publish(database, clock, "wide", mystery="2", llama="7")
    await scheduler._rate_unrated(watch)
    await scheduler._rate_unrated(watch)
    assert caplog.text.count("unrated_rated requests=5") == 1
    ledger = Ledger(Settings(database_url=database.url, data_dir=Path()), clock, database, ())
    async with scheduler.scheduled_jobs(ledger):
        pass


async def _fails(_: UnratedWatch) -> None:
    raise OSError("the network is away")


def unrated_events(*numbers: int, revision: int = 1, **changes: Any) -> list[UsageEvent]:
    """Events of customers that have no price, in no dimension but the first."""
    return [
        UsageEvent(
            bytes(15) + bytes([number]), NOW, 1, 0, 0, None, None, None, None, None, 1, 1, 1, 1, 0,
            "usage", revision, 1, 1, None, None, None, None,
        )._replace(**changes)
        for number in numbers
    ]  # fmt: skip


async def announced(database: Database, events: list[UsageEvent]) -> list[Decision]:
    async with database.connection() as connection, connection.transaction():
        return await announce_unrated(connection, events, NOW, Interned())


@pytest.fixture
async def unrated(database: Database, writer: Writer) -> tuple[int, int, int]:
    """The numbers of a customer and of two dimensions without a price, which differ in the type of key."""
    await record(
        writer,
        "customer on model input key\nacme 2026-11-05 mystery 7 managed\nacme 2026-11-05 mystery 7 byok",
    )
    customer = await scalar(database, "SELECT customer FROM customer WHERE customer_id = 'acme'")
    async with database.connection() as connection:
        rows = await connection.fetch(
            "SELECT dimension FROM dimension WHERE rate_version IS NULL ORDER BY dimension"
        )
    first, second = (row["dimension"] for row in rows)
    return customer, first, second


async def test_unrated_usage_is_announced_once_a_month(
    database: Database, unrated: tuple[int, int, int], caplog: pytest.LogCaptureFixture
) -> None:
    """One alert for each customer, month and way of calling a model; who pays the provider is no matter."""
    caplog.set_level(logging.INFO)
    customer, first, second = unrated
    before, after = NOW - 40 * DAY, NOW + 40 * DAY

    def used(dimension: int, **more: Any) -> list[UsageEvent]:
        return unrated_events(1, 2, customer=customer, dimension=dimension, **more)

    past = await announced(
        database, [*used(first, occurred_at=before), *used(second, occurred_at=before)]
    )
    assert len(past) == 1
    assert await announced(database, used(first, occurred_at=before)) == []
    future = await announced(
        database, [*used(second, occurred_at=before), *used(second, occurred_at=after)]
    )
    assert [each.body["month"] for each in (*past, *future)] == ["2026-10", "2026-12"]
    (decision,) = past
    assert (decision.kind, decision.customer) == ("unrated_found", customer)
    assert decision.subject == decision.body["alert_id"]
    assert decision.body["model"] == MODELS["mystery"]
    assert caplog.text.count("unrated_found month=") == 2
    outbox = "SELECT count(*) FROM outbox WHERE topic = 'unrated' AND body ->> 'month' <> '2026-11'"
    assert await scalar(database, outbox) == 2


async def test_only_what_lacks_a_price_is_announced(
    database: Database, unrated: tuple[int, int, int]
) -> None:
    """Neither a price nor a reversal; a correction that leaves a request without a price does."""
    customer, first, _ = unrated
    before = NOW - 40 * DAY
    of: dict[str, Any] = {"customer": customer, "dimension": first, "occurred_at": before}

    assert await announced(database, unrated_events(1, unrated=0, **of)) == []
    assert await announced(database, unrated_events(1, revision=2, **of | {"unrated": -1})) == []
    assert len(await announced(database, unrated_events(1, revision=3, **of))) == 1


async def test_two_writers_announce_once(database: Database, unrated: tuple[int, int, int]) -> None:
    """The second waits for the first, and has nothing new to tell; unless the first is rolled back."""
    customer, first, _ = unrated
    events = unrated_events(1, customer=customer, dimension=first, occurred_at=NOW - 40 * DAY)
    async with database.connection() as connection:
        transaction = connection.transaction()
        await transaction.start()
        assert len(await announce_unrated(connection, events, NOW, Interned())) == 1
        other = asyncio.create_task(announced(database, events))
        await asyncio.sleep(0.1)
        assert not other.done()
        await transaction.rollback()
    assert len(await other) == 1

    both = await asyncio.gather(announced(database, events), announced(database, events))
    assert list(both) == [[], []]
