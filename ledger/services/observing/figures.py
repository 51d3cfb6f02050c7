"""What the database says, for /metrics: read in one short snapshot, the same from every process."""

from collections.abc import Iterator, Sequence

import msgspec
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ledger.clock import Clock
from ledger.metrics.tallies import gauge, gauges, timestamp_s
from ledger.services.jobs.due import Job, read_due
from ledger.services.observing.remembered import Remembered
from ledger.store.database import Database
from ledger.store.jobs import Outcome
from ledger.store.metrics import (
    LastRun,
    Quarantined,
    Verified,
    count_quarantined,
    count_unrated,
    limit_time,
    read_last_runs,
    read_verified,
)

KEEP_S = 5
STATEMENT_S = 1
PATIENCE_S = 3


class Figures(msgspec.Struct, frozen=True):
    """One reading; as it stands here, none. `lag_s`: for how many seconds each job has been due."""

    unrated: int | None = None
    quarantined: Quarantined = Quarantined()
    runs: list[LastRun] = []
    lag_s: dict[str, float] = {}
    verified: Verified = Verified()


NOTHING = Figures()


class DatabaseFigures(Collector):
    """The figures of a database. Whoever shows them has them read first."""

    def __init__(self, database: Database, clock: Clock, jobs: Sequence[Job]) -> None:
        self._database = database
        self._clock = clock
        self._jobs = jobs
        self._remembered = Remembered(self._read, KEEP_S, PATIENCE_S)
        self._shown = NOTHING

    async def refresh(self) -> None:
        """Read them, unless that was done a moment ago or cannot be done."""
        self._shown = await self._remembered.get() or NOTHING

    def collect(self) -> Iterator[Metric]:
        """What was read; no samples where it could not be."""
        yield gauge(
            "ledger_figures_up",
            "Whether the figures of the database were read.",
            self._shown is not NOTHING,
        )
        yield from _of_records(self._shown)
        yield from _of_jobs(self._shown)
        yield from _of_verification(self._shown.verified)

    async def _read(self) -> Figures:
        async with self._database.snapshot() as connection:
            await limit_time(connection, STATEMENT_S)
            now, lag_s = self._clock.now(), {}
            for job in self._jobs:
                slots = (await read_due(connection, job, now)).slots
                due_at = job.schedule.due_at(slots[0]) if slots else now
                lag_s[job.name] = (now - due_at).total_seconds()
            return Figures(
                await count_unrated(connection),
                await count_quarantined(connection),
                await read_last_runs(connection, [job.name for job in self._jobs]),
                lag_s,
                await read_verified(connection),
            )


def _of_records(shown: Figures) -> Iterator[Metric]:
    waiting = shown.quarantined
    yield gauge("ledger_unrated_requests", "Requests without a price now.", shown.unrated)
    yield gauge("ledger_quarantine_records", "Refused records that wait.", waiting.records)
    yield gauge("ledger_quarantine_bytes", "What is kept of them.", waiting.bytes)
    yield gauge(
        "ledger_quarantine_not_kept",
        "Refused records that there was no room for.",
        waiting.not_kept,
    )


def _of_verification(last: Verified) -> Iterator[Metric]:
    yield gauge(
        "ledger_verify_ok",
        "Whether the last verification found every figure as it should be.",
        last.is_ok,
    )
    yield gauge(
        "ledger_verify_timestamp_seconds",
        "When the last verification ended.",
        timestamp_s(last.verified_at),
    )


def _of_jobs(shown: Figures) -> Iterator[Metric]:
    yield gauges(
        "ledger_job_lag_seconds", "For how long a job has been due.", "name", shown.lag_s.items()
    )
    yield gauges(
        "ledger_job_last_success_timestamp_seconds",
        "When a job was done last.",
        "name",
        [(run.job, timestamp_s(run.done_at)) for run in shown.runs],
    )
    last = GaugeMetricFamily(
        "ledger_job_last_run", "1 for how the last run of a job ended.", labels=["name", "outcome"]
    )
    for run in shown.runs:
        for outcome in Outcome if run.outcome else ():
            last.add_metric((run.job, outcome), outcome == run.outcome)
    yield last
