"""Jobs for the scenarios: the product's own over a database, and small ones that tests make up."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg

from ledger.bootstrap import Ledger, jobs_of
from ledger.clock import FixedClock
from ledger.core.instants import parse_instant
from ledger.core.schedule import Cadence, Schedule, Slot
from ledger.services.jobs.due import Job
from ledger.services.jobs.runner import run_due
from ledger.settings import Settings
from ledger.store.database import Database
from ledger.store.jobs import Detail

ROOT = Path(__file__).parents[2]
DAYS = Schedule(Cadence.DAY, catches_up=True, most_missed=31)
HOURS = Schedule(Cadence.HOUR)
PATIENCE_S = 30


def product_job(
    database: Database, clock: FixedClock, name: str, export_dir: Path | None = None
) -> Job:
    """One of the product's own jobs."""
    settings = Settings(
        database_url=database.url, data_dir=Path(), export_dir=export_dir, invoice_grace_hours=24
    )
    [job] = [job for job in jobs_of(Ledger(settings, clock, database, ())) if job.name == name]
    return job


def made_up_job(
    work: Callable[[Slot], Awaitable[Detail]], schedule: Schedule = DAYS, number: int = 901
) -> Job:
    """A job that a test makes up."""
    return Job(f"job-{number}", number, schedule, work)


class Diary:
    """Work that remembers the slots it was done for, and fails as often as it is told to."""

    def __init__(self, failures: int = 0) -> None:
        self.slots: list[str] = []
        self.failures = failures

    async def work(self, slot: Slot) -> Detail:
        """Write a slot down, or fail with words that somebody sent."""
        await asyncio.sleep(0.01)  # long enough for another worker to come by
        if self.failures:
            self.failures -= 1
            raise ValueError("a secret of somebody")
        self.slots.append(slot.name)
        return {"slots": len(self.slots)}


async def due_at(database: Database, clock: FixedClock, job: Job, instant: str) -> list[str]:
    """Do what is due at a time; the slots and how their runs ended."""
    clock.instant = parse_instant(instant)
    return [f"{run.slot} {run.outcome}" for run in await run_due(database, clock, job)]


async def rows(database: Database) -> list[str]:
    """Every run in the order of jobs, slots and attempts."""
    async with database.connection() as connection:
        found = await connection.fetch("SELECT * FROM job_run ORDER BY job, slot, attempt")
    return ["{job} {slot} {attempt} {outcome}".format(**row) for row in found]


async def terminate(url: str, process_id: int) -> None:
    """End a session of the database, as its administrator would."""
    connection = await asyncpg.connect(url)
    try:
        assert await connection.fetchval("SELECT pg_terminate_backend($1, 5000)", process_id)
    finally:
        await connection.close()


@asynccontextmanager
async def another_process(program: str, *arguments: str) -> AsyncIterator[Any]:
    """Run a program of ours beside the test; it is ended by force if it has not ended by itself."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program, *arguments),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
