"""The jobs of the product: when each is due and what it does."""

from datetime import timedelta
from pathlib import Path

import msgspec

from ledger.clock import Clock
from ledger.core.errors import SetupError
from ledger.core.instants import HOUR, parse_month
from ledger.core.schedule import Cadence, Schedule, Slot
from ledger.exports.folders import pending_folder
from ledger.logs import logger
from ledger.services.condensing import condense
from ledger.services.exporting import export_files
from ledger.services.invoices import run_invoices
from ledger.services.jobs.due import Job
from ledger.services.proof.verification import verify
from ledger.services.rerating.unrated_job import UnratedWatch
from ledger.store.database import Database
from ledger.store.jobs import Detail, count_unmetered
from ledger.store.migrations import FEW_MONTHS, has_months_enough, migrate
from ledger.store.month_indexes import index_months_over

ACTOR = "job"
EXPORTED = ("usage", "invoices")
MOST_EXPORTS = 31

_LOG = logger(__name__)


class JobOptions(msgspec.Struct, frozen=True):
    """What the settings decide about jobs."""

    currency: str
    invoice_grace_hours: int | None
    export_dir: Path | None
    unmetered_hours: int


def all_jobs(
    database: Database, clock: Clock, options: JobOptions, watch: UnratedWatch
) -> tuple[Job, ...]:
    """Every job. A number is the name of a lock, so none is given to another job later."""
    tasks = Tasks(database, clock, options, watch)
    # Documents that go to customers are issued by themselves only where somebody has said so.
    invoices_off: str | None = "LEDGER_INVOICE_GRACE_HOURS is not set"
    if options.invoice_grace_hours is not None:
        invoices_off = None
    grace = timedelta(hours=options.invoice_grace_hours or 0)
    invoice_schedule = Schedule(Cadence.MONTH, grace, catches_up=True)
    export_schedule = Schedule(Cadence.DAY, HOUR, catches_up=True, most_missed=MOST_EXPORTS)
    export_off = None if options.export_dir else "LEDGER_EXPORT_DIR is not set"
    return (
        Job("invoices", 1, invoice_schedule, tasks.invoices, invoices_off),
        Job("export", 2, export_schedule, tasks.export, export_off),
        Job("unmetered", 3, Schedule(Cadence.DAY), tasks.unmetered),
        Job("verify", 4, Schedule(Cadence.DAY, 3 * HOUR), tasks.verify),
        Job("months", 5, Schedule(Cadence.DAY), tasks.months),
        Job("unrated", 6, Schedule(Cadence.HOUR), tasks.unrated),
        Job("condense", 7, Schedule(Cadence.HOUR), tasks.condense),
    )


class Tasks:
    """What the jobs do; each gives a few counts and names to be kept with its run."""

    def __init__(
        self, database: Database, clock: Clock, options: JobOptions, watch: UnratedWatch
    ) -> None:
        self._database = database
        self._clock = clock
        self._options = options
        self._watch = watch

    async def invoices(self, slot: Slot) -> Detail:
        """Issue the invoices of a month."""
        answer = await run_invoices(
            self._database,
            self._clock,
            ACTOR,
            parse_month(slot.name),
            currency=self._options.currency,
        )
        del answer["invoices"]
        return answer

    async def export(self, slot: Slot) -> Detail:
        """Write the files of a day into a folder of that name, whole or not at all."""
        folder = self._options.export_dir
        if folder is None:
            raise SetupError("set LEDGER_EXPORT_DIR to the folder that the files go to")
        try:
            with pending_folder(folder, slot.name) as pending:
                manifest = await export_files(
                    self._database,
                    self._clock,
                    EXPORTED,
                    slot.start_at,
                    slot.end_at,
                    pending,
                    currency=self._options.currency,
                )
        except SetupError as error:
            if isinstance(error.__cause__, OSError):
                raise SetupError(
                    f"cannot write to the folder of LEDGER_EXPORT_DIR: {error.__cause__.strerror}"
                ) from error
            raise
        rows = {file["name"]: file["rows"] for file in manifest["files"]}
        return {"as_of": manifest["as_of"], "rows": rows}

    async def unmetered(self, _: Slot) -> Detail:
        """Tell of requests that were announced or failed, and nothing was heard of for long."""
        hours = self._options.unmetered_hours
        before = self._clock.now() - timedelta(hours=hours)
        async with self._database.connection() as connection:
            counts = {"pending": 0, "error": 0} | await count_unmetered(connection, before)
        if any(counts.values()):
            _LOG.warning(
                "requests_unmetered",
                pending=counts["pending"],
                failed=counts["error"],
                hours=hours,
            )
        return counts

    async def verify(self, _: Slot) -> Detail:
        """Check that every figure follows from the log."""
        result = await verify(self._database, self._clock)
        failed = [check["name"] for check in result["checks"] if not check["ok"]]
        if failed:
            _LOG.error("verification_failed", checks=failed)
        return {"ok": result["ok"], "failed": failed, "as_of": result["as_of"]}

    async def months(self, _: Slot) -> Detail:
        """Make the months that have come into reach, and index those that are over.

        24 stand ahead, so a missed night costs nothing. A login that may not make them fails once they
        become few.
        """
        today = self._clock.now().date()
        await migrate(self._database.url, today)
        async with self._database.connection() as connection:
            if not await has_months_enough(connection, today):
                raise SetupError(FEW_MONTHS)
        return {"indexed": await index_months_over(self._database.url, today)}

    async def unrated(self, _: Slot) -> Detail:
        """Rate what had no price, also what a correction has left so since the last look."""
        run = await self._watch.look_again()
        if run is None:  # another process does the same at this moment
            return {"rated": 0, "is_elsewhere": True}
        return {"rated": run.rated}

    async def condense(self, _: Slot) -> Detail:
        """Sum up the days that are over, and those of them that have moved since."""
        done = await condense(self._database, self._clock)
        if done is None:  # a rebuild does the same at this moment
            return {"anew": 0, "is_elsewhere": True}
        return {"until": done.until.isoformat(), "anew": done.anew}
