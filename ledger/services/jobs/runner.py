"""Running jobs: one worker at a time for each, over all processes; every attempt is a row.

    look: is anything due? ─▶ lock ─▶ mark what a dead worker left ─▶ oldest slot ─▶ record, work, record ─┐
                                                                        ▲                          done │
                                                                        └──────────────────────────────┘

What is due is read again under the lock. A slot that fails keeps the later ones of its job waiting, which may
rely on it, and no other job.
"""

import asyncio
import os
import socket
from contextlib import suppress

from ledger.clock import Clock
from ledger.core.errors import InvalidParameter, LedgerError
from ledger.core.schedule import Slot, latest_over, named_slot, retry_at
from ledger.logs import logger
from ledger.services.jobs.due import Job, read_due
from ledger.store.database import Connection, Database
from ledger.store.jobs import (
    Detail,
    JobRun,
    Outcome,
    begin_run,
    end_left_running,
    end_run,
    has_running,
    job_locked,
)
from ledger.traces.spans import span

PARTING_S = 2  # how long a job that is told to stop takes to say so

_LOG = logger(__name__)


async def run_due(database: Database, clock: Clock, job: Job) -> list[JobRun]:
    """Do what is due of a job, unless another worker is at it; gives the runs.

    Raises:
        DatabaseUnavailable, TooBusy: it cannot be known, or recorded; the next look goes on.
    """
    if not await _needs_worker(database, clock, job):
        return []
    runs: list[JobRun] = []
    async with job_locked(database, job.number) as connection:
        if connection is None:
            return []
        await _end_left_running(connection, clock, job)
        while slot := await _next(connection, clock, job):
            runs.append(await _attempt(connection, clock, job, slot, by_hand=False))
            if runs[-1].outcome is not Outcome.DONE:
                break
    return runs


async def run_now(database: Database, clock: Clock, job: Job, slot: Slot) -> JobRun | None:
    """Run a job for a slot, whether it is due or not; None if another worker is at it."""
    async with job_locked(database, job.number) as connection:
        if connection is None:
            return None
        await _end_left_running(connection, clock, job)
        return await _attempt(connection, clock, job, slot, by_hand=True)


def chosen_slot(job: Job, name: str | None, clock: Clock) -> Slot:
    """The slot of a name, or the one that ended last.

    Raises:
        InvalidParameter: no such slot, or it is not over.
    """
    if name is None:
        return latest_over(job.schedule.cadence, clock.now())
    try:
        slot = named_slot(job.schedule.cadence, name)
    except ValueError as error:
        raise InvalidParameter("slot", str(error)) from None
    if slot.end_at > clock.now():
        raise InvalidParameter("slot", f"must be a {job.schedule.cadence} that is over")
    return slot


def worker_name() -> str:
    """This process among all that may run jobs."""
    return f"{socket.gethostname()}/{os.getpid()}"


async def _needs_worker(database: Database, clock: Clock, job: Job) -> bool:
    """Whether it is worth asking for the lock, which takes a connection of its own."""
    async with database.connection() as connection:
        now = clock.now()
        due = await read_due(connection, job, now)
        if due.slots and due.waits_until(now) is None:
            return True
        return await has_running(connection, job.name)


async def _end_left_running(connection: Connection, clock: Clock, job: Job) -> None:
    for row in await end_left_running(connection, job.name, clock.now()):
        _LOG.warning("job_left_running", job=job.name, slot=row["slot"], attempt=row["attempt"])


async def _next(connection: Connection, clock: Clock, job: Job) -> Slot | None:
    now = clock.now()
    due = await read_due(connection, job, now)
    return due.slots[0] if due.slots and due.waits_until(now) is None else None


async def _attempt(
    connection: Connection, clock: Clock, job: Job, slot: Slot, *, by_hand: bool
) -> JobRun:
    """Run a job for a slot and record how it went. Who is cancelled says that too, if there is time."""
    run = await begin_run(
        connection, job.name, slot.name, worker_name(), clock.now(), by_hand=by_hand
    )
    try:
        with span(f"job {job.name}", {"ledger.slot": slot.name, "ledger.attempt": run.attempt}):
            detail = await job.work(slot)
    except asyncio.CancelledError:
        with suppress(Exception):
            async with asyncio.timeout(PARTING_S):
                await end_run(connection, run, Outcome.INTERRUPTED, clock.now(), {})
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, it is this slot's alone
        ended_at = clock.now()
        _tell_failed(run, error)
        return await end_run(connection, run, Outcome.FAILED, ended_at, told(error))
    done = await end_run(connection, run, Outcome.DONE, clock.now(), detail)
    _LOG.info("job_done", job=run.job, slot=run.slot, attempt=run.attempt)
    return done


def told(error: Exception) -> Detail:
    """What is kept of an error: its type, and our own words where it is ours; others may repeat values."""
    kept: Detail = {"error": type(error).__name__}
    if isinstance(error, LedgerError):
        kept |= {"code": error.code, "detail": error.detail}
    return kept


def _tell_failed(run: JobRun, error: Exception) -> None:
    pause = retry_at(run.attempt, run.started_at) - run.started_at
    _LOG.error(
        "job_failed",
        job=run.job,
        slot=run.slot,
        attempt=run.attempt,
        again_in_min=None if run.by_hand else round(pause.total_seconds() / 60),
        exc_info=error,
    )
