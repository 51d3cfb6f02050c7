"""The scheduler of `ledger serve`."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger

from ledger.bootstrap import Ledger, make_months_ahead

_LOG = logging.getLogger(__name__)


@asynccontextmanager
async def scheduled_jobs(ledger: Ledger) -> AsyncIterator[None]:
    """Run the jobs beside the block."""
    scheduler = AsyncIOScheduler(timezone="UTC")
    # 24 months stand ahead, so a night on which this fails costs nothing.
    scheduler.add_job(_make_months, CronTrigger(hour=3, timezone="UTC"), [ledger], coalesce=True)
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
