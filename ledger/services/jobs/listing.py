"""Jobs as they are shown: when each ran, how that went, and what comes next."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ledger.clock import Clock
from ledger.core.instants import format_instant
from ledger.core.schedule import next_slot
from ledger.services.jobs.due import Due, Job, read_due
from ledger.store.database import Database
from ledger.store.jobs import JobRun, read_last_run


async def list_jobs(database: Database, clock: Clock, jobs: Sequence[Job]) -> list[dict[str, Any]]:
    """Every job with its last run and what is due of it."""
    async with database.connection() as connection:
        now = clock.now()
        return [
            _body(
                job,
                await read_due(connection, job, now),
                await read_last_run(connection, job.name),
                now,
            )
            for job in jobs
        ]


def run_body(run: JobRun) -> dict[str, Any]:
    """A run as it is shown."""
    return {
        "slot": run.slot,
        "attempt": run.attempt,
        "worker": run.worker,
        "started_at": format_instant(run.started_at),
        "ended_at": None if run.ended_at is None else format_instant(run.ended_at),
        "outcome": run.outcome.value,
        "by_hand": run.by_hand,
        "detail": run.detail,
    }


def _body(job: Job, due: Due, last: JobRun | None, now: datetime) -> dict[str, Any]:
    return {
        "name": job.name,
        "schedule": job.schedule.in_words(),
        "off_because": job.off_because,
        "last_run": None if last is None else run_body(last),
        "slots_due": len(due.slots),
        **_next(job, due, now),
    }


def _next(job: Job, due: Due, now: datetime) -> dict[str, Any]:
    """What comes next and when, the attempts at it so far, and for how many seconds it has been due."""
    if job.off_because is not None:
        return {"next_slot": None, "next_at": None, "attempts": 0, "lag_s": 0}
    slot = due.slots[0] if due.slots else next_slot(job.schedule, due.done_through, now)
    due_at = job.schedule.due_at(slot)
    return {
        "next_slot": slot.name,
        "next_at": format_instant(due.waits_until(now) or due_at),
        "attempts": due.last.attempt if due.last else 0,
        "lag_s": int((now - due_at).total_seconds()) if due.slots else 0,
    }
