"""The scheduler: looks again and again whether a job is due, and lets the jobs run.

Its ticks decide nothing. What is due follows from the runs that are recorded, so it does not matter how many
processes look, or that none did for a week.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from ledger.bootstrap import Ledger, jobs_of
from ledger.core.errors import DatabaseUnavailable, TooBusy
from ledger.logs import logger
from ledger.metrics.instruments import Metrics
from ledger.metrics.tallies import Count
from ledger.services.jobs.due import Job
from ledger.services.jobs.runner import run_due
from ledger.services.rerating.unrated_job import UnratedWatch

LOOK_EVERY_S = 15
PARTING_S = 5  # how long jobs that are told to stop may take for it

_LOG = logger(__name__)


@asynccontextmanager
async def scheduled_jobs(ledger: Ledger, metrics: Metrics | None = None) -> AsyncIterator["Looks"]:
    """Run the jobs beside the block; on leaving, those at work are stopped, which they record.

    Gives what may stop them sooner.
    """
    runs = (metrics or Metrics()).job_runs
    watch = UnratedWatch(ledger.database, ledger.clock)
    looks = Looks()
    scheduler = AsyncIOScheduler(
        timezone="UTC",
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
    )
    for job in jobs_of(ledger, watch):
        trigger = IntervalTrigger(seconds=LOOK_EVERY_S, timezone="UTC")
        scheduler.add_job(looks.counted, trigger, [partial(look, ledger, job, runs)])
    # Every minute if something was decided since. Every hour anyway, which is a job.
    each_minute = CronTrigger(minute="1-59", timezone="UTC")
    scheduler.add_job(looks.counted, each_minute, [partial(_rate_unrated, watch)])
    scheduler.start()
    try:
        yield looks
    finally:
        # Before the shutdown, which would cancel them a second time, while they record the first.
        await looks.end()
        scheduler.shutdown(wait=False)


class Looks:
    """What the scheduler has begun and has not ended."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_ending = False

    async def counted(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do something, and know of it; nothing once the end has come."""
        if self._is_ending:
            return
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - the scheduler makes one for each
        self._tasks.add(task)
        try:
            await work()
        except asyncio.CancelledError:
            # When it ends that is as it should be; the scheduler would call it an error.
            if not self._is_ending:
                raise
        finally:
            self._tasks.discard(task)

    def stop(self) -> None:
        """Begin nothing more, and stop what was begun."""
        if not self._is_ending:
            self._is_ending = True
            for task in self._tasks:
                task.cancel()

    async def end(self) -> None:
        """Stop everything, and wait until it has."""
        self.stop()
        if self._tasks:
            await asyncio.wait(list(self._tasks), timeout=PARTING_S)


async def look(ledger: Ledger, job: Job, counted: Count) -> None:
    """Do what is due of a job, and count the runs. Whatever comes of it, the scheduler goes on."""
    try:
        for run in await run_due(ledger.database, ledger.clock, job):
            counted.count(run.job, run.outcome)
    except (DatabaseUnavailable, TooBusy) as error:
        # The pulse tells when the database is away; a look that was missed is made up for by the next.
        _LOG.debug("job_look_put_off", job=job.name, why=type(error).__name__)
    except Exception:  # noqa: BLE001 - the row that should tell of it could not be written
        _LOG.exception("job_look_failed", job=job.name)


async def _rate_unrated(watch: UnratedWatch) -> None:
    try:
        run = await watch.look()
    except (DatabaseUnavailable, TooBusy) as error:
        _LOG.debug("rating_unrated_put_off", why=type(error).__name__)
        return
    except Exception:  # noqa: BLE001 - a look that fails must not end the scheduler
        _LOG.exception("rating_unrated_failed")
        return
    if run is not None and run.rated:
        _LOG.info("unrated_rated", requests=run.rated)
