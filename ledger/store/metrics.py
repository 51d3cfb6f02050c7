"""Figures of the database for /metrics, each read at little cost."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from ledger.store.database import Connection
from ledger.store.sql_files import query

_TIME_LIMIT = query("metrics", "time_limit")
_UNRATED = query("metrics", "unrated")
_QUARANTINE = query("metrics", "quarantine")
_JOBS = query("metrics", "jobs")
_VERIFIED = query("metrics", "verified")


class Quarantined(msgspec.Struct, frozen=True):
    """What waits in quarantine, and how many records there was no room for; None: nobody knows."""

    records: int | None = None
    bytes: int | None = None
    not_kept: int | None = None


class LastRun(msgspec.Struct, frozen=True):
    """How a job ended last, and when it was done last; None: never."""

    job: str
    outcome: str | None
    done_at: datetime | None


class Verified(msgspec.Struct, frozen=True):
    """What the last verification found that a job came to an end with; None: there was none."""

    verified_at: datetime | None = None
    is_ok: bool | None = None


async def limit_time(connection: Connection, most_s: float) -> None:
    """Let no statement of this transaction take longer."""
    await connection.execute(_TIME_LIMIT, str(int(most_s * 1000)))


async def count_unrated(connection: Connection) -> int:
    """How many requests have no price now."""
    requests: int = await connection.fetchval(_UNRATED)
    return requests


async def count_quarantined(connection: Connection) -> Quarantined:
    """What waits in quarantine, of all senders."""
    return Quarantined(**await connection.fetchrow(_QUARANTINE))


async def read_last_runs(connection: Connection, jobs: Sequence[str]) -> list[LastRun]:
    """How some jobs ended last."""
    return [LastRun(**row) for row in await connection.fetch(_JOBS, jobs)]


async def read_verified(connection: Connection) -> Verified:
    """The last verification."""
    row = await connection.fetchrow(_VERIFIED)
    return Verified() if row is None else Verified(**row)
