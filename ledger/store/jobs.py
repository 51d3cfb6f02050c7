"""Runs of jobs, and the lock that lets one worker at a time run a job."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from ledger.store.database import Connection, Database
from ledger.store.our_words import in_our_words
from ledger.store.sql_files import query

CLOSE_TIMEOUT_S = 2

_TRY_LOCK = query("jobs", "try_lock")
_NOTICE_LOSS = query("jobs", "notice_loss")
_LAST_DUE = query("jobs", "last_due")
_DONE = query("jobs", "done")
_LAST_ATTEMPT = query("jobs", "last_attempt")
_LAST_RUN = query("jobs", "last_run")
_HAS_RUNNING = query("jobs", "has_running")
_BEGIN = query("jobs", "begin")
_END = query("jobs", "end")
_END_LEFT_RUNNING = query("jobs", "end_left_running")
_UNMETERED_BEFORE = query("jobs", "unmetered_before")

Detail = dict[str, Any]


class Outcome(StrEnum):
    """How a run ended, if it did."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


class JobRun(msgspec.Struct, frozen=True):
    """One attempt of a job at a slot."""

    job: str
    slot: str
    attempt: int
    worker: str
    started_at: datetime
    ended_at: datetime | None
    outcome: Outcome
    by_hand: bool
    detail: Detail


@asynccontextmanager
async def job_locked(database: Database, number: int) -> AsyncIterator[Connection | None]:
    """A connection of its own that holds the lock of a job; None if another worker holds it.

    Who records through it cannot do so once the lock is lost: that takes the session with it.
    """
    connection = await database.connect()
    try:
        async with in_our_words():
            await connection.execute(_NOTICE_LOSS)
            is_held = await connection.fetchval(_TRY_LOCK, number)
        yield connection if is_held else None
    finally:
        await _close(connection)


async def read_last_due(connection: Connection, job: str) -> str | None:
    """The last slot that was done because it was due."""
    slot: str | None = await connection.fetchval(_LAST_DUE, job)
    return slot


async def read_done(connection: Connection, job: str, slots: Iterable[str]) -> dict[str, datetime]:
    """When those slots that are done were begun, by name."""
    return dict(await connection.fetch(_DONE, job, list(slots)))


async def read_last_attempt(connection: Connection, job: str, slot: str) -> JobRun | None:
    """The last attempt at a slot."""
    return _job_run(await connection.fetchrow(_LAST_ATTEMPT, job, slot))


async def read_last_run(connection: Connection, job: str) -> JobRun | None:
    """The run of a job that began last."""
    return _job_run(await connection.fetchrow(_LAST_RUN, job))


async def has_running(connection: Connection, job: str) -> bool:
    """Whether a run has not said that it ended; its worker may be dead."""
    return bool(await connection.fetchval(_HAS_RUNNING, job))


async def begin_run(
    connection: Connection, job: str, slot: str, worker: str, started_at: datetime, *, by_hand: bool
) -> JobRun:
    """Record that an attempt begins. The connection holds the lock of the job."""
    async with in_our_words():
        attempt = await connection.fetchval(_BEGIN, job, slot, worker, started_at, by_hand)
    return JobRun(job, slot, attempt, worker, started_at, None, Outcome.RUNNING, by_hand, {})


async def end_run(
    connection: Connection, run: JobRun, outcome: Outcome, ended_at: datetime, detail: Detail
) -> JobRun:
    """Record how it ended."""
    text = msgspec.json.encode(detail).decode()
    async with in_our_words():
        await connection.execute(_END, run.job, run.slot, run.attempt, outcome, ended_at, text)
    return msgspec.structs.replace(run, outcome=outcome, ended_at=ended_at, detail=detail)


async def end_left_running(connection: Connection, job: str, noticed_at: datetime) -> list[Any]:
    """Mark runs that nobody is at any more; gives slot, attempt and worker. Needs the lock of the job."""
    async with in_our_words():
        rows: list[Any] = await connection.fetch(_END_LEFT_RUNNING, job, noticed_at)
    return rows


async def count_unmetered(connection: Connection, before: datetime) -> dict[str, int]:
    """How many requests from before a time are still pending or error, by status."""
    return dict(await connection.fetch(_UNMETERED_BEFORE, before))


def _job_run(row: Any) -> JobRun | None:
    if row is None:
        return None
    known = {
        **row,
        "outcome": Outcome(row["outcome"]),
        "detail": msgspec.json.decode(row["detail"]),
    }
    return JobRun(**known)


async def _close(connection: Connection) -> None:
    """Give the lock back. Never fails: a connection that cannot be closed is cut."""
    try:
        await connection.close(timeout=CLOSE_TIMEOUT_S)
    except Exception:  # noqa: BLE001 - its end is all that matters
        connection.terminate()
