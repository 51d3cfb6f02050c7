"""Jobs by the clock: month's turn, leap day, outage, a clock that goes back, a job that fails."""

import json
import logging
import os
from datetime import timedelta
from pathlib import Path

import pytest

from ledger.clock import FixedClock
from ledger.core.errors import InvalidParameter
from ledger.core.reading import read_statement
from ledger.core.statements import Statement
from ledger.services.intake.outcomes import Verdict
from ledger.services.intake.writer import Writer
from ledger.services.jobs.runner import chosen_slot, run_due, run_now
from ledger.store.database import Database
from ledger.store.rerating import try_unrated_job
from tests.conftest import NOW, execute
from tests.scenarios.invoice_tables import all_invoices, assert_table, record, scalar
from tests.scenarios.job_desk import DAYS, HOURS, Diary, due_at, made_up_job, product_job, rows
from tests.scenarios.rerating_tables import publish

USAGE = """
    customer on         model input
    acme     2026-09-30 llama 1000000
    acme     2026-10-31 llama 1000000
    acme     2026-11-05 llama 3000000
"""


async def test_invoices_are_issued_when_the_month_and_the_grace_time_are_over(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """The first time for the latest month alone, which bills what came before; each month once."""
    job = product_job(database, clock, "invoices")
    await record(writer, USAGE)

    assert await due_at(database, clock, job, "2026-11-20T12:00:00Z") == ["2026-10 done"]
    assert await due_at(database, clock, job, "2026-11-20T12:00:15Z") == []
    assert await due_at(database, clock, job, "2026-12-01T23:59:59Z") == []
    assert await due_at(database, clock, job, "2026-12-02T00:00:00Z") == ["2026-11 done"]
    assert await due_at(database, clock, job, "2027-01-02T00:00:00Z") == ["2026-12 done"]

    assert_table(
        await all_invoices(database),
        """
        number      customer_id  period_start  total
        INV-000001  acme         2026-10-01    1.80
        INV-000002  acme         2026-11-01    2.70
        """,
    )
    assert await scalar(database, "SELECT detail::text FROM job_run WHERE slot = '2026-11'") == (
        '{"total": "2.70", "issued": 1, "period": "2026-11", "skipped": 0, "unrated_requests": 0}'
    )
    actors = "SELECT DISTINCT actor FROM ledger_event WHERE kind = 'invoice_finalised'"
    assert await scalar(database, actors) == "job"


async def test_a_leap_day_has_its_files(
    database: Database, clock: FixedClock, tmp_path: Path
) -> None:
    """From its first instant to the first of March, an hour after."""
    job = product_job(database, clock, "export", tmp_path)
    await due_at(database, clock, job, "2028-02-28T01:00:00Z")

    assert await due_at(database, clock, job, "2028-03-01T00:59:59Z") == ["2028-02-28 done"]
    assert await due_at(database, clock, job, "2028-03-01T01:00:00Z") == ["2028-02-29 done"]

    assert sorted(os.listdir(tmp_path)) == [  # noqa: PTH208 - short
        "2028-02-27", "2028-02-28", "2028-02-29",
    ]  # fmt: skip
    manifest = json.loads((tmp_path / "2028-02-29" / "manifest.json").read_text())
    assert (manifest["from"], manifest["to"]) == ("2028-02-29T00:00:00Z", "2028-03-01T00:00:00Z")


async def test_after_a_week_away_every_day_has_its_files(
    database: Database, clock: FixedClock, writer: Writer, tmp_path: Path
) -> None:
    """In order, each with the records of its day; what only matters now is done for the latest day."""
    await record(
        writer, "customer on model input\nacme 2026-11-19 llama 1\nacme 2026-11-20 llama 1"
    )
    export = product_job(database, clock, "export", tmp_path / "drop")
    unmetered = product_job(database, clock, "unmetered")
    for job in (export, unmetered):
        assert await due_at(database, clock, job, "2026-11-20T02:00:00Z") == ["2026-11-19 done"]

    days = [f"2026-11-{day}" for day in range(20, 27)]
    back_at = "2026-11-27T02:00:00Z"
    assert await due_at(database, clock, export, back_at) == [f"{day} done" for day in days]
    assert await due_at(database, clock, unmetered, back_at) == ["2026-11-26 done"]

    files = {path.name for path in (tmp_path / "drop" / "2026-11-20").iterdir()}
    assert files == {"usage.csv", "invoices.csv", "manifest.json"}
    lines = {
        day: len((tmp_path / "drop" / day / "usage.csv").read_text().splitlines())
        for day in ("2026-11-19", *days)
    }
    assert lines == {"2026-11-19": 2, "2026-11-20": 2} | dict.fromkeys(days[1:], 1)


async def test_after_a_long_time_away_there_is_a_bound(
    database: Database, clock: FixedClock
) -> None:
    """The newest are done."""
    diary = Diary()
    job = made_up_job(diary.work)
    await due_at(database, clock, job, "2026-01-01T00:00:00Z")
    await due_at(database, clock, job, "2026-11-20T00:00:00Z")

    assert (diary.slots[0], diary.slots[1], diary.slots[-1]) == (
        "2025-12-31", "2026-10-20", "2026-11-19",
    )  # fmt: skip
    assert len(diary.slots) == 1 + 31


async def test_a_clock_that_goes_back_repeats_nothing(
    database: Database, clock: FixedClock
) -> None:
    """An hour: the slots that were done stay done, those after it come at their time, once."""
    diary = Diary()
    job = made_up_job(diary.work, HOURS)

    assert await due_at(database, clock, job, "2026-11-20T12:10:00Z") == ["2026-11-20T11 done"]
    for again in ("2026-11-20T11:10:00Z", "2026-11-20T11:59:00Z", "2026-11-20T12:00:00Z"):
        assert await due_at(database, clock, job, again) == []
    assert await due_at(database, clock, job, "2026-11-20T13:00:00Z") == ["2026-11-20T12 done"]
    assert diary.slots == ["2026-11-20T11", "2026-11-20T12"]


async def test_a_clock_that_goes_back_keeps_no_failure_waiting(
    database: Database, clock: FixedClock
) -> None:
    """A pause that would end in a time far ahead is none."""
    diary = Diary(failures=1)
    job = made_up_job(diary.work)
    assert await due_at(database, clock, job, "2026-11-20T12:00:00Z") == ["2026-11-19 failed"]
    assert await due_at(database, clock, job, "2026-11-20T12:00:30Z") == []
    assert await due_at(database, clock, job, "2026-11-20T11:00:00Z") == ["2026-11-19 done"]


async def test_what_fails_is_tried_again_with_pauses_and_stops_nobody_else(
    database: Database, clock: FixedClock, caplog: pytest.LogCaptureFixture
) -> None:
    """After 1, 2, 4 minutes; its later slots wait for it. Of the error its type is kept and logged."""
    broken, well = Diary(failures=3), Diary()
    first, other = made_up_job(broken.work), made_up_job(well.work, HOURS, number=902)
    minutes: list[int] = []
    for minute in range(10):
        clock.instant = NOW + timedelta(minutes=minute)
        minutes += [minute] * len(await run_due(database, clock, first))
        await run_due(database, clock, other)

    assert minutes == [0, 1, 3, 7]
    assert broken.slots == ["2026-11-19"]
    assert well.slots == ["2026-11-20T11"]
    assert await rows(database) == [
        "job-901 2026-11-19 1 failed",
        "job-901 2026-11-19 2 failed",
        "job-901 2026-11-19 3 failed",
        "job-901 2026-11-19 4 done",
        "job-902 2026-11-20T11 1 done",
    ]
    kept = "SELECT DISTINCT detail::text FROM job_run WHERE outcome = 'failed'"
    assert await scalar(database, kept) == '{"error": "ValueError"}'
    told = [entry.getMessage() for entry in caplog.records if entry.levelno == logging.ERROR]
    said = [each.partition(" error=")[0] for each in told]
    assert said == [
        f"job_failed job=job-901 slot=2026-11-19 attempt={n} again_in_min={pause}"
        for n, pause in ((1, 1), (2, 2), (3, 4))
    ]


async def test_later_slots_wait_for_one_that_fails(database: Database, clock: FixedClock) -> None:
    """None is passed over: when it succeeds, the others follow in order."""
    diary = Diary()
    job = made_up_job(diary.work)
    await due_at(database, clock, job, "2026-11-17T00:00:00Z")
    diary.failures = 1

    assert await due_at(database, clock, job, "2026-11-20T00:00:00Z") == ["2026-11-17 failed"]
    assert await due_at(database, clock, job, "2026-11-20T00:01:00Z") == [
        "2026-11-17 done", "2026-11-18 done", "2026-11-19 done",
    ]  # fmt: skip


async def test_a_failure_of_ours_is_kept_in_our_words(
    database: Database, clock: FixedClock, tmp_path: Path
) -> None:
    """The folder cannot be written to: the row says which setting is wrong, and no half of a day is there."""
    (tmp_path / "file").write_text("in the way")
    job = product_job(database, clock, "export", tmp_path / "file")

    assert await due_at(database, clock, job, "2026-11-20T12:00:00Z") == ["2026-11-19 failed"]

    assert await scalar(database, "SELECT detail::text FROM job_run") == (
        '{"code": "setup", "error": "SetupError", '
        '"detail": "cannot write to the folder of LEDGER_EXPORT_DIR: File exists"}'
    )


async def test_a_job_that_is_off_is_never_due(database: Database, clock: FixedClock) -> None:
    """Without a folder there are no files; asked for by hand it says what to set."""
    job = product_job(database, clock, "export")
    assert await due_at(database, clock, job, "2026-11-20T12:00:00Z") == []

    run = await run_now(database, clock, job, chosen_slot(job, None, clock))

    assert run is not None
    assert (run.slot, run.outcome) == ("2026-11-19", "failed")
    assert "set LEDGER_EXPORT_DIR" in run.detail["detail"]


async def test_a_run_by_hand_says_nothing_about_the_slots_before(
    database: Database, clock: FixedClock
) -> None:
    """Out of turn its slot is done, and not again; those before it still come."""
    diary = Diary()
    job = made_up_job(diary.work)
    await due_at(database, clock, job, "2026-11-16T00:00:00Z")
    clock.instant = NOW

    await run_now(database, clock, job, chosen_slot(job, "2026-11-18", clock))
    await run_due(database, clock, job)

    assert diary.slots == ["2026-11-15", "2026-11-18", "2026-11-16", "2026-11-17", "2026-11-19"]


async def test_a_run_by_hand_before_its_time_is_repeated_at_its_time(
    database: Database, clock: FixedClock
) -> None:
    """What comes within the delay is not missed."""
    job = product_job(database, clock, "invoices")
    await due_at(database, clock, job, "2026-11-20T12:00:00Z")
    clock.instant = NOW.replace(month=12, day=1)
    early = await run_now(database, clock, job, chosen_slot(job, None, clock))
    assert early is not None
    assert early.slot == "2026-11"

    assert await due_at(database, clock, job, "2026-12-02T00:00:00Z") == ["2026-11 done"]
    assert (await rows(database))[1:] == ["invoices 2026-11 1 done", "invoices 2026-11 2 done"]


def test_a_slot_that_is_not_over_is_refused() -> None:
    """Half a day would be taken for a whole one; and so is a name of none."""
    clock = FixedClock(NOW)
    job = made_up_job(Diary().work, DAYS)
    assert chosen_slot(job, None, clock).name == "2026-11-19"
    assert chosen_slot(job, "2025-01-01", clock).name == "2025-01-01"
    for name, rule in (("2026-11-20", "a day that is over"), ("2026-11", "such as 2026-11-01")):
        with pytest.raises(InvalidParameter, match=rule):
            chosen_slot(job, name, clock)


async def test_verification_tells_the_log_when_it_fails(
    database: Database,
    database_url: str,
    clock: FixedClock,
    writer: Writer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The names of checks are kept; the run itself is done."""
    await record(writer, USAGE)
    job = product_job(database, clock, "verify")
    assert await due_at(database, clock, job, "2026-11-20T03:00:00Z") == ["2026-11-19 done"]
    assert caplog.text == ""
    await execute(database_url, "UPDATE ledger.rollup_hour SET requests = requests + 1")

    assert await due_at(database, clock, job, "2026-11-21T03:00:00Z") == ["2026-11-20 done"]

    kept = "SELECT detail->>'ok' AS ok, detail->>'failed' AS failed FROM job_run ORDER BY slot"
    async with database.connection() as connection:
        found = [tuple(row) for row in await connection.fetch(kept)]
    failed = ["events_equal_rollups", "rollups_equal_lane_rollups"]
    assert found == [("true", "[]"), ("false", json.dumps(failed))]
    assert f"verification_failed checks={','.join(failed)}" in caplog.text


async def test_requests_that_are_never_completed_are_told(
    database: Database, clock: FixedClock, writer: Writer, caplog: pytest.LogCaptureFixture
) -> None:
    """Those older than a day by what they said last; what is young, completed or a day old is not."""
    job = product_job(database, clock, "unmetered")
    assert await due_at(database, clock, job, "2026-11-19T12:00:00Z") == ["2026-11-18 done"]
    assert caplog.text == ""
    for name, status, time in (
        ("old", "pending", "2026-11-19T11:59:59.999999Z"),
        ("older", "pending", "2026-10-01T00:00:00Z"),
        ("wrong", "error", "2026-11-19T00:00:00Z"),
        ("a day", "pending", "2026-11-19T12:00:00Z"),
        ("completed", "pending", "2026-11-19T00:00:00Z"),
        ("completed", "completed", "2026-11-19T00:00:00Z"),
    ):
        await sight(writer, name, status, time)

    assert await due_at(database, clock, job, "2026-11-20T12:00:00Z") == ["2026-11-19 done"]

    kept = "SELECT detail::text FROM job_run WHERE slot = '2026-11-19'"
    assert await scalar(database, kept) == '{"error": 1, "pending": 2}'
    assert "requests_unmetered pending=2 failed=1 hours=24" in caplog.text


async def sight(writer: Writer, request_id: str, status: str, time: str) -> None:
    """Take in one record."""
    stated = {"request_id": request_id, "customer_id": "acme", "status": status, "timestamp": time}
    usage = {"model": "m", "input_tokens": 1} if status == "completed" else {}
    statement = read_statement(json.dumps(stated | usage).encode(), NOW)
    assert isinstance(statement, Statement), statement
    [outcome] = await writer.submit([statement])
    assert outcome.verdict is not Verdict.REJECTED


async def test_unrated_usage_is_rated_by_the_hour(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """Also when no table was published since the last look; how many is kept."""
    await record(writer, "customer on model input times\nacme 2026-10-05 mystery 1000000 3")
    job = product_job(database, clock, "unrated")
    assert await due_at(database, clock, job, "2026-11-20T12:00:00Z") == ["2026-11-20T11 done"]
    await publish(database, clock, "wide", mystery="2")

    assert await due_at(database, clock, job, "2026-11-20T13:00:00Z") == ["2026-11-20T12 done"]

    async with database.connection() as connection:
        assert await try_unrated_job(connection)  # as if another process were rating
        assert await due_at(database, clock, job, "2026-11-20T14:00:00Z") == ["2026-11-20T13 done"]
        kept = "SELECT string_agg(detail::text, ' ' ORDER BY slot) FROM job_run"
        assert await connection.fetchval(kept) == (
            '{"rated": 0} {"rated": 3} {"rated": 0, "is_elsewhere": true}'
        )


async def test_months_come_into_reach(database: Database, clock: FixedClock) -> None:
    """24 of them ahead, on whichever day the job runs."""
    job = product_job(database, clock, "months")
    assert await due_at(database, clock, job, "2027-03-01T00:00:00Z") == ["2027-02-28 done"]
    assert await scalar(database, "SELECT to_regclass('ledger.usage_event_2029_03') IS NOT NULL")
