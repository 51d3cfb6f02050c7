"""The scheduler of `ledger serve`."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger

from ledger.bootstrap import Ledger, make_months_ahead
from ledger.services.rerating.unrated_job import UnratedRun, UnratedWatch

_LOG = logging.getLogger(__name__)


@asynccontextmanager
async def scheduled_jobs(ledger: Ledger) -> AsyncIterator[None]:
    """Run the jobs beside the block."""
    scheduler = AsyncIOScheduler(timezone="UTC")
    # 24 months stand ahead, so a night on which this fails costs nothing.
    scheduler.add_job(_make_months, CronTrigger(hour=3, timezone="UTC"), [ledger], coalesce=True)
    watch = UnratedWatch(ledger.database, ledger.clock)
    # What is due comes from the database: every minute if something was decided since, every hour anyway.
    scheduler.add_job(
        _rate_unrated, CronTrigger(minute="1-59", timezone="UTC"), [watch], coalesce=True
    )
    scheduler.add_job(
        _rate_all_unrated, CronTrigger(minute="0", timezone="UTC"), [watch], coalesce=True
    )
    scheduler.start()
    try:
        yield
    finally:
        scheduler.shutdown(wait=False)


async def _make_months(ledger: Ledger) -> None:
    try:
        await make_months_ahead(ledger)
    except Exception:  # noqa: BLE001 - a job that fails must not end the scheduler
        _LOG.exception("making months ahead failed; it is tried again tomorrow")


async def _rate_unrated(watch: UnratedWatch) -> None:
    try:
        _tell(await watch.look())
    except Exception:  # noqa: BLE001 - as above
        _LOG.exception("rating what is unrated failed; it is tried again in a minute")


async def _rate_all_unrated(watch: UnratedWatch) -> None:
    try:
        _tell(await watch.look_again())
    except Exception:  # noqa: BLE001 - as above
        _LOG.exception("rating what is unrated failed; it is tried again in a minute")


def _tell(run: UnratedRun | None) -> None:
    if run is not None and run.rated:
        _LOG.info("rated %d requests that had no price", run.rated)
