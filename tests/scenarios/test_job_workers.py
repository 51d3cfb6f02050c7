"""Workers: any number of processes look, one at a time works, and a dead one is noticed."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from ledger.bootstrap import Ledger
from ledger.clock import FixedClock
from ledger.core.errors import DatabaseUnavailable
from ledger.core.schedule import Slot
from ledger.jobs import scheduler
from ledger.services.intake.writer import Writer
from ledger.services.jobs.due import Job
from ledger.services.jobs.runner import run_due, run_now
from ledger.settings import Settings
from ledger.store.database import Database
from ledger.store.jobs import Detail, job_locked
from tests.conftest import NOW
from tests.scenarios.invoice_tables import all_invoices, record, scalar
from tests.scenarios.job_desk import (
    PATIENCE_S,
    Diary,
    another_process,
    due_at,
    made_up_job,
    rows,
    terminate,
)

# A worker that begins a job and never ends it.
BUSY = """
import asyncio, sys
from tests.conftest import NOW
from tests.scenarios.job_desk import made_up_job
from ledger.clock import FixedClock
from ledger.services.jobs.runner import run_due
from ledger.store.database import Database

async def never(slot):
    print("begun", flush=True)
    await asyncio.sleep(3600)

async def main():
    database = Database(sys.argv[1])
    await database.open()
    await run_due(database, FixedClock(NOW), made_up_job(never))

asyncio.run(main())
"""
# A worker that issues invoices when it is told to; it tells how many runs were its own.
INVOICING = """
import asyncio, sys
from tests.conftest import NOW
from tests.scenarios.job_desk import product_job
from ledger.clock import FixedClock
from ledger.services.jobs.runner import run_due
from ledger.store.database import Database

async def main():
    clock, database = FixedClock(NOW), Database(sys.argv[1])
    await database.open()
    job, runs = product_job(database, clock, "invoices"), []
    print("ready", flush=True)
    sys.stdin.readline()
    for _ in range(50):
        runs += await run_due(database, clock, job)
        await asyncio.sleep(0.01)
    print(len(runs), sum(run.detail["issued"] for run in runs), flush=True)
    await database.close()

asyncio.run(main())
"""


async def test_two_schedulers_do_each_slot_once(database: Database, clock: FixedClock) -> None:
    """Four even, looking at once and again while one is at work."""
    diary = Diary()
    job = made_up_job(diary.work)
    await due_at(database, clock, job, "2026-11-13T00:00:00Z")
    clock.instant = NOW

    async def look_often() -> None:
        for _ in range(5):
            await run_due(database, clock, job)

    await asyncio.gather(*(look_often() for _ in range(4)))

    assert diary.slots == [f"2026-11-{day}" for day in range(12, 20)]
    assert await rows(database) == [f"job-901 {slot} 1 done" for slot in diary.slots]


async def test_two_processes_issue_invoices_exactly_once(
    database: Database, writer: Writer
) -> None:
    """One run between them, one invoice a customer, no number missing."""
    table = "\n".join(f"c{n:02} 2026-10-16 llama {n + 1}000000" for n in range(20))
    await record(writer, f"customer on model input\n{table}")

    async with (
        another_process(INVOICING, database.url) as one,
        another_process(INVOICING, database.url) as two,
    ):
        for process in (one, two):
            assert await asyncio.wait_for(process.stdout.readline(), PATIENCE_S) == b"ready\n"
        for process in (one, two):
            process.stdin.write(b"go\n")
        said = [await asyncio.wait_for(each.communicate(), PATIENCE_S) for each in (one, two)]

    answers = sorted(out.decode().strip() for out, _ in said)
    assert answers == ["0 0", "1 20"]  # runs, invoices
    assert [invoice["number"] for invoice in await all_invoices(database)] == [
        f"INV-{n:06}" for n in range(1, 21)
    ]
    assert await rows(database) == ["invoices 2026-10 1 done"]


async def test_what_a_killed_worker_left_is_done_by_the_next(
    database: Database, clock: FixedClock, caplog: pytest.LogCaptureFixture
) -> None:
    """While it lives nobody else is at it; then its run is interrupted, and the slot is done at once."""
    diary = Diary()
    job = made_up_job(diary.work)
    async with another_process(BUSY, database.url) as worker:
        assert await asyncio.wait_for(worker.stdout.readline(), PATIENCE_S) == b"begun\n"
        assert await run_due(database, clock, job) == []
        assert await run_now(database, clock, job, Slot("2026-11-19", NOW, NOW)) is None
        assert await rows(database) == ["job-901 2026-11-19 1 running"]
        worker.kill()
        await worker.wait()

    async with asyncio.timeout(PATIENCE_S):  # until the server has noticed
        while not diary.slots:
            await run_due(database, clock, job)

    assert await rows(database) == [
        "job-901 2026-11-19 1 interrupted",
        "job-901 2026-11-19 2 done",
    ]
    assert "job_left_running job=job-901 slot=2026-11-19 attempt=1" in caplog.text


async def test_a_job_that_ends_its_worker_again_and_again_waits(
    database: Database, clock: FixedClock
) -> None:
    """Once it is tried at once; the second time as if it had failed."""

    async def ends_its_worker(_: Slot) -> Detail:
        raise asyncio.CancelledError

    job = made_up_job(ends_its_worker)
    minutes: list[int] = []
    for minute in (0, 0, 1, 2, 3, 6):
        clock.instant = NOW + timedelta(minutes=minute)
        before = len(await rows(database))
        with suppress(asyncio.CancelledError):
            await run_due(database, clock, job)
        minutes += [minute] * (len(await rows(database)) - before)
    assert minutes == [0, 0, 2, 6]


async def test_who_loses_the_lock_cannot_say_that_it_is_done(
    database: Database, clock: FixedClock
) -> None:
    """The session that holds it is the one that records; the slot is done again by who has it."""
    diary = Diary()

    async def cut_off(slot: Slot) -> Detail:
        detail = await diary.work(slot)
        if len(diary.slots) == 1:
            await terminate(database.url, await scalar(database, HOLDER))
        return detail

    job = made_up_job(cut_off)
    with pytest.raises(DatabaseUnavailable):
        await run_due(database, clock, job)
    assert await rows(database) == ["job-901 2026-11-19 1 running"]

    await run_due(database, clock, job)

    assert (await rows(database))[1:] == ["job-901 2026-11-19 2 done"]
    assert diary.slots == ["2026-11-19"] * 2


HOLDER = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = 9 AND granted"


async def test_a_stop_is_recorded_and_gives_the_lock_back(
    database: Database, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The scheduler ends what it began, and waits until that is written down; the next worker goes on."""
    begun = asyncio.Event()

    async def never(_: Slot) -> Detail:
        begun.set()
        await asyncio.sleep(3600)
        return {}

    run_by(monkeypatch, made_up_job(never))
    async with scheduler.scheduled_jobs(ledger_on(database, clock)):
        await asyncio.wait_for(begun.wait(), PATIENCE_S)
    assert await rows(database) == ["job-901 2026-11-19 1 interrupted"]

    diary = Diary()
    assert await run_due(database, clock, made_up_job(diary.work))
    assert diary.slots == ["2026-11-19"]


async def test_the_scheduler_goes_on_whatever_happens_to_a_job(
    database: Database,
    clock: FixedClock,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A schedule that cannot be worked out is told in the log, again and again; the other job is done."""
    diary, done = Diary(), asyncio.Event()

    async def work(slot: Slot) -> Detail:
        kept = await diary.work(slot)
        done.set()
        return kept

    impossible = made_up_job(diary.work, schedule=None, number=902)  # type: ignore[arg-type]
    run_by(monkeypatch, impossible, made_up_job(work))
    async with scheduler.scheduled_jobs(ledger_on(database, clock)):
        await asyncio.wait_for(done.wait(), PATIENCE_S)
        async with asyncio.timeout(PATIENCE_S):
            while caplog.text.count("job_look_failed job=job-902 ") < 2:  # noqa: ASYNC110 - a log line
                await asyncio.sleep(0.01)
    assert diary.slots == ["2026-11-19"]


async def test_a_lock_is_noticed_to_be_lost_with_its_machine(database: Database) -> None:
    """The server asks an idle worker over TCP whether it is there; without that it waits for two hours."""
    async with job_locked(database, 901) as connection:
        assert connection is not None
        stated = (
            "SELECT count(*) FROM pg_settings WHERE name LIKE 'tcp_keep%' AND source = 'session'"
        )
        assert await connection.fetchval(stated) == 3


def run_by(monkeypatch: pytest.MonkeyPatch, *jobs: Job) -> None:
    """Have the scheduler run these jobs, and look often."""
    monkeypatch.setattr(scheduler, "jobs_of", lambda *_: jobs)
    monkeypatch.setattr(scheduler, "LOOK_EVERY_S", 0.05)


def ledger_on(database: Database, clock: FixedClock) -> Ledger:
    return Ledger(Settings(database_url=database.url, data_dir=Path()), clock, database, ())
