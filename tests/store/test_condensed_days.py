"""Days as sums of their hours: what is read from them is what the log says, whatever happens meanwhile."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from ledger.clock import FixedClock
from ledger.core.instants import format_instant, parse_month
from ledger.core.invoicing import DueLine
from ledger.core.rollups import fold_events
from ledger.core.rows import UsageEvent
from ledger.core.spend import spend_query
from ledger.services import condensing
from ledger.services.condensing import Condensed, condense
from ledger.services.intake.writer import Writer
from ledger.services.spend import answer_spend
from ledger.store.condensing import add_to_lane, condense_touched, mark_days, read_horizons
from ledger.store.database import Connection, Database
from ledger.store.invoices import read_due
from ledger.store.log import enter_fence, raise_epoch
from ledger.store.rollups import add_to_rollups
from tests.conftest import NOW
from tests.store.rebuild_damage import statements, whole
from tests.store.tampering import tamper

DAY = timedelta(days=1)
START, END = NOW - 60 * DAY, NOW + DAY
TODAY = NOW.date()
YESTERDAY = TODAY - DAY


async def requests(database: Database, clock: FixedClock, **asked: Any) -> int:
    """How many requests spend counts: of everybody, of each customer, or of some."""
    by = asked.pop("by", ())
    answer = await answer_spend(database, clock, spend_query(START, END, by, **asked))
    return answer.totals.requests


async def everyway(database: Database, clock: FixedClock, customer: str = "late") -> set[int]:
    """The same number by all the ways to it: sums of everybody, of each, and hours in place of days."""
    return {
        await requests(database, clock),
        await requests(database, clock, by=("day",)),
        await requests(database, clock, by=("customer",)),
        await requests(database, clock, by=("hour",)),
        await requests(database, clock, by=("customer", "hour")),
        await requests(database, clock, customers=(customer,)),
    }


async def send(writer: Writer, first: int, days_ago: int, count: int = 1) -> None:
    timestamp = format_instant(NOW - days_ago * DAY)
    await writer.submit(statements(range(first, first + count), timestamp=timestamp))


async def days_read(database: Database) -> int:
    """How many rows of days are read in place of hours."""
    async with database.connection() as connection:
        count: int = await connection.fetchval(
            """SELECT count(*) FROM rollup_day r, configuration
            WHERE day_on < condensed_until AND NOT EXISTS (
                SELECT FROM touched_day t WHERE t.customer = r.customer AND t.day_on = r.day_on)"""
        )
        return count


async def test_an_answer_is_the_same_before_and_after(
    ledger: str, database: Database, clock: FixedClock
) -> None:
    """Every figure of the bundled records, by any groups; audio and tiered fees are among them."""
    groups = [(), ("customer",), ("day", "model"), ("month", "key_type"), ("provider", "customer")]
    spans = [(START - 200 * DAY, END), (START - 200 * DAY + timedelta(minutes=17), END)]
    questions = [spend_query(*span, by) for span in spans for by in groups]
    questions.append(spend_query(*spans[0], ("day",), customers=("acme", "hooli")))
    condensed = [await answer_spend(database, clock, question) for question in questions]
    assert await days_read(database) > 100
    await tamper(ledger, "UPDATE configuration SET condensed_until = '1970-01-01'")
    for question, answer in zip(questions, condensed, strict=True):
        assert await answer_spend(database, clock, question) == answer


async def test_what_is_due_is_the_same_by_days_and_by_hours(
    ledger: str, database: Database
) -> None:
    """Of every customer and month; of a month that is half condensed, and with days that have moved."""
    await tamper(
        ledger,
        """INSERT INTO touched_period
        SELECT DISTINCT customer, date_trunc('month', hour_at, 'UTC')::date, 0 FROM rollup_hour
        ON CONFLICT DO NOTHING""",
        "DELETE FROM invoice_line WHERE line % 2 = 0",
    )
    by_days = await due(database)
    assert sum(map(len, by_days.values())) > 20
    await tamper(
        ledger,
        # What would be wrong, were it read: a day that is marked, and days that are not condensed yet.
        """INSERT INTO touched_day SELECT customer, min(day_on), 1 FROM rollup_day GROUP BY 1""",
        """UPDATE rollup_day r SET fee_pico = fee_pico + 1
        FROM touched_day t WHERE r.customer = t.customer AND r.day_on = t.day_on""",
        "UPDATE configuration SET condensed_until = '2026-05-12'",
        "UPDATE rollup_day SET requests = requests + 1 WHERE day_on >= '2026-05-12'",
    )
    assert await due(database) == by_days
    await tamper(ledger, "UPDATE configuration SET condensed_until = '1970-01-01'")
    assert await due(database) == by_days
    await tamper(ledger, "UPDATE configuration SET condensed_until = marked_until")
    assert await due(database) != by_days


async def due(database: Database) -> dict[int, list[DueLine]]:
    """What no invoice has billed, of everybody."""
    async with database.connection() as connection:
        rows = await connection.fetch("SELECT customer FROM customer")
        return await read_due(connection, [row["customer"] for row in rows], parse_month("2026-11"))


async def test_days_that_are_over_are_read_and_those_that_are_not_are_not(
    database: Database, clock: FixedClock, writer: Writer, database_url: str
) -> None:
    """Of the hours of a condensed day nothing is read; of today nothing else."""
    for days_ago in range(3):
        await send(writer, 10 * days_ago, days_ago, count=2)
    assert await condense(database, clock) == Condensed(TODAY, 0)
    assert await days_read(database) == 4  # the customer's and everybody's
    await tamper(
        database_url,
        f"UPDATE rollup_hour SET requests = 100 WHERE hour_at < '{TODAY}'",
        f"UPDATE rollup_lane_hour SET requests = 100 WHERE hour_at < '{TODAY}'",
        f"UPDATE rollup_day SET requests = 50 WHERE day_on = '{YESTERDAY}'",
    )
    assert await requests(database, clock) == 2 + 50 + 2
    assert await requests(database, clock, customers=("late",)) == 2 + 50 + 2
    assert await requests(database, clock, by=("hour",)) == 100 + 100 + 2


async def test_what_comes_late_is_in_the_next_answer(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """From the hours, until the day is condensed anew; a day that was empty too."""
    await send(writer, 0, 3, count=5)
    await condense(database, clock)
    assert await everyway(database, clock) == {5}

    await send(writer, 10, 3)
    await send(writer, 20, 9)
    assert await days_read(database) == 0
    assert await everyway(database, clock) == {7}
    assert await condense(database, clock) == Condensed(TODAY, 4)
    assert await days_read(database) == 4
    assert await everyway(database, clock) == {7}
    assert await condense(database, clock) == Condensed(TODAY, 0)
    await whole(database, clock)


async def test_a_run_with_nothing_to_do_keeps_nobody_waiting(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """No epoch begins, which every writer would look at."""
    await send(writer, 0, 1)
    await condense(database, clock)
    async with database.connection() as connection:
        epoch = await connection.fetchval("SELECT epoch FROM configuration")
        await send(writer, 1, 0)
        await condense(database, clock)
        assert await connection.fetchval("SELECT epoch FROM configuration") == epoch


async def test_a_day_later_one_more_day_is_condensed(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    await send(writer, 0, 0, count=3)
    assert await condense(database, clock) == Condensed(TODAY, 0)
    clock.instant = NOW + DAY
    assert await condense(database, clock) == Condensed(TODAY + DAY, 0)
    assert await days_read(database) == 2
    clock.instant = NOW  # a clock that goes back takes nothing back
    assert await condense(database, clock) == Condensed(TODAY + DAY, 0)
    await send(writer, 5, 0)
    assert await everyway(database, clock) == {4}


async def test_chunks_are_complete(
    database: Database, clock: FixedClock, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A customer and a few days at a time come to the same."""
    monkeypatch.setattr(condensing, "CHUNK_CUSTOMER_DAYS", 2)
    monkeypatch.setattr(condensing, "SPAN_DAYS", 2)
    for days_ago in (1, 2, 3, 40, 44):
        stated = {"timestamp": format_instant(NOW - days_ago * DAY)}
        for customer in ("a", "b", "c"):
            await writer.submit(statements(range(days_ago, days_ago + 1), customer, **stated))
    await condense(database, clock)
    assert await days_read(database) == 5 * 4
    await send(writer, 100, 40, count=3)
    assert await condense(database, clock) == Condensed(TODAY, 2)
    assert await requests(database, clock) == await requests(database, clock, by=("hour",)) == 18
    await whole(database, clock)


async def test_what_was_interrupted_is_done_anew(
    database: Database, clock: FixedClock, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows of days that are not read yet may stand there; what came since is in the next attempt."""
    await send(writer, 0, 2, count=2)

    async def breaks(*_: object) -> None:
        raise RuntimeError("in the middle")

    with monkeypatch.context() as patch:
        patch.setattr(condensing, "set_condensed_until", breaks)
        with pytest.raises(RuntimeError):
            await condense(database, clock)
    async with database.connection() as connection:
        found = await read_horizons(connection)
        assert (found.marked_until, found.condensed_until) == (TODAY, date(1970, 1, 1))
        assert await connection.fetchval("SELECT count(*) FROM rollup_day") == 2
    await send(writer, 10, 2)
    assert await everyway(database, clock) == {3}
    await condense(database, clock)
    assert await everyway(database, clock) == {3}
    await whole(database, clock)


async def test_one_session_condenses_at_a_time(database: Database, clock: FixedClock) -> None:
    async with database.connection() as other:
        assert await other.fetchval("SELECT pg_try_advisory_lock(10, 0)")
        assert await condense(database, clock) is None
    assert await condense(database, clock) is not None


# Two connections: a batch of one request of a day that is over, and who condenses that day.


@pytest.fixture
async def late_day(database: Database, clock: FixedClock, writer: Writer) -> datetime:
    """A day that is condensed, with two requests."""
    await send(writer, 0, 4, count=2)
    await condense(database, clock)
    return NOW - 4 * DAY


@asynccontextmanager
async def late_batch(database: Database, occurred_at: datetime) -> AsyncIterator[Any]:
    """A batch in its transaction, everything moved as posting does it; gives what commits it."""
    async with database.connection() as connection:
        transaction = connection.transaction()
        await transaction.start()
        epoch = await enter_fence(connection)
        until = await connection.fetchval("SELECT marked_until FROM configuration")
        number = await connection.fetchval("SELECT max(customer) FROM customer")
        event = UsageEvent(
            *(b"", occurred_at, 0, 0, 1, None, None, None, None, None, 1, 1, number, 1, 0, "usage"),
            *(1, 1, 1, None, None, None, None),
        )
        delta = fold_events([event])
        await add_to_rollups(connection, delta)
        await add_to_lane(connection, 1, delta)
        await mark_days(connection, delta, until, epoch)
        yield transaction.commit


async def marks(connection: Connection) -> int:
    count: int = await connection.fetchval("SELECT count(*) FROM touched_day")
    return count


async def test_a_batch_that_commits_after_its_day_was_worked_out_keeps_its_mark(
    database: Database, clock: FixedClock, late_day: datetime
) -> None:
    """It began after the epoch was raised: the day is stale again when it commits.

    | who condenses | batch          |
    | epoch         |                |
    |               | marks and moves|
    | takes marks, works out, commits|
    |               | commits        |
    """
    async with database.connection() as connection:
        async with connection.transaction():
            epoch = await raise_epoch(connection)
        async with late_batch(database, late_day) as commit:
            async with connection.transaction():
                await condense_touched(connection, epoch, 10)
            assert await everyway(database, clock) == {2}
            await commit()
        assert await marks(connection) == 2
    assert await everyway(database, clock) == {3}
    await condense(database, clock)
    assert await days_read(database) == 2
    assert await everyway(database, clock) == {3}


async def test_an_old_mark_does_not_stand_in_for_a_new_one(
    database: Database, clock: FixedClock, writer: Writer, late_day: datetime
) -> None:
    """The day is marked by an earlier epoch when the batch marks it; that one is taken, the new one stays."""
    await send(writer, 50, 4)
    async with database.connection() as connection:
        async with connection.transaction():
            epoch = await raise_epoch(connection)
        async with late_batch(database, late_day) as commit:
            async with connection.transaction():
                assert await condense_touched(connection, epoch, 10) == 2
            assert await days_read(database) == 2
            await commit()
    assert await days_read(database) == 0
    assert await everyway(database, clock) == {4}


async def test_a_mark_that_two_batches_rely_on_stays(
    database: Database, clock: FixedClock, writer: Writer, late_day: datetime
) -> None:
    """The second batch of an epoch finds the day marked by the first, and commits after it was worked out."""
    await send(writer, 50, 4)
    async with database.connection() as connection:
        async with connection.transaction():
            epoch = await raise_epoch(connection)
        await send(writer, 60, 4)
        async with late_batch(database, late_day) as commit:
            async with connection.transaction():
                assert await condense_touched(connection, epoch, 10) == 2
            await commit()
    assert await everyway(database, clock) == {5}


async def test_a_batch_that_commits_between_mark_and_hours_is_worked_out(
    database: Database, clock: FixedClock, writer: Writer, late_day: datetime
) -> None:
    """Its sums are in the day, and its mark says so until the next run."""
    await send(writer, 50, 4)
    async with database.connection() as connection:
        async with connection.transaction():
            epoch = await raise_epoch(connection)
        async with connection.transaction(), late_batch(database, late_day) as commit:
            # The first statement of who condenses; the hours are read by a later one.
            await connection.execute("DELETE FROM touched_day WHERE epoch < $1", epoch)
            await commit()
            await connection.execute(
                "INSERT INTO touched_day SELECT customer, day_on, 0 FROM rollup_day"
            )
            assert await condense_touched(connection, epoch, 10) == 2
    assert await everyway(database, clock) == {4}
    await condense(database, clock)
    assert await everyway(database, clock) == {4}


async def test_the_epoch_waits_for_a_batch_of_the_one_before(
    database: Database, clock: FixedClock, late_day: datetime
) -> None:
    """A batch that does not know yet that its day is marked has committed when the day is worked out."""
    async with late_batch(database, late_day) as commit, database.connection() as connection:
        await connection.execute("SET lock_timeout = '100ms'")
        with pytest.raises(Exception, match="lock timeout"):
            async with connection.transaction():
                await raise_epoch(connection)
        await connection.execute("RESET lock_timeout")
        await commit()
        async with connection.transaction():
            await raise_epoch(connection)
    assert await everyway(database, clock) == {3}


async def test_marks_of_months_do_not_heap_up(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """Each condensing raises the epoch, after which writers mark anew; one mark of a month says it all."""
    for hour in range(6):
        await send(writer, first=10 * hour, days_ago=0)
        await send(writer, first=10 * hour + 5, days_ago=1)
        await condense(database, clock)
    async with database.connection() as connection:
        marks = await connection.fetch(
            "SELECT customer, period_start, count(*) AS marks FROM touched_period GROUP BY 1, 2"
        )
    assert [row["marks"] for row in marks] == [1] * len(marks)
    assert marks
