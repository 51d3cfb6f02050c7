"""The composition root: settings and a clock become an open ledger."""

import os
import secrets
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import msgspec

from ledger.clock import Clock, SystemClock
from ledger.core.errors import SetupError
from ledger.core.schema_versions import SchemaState
from ledger.metrics.intake import IntakeMetrics
from ledger.services.intake.bytes_in_flight import BytesInFlight
from ledger.services.intake.intake import Intake
from ledger.services.intake.writer import Writer
from ledger.services.jobs.due import Job
from ledger.services.jobs.work import JobOptions, all_jobs
from ledger.services.rates import publish_shipped
from ledger.services.rerating.unrated_job import UnratedWatch
from ledger.settings import Settings
from ledger.store.configuration import adopt_currency
from ledger.store.database import Database, owner_connection
from ledger.store.embedded import EmbeddedServerError, embedded_server
from ledger.store.migrations import migrate, read_schema_state, require_current
from ledger.store.sessions import require_sessions

ADMIN_KEY_FILE = "admin.key"


class Ledger(msgspec.Struct, frozen=True):
    """An open ledger: what every command and every endpoint works on."""

    settings: Settings
    clock: Clock
    database: Database
    migrated: tuple[str, ...]  # the migrations that opening it applied
    newer: tuple[str, ...] = ()  # those that this version does not know, and may live with

    @asynccontextmanager
    async def intake(self, metrics: IntakeMetrics | None = None) -> AsyncIterator[Intake]:
        """A writer at work, and the way in to it; on leaving, everything submitted is committed."""
        writer = Writer(
            self.database,
            self.clock,
            metrics=metrics,
            create_customers=self.settings.auto_create_customers,
        )
        await writer.start()
        try:
            room = BytesInFlight(self.settings.max_bytes_in_flight)
            yield Intake(writer, self.database, self.clock, room)
        finally:
            await writer.close()


@asynccontextmanager
async def open_ledger(
    settings: Settings, clock: Clock | None = None, *, migrating: bool = False
) -> AsyncIterator[Ledger]:
    """Open the ledger that the settings name.

    The embedded one is always brought up to date; another database only when `migrating`.

    Raises:
        SetupError, DatabaseUnavailable: with what to do.
    """
    clock = clock or SystemClock()
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(database_address(settings))
        migrating = migrating or settings.database_url is None
        migrated = await migrate(url, clock.now().date()) if migrating else []
        database = Database(url)
        await database.open()
        stack.push_async_callback(database.close)
        async with database.connection() as connection:
            newer = (await require_current(connection)).newer
        await _require_currency(database, settings.currency)
        if migrating:
            await publish_shipped(
                database, clock, currency=settings.currency, rates_dir=settings.rates_dir
            )
        yield Ledger(settings, clock, database, tuple(migrated), newer)


async def schema_state(settings: Settings) -> SchemaState:
    """What the database has against what this version knows; nothing is changed.

    Raises:
        SetupError, DatabaseUnavailable: with what to do.
    """
    async with AsyncExitStack() as stack:
        url = settings.database_url or await _embedded_url(stack, settings.data_dir)
        connection = await stack.enter_async_context(owner_connection(url))
        return await read_schema_state(connection)


@asynccontextmanager
async def database_address(settings: Settings) -> AsyncIterator[str]:
    """The address of the database that the settings name; an embedded server runs for the block.

    Raises:
        SetupError, DatabaseUnavailable: it cannot be used; with what to do.
    """
    if settings.database_url is not None:
        await require_sessions(settings.database_url)
        yield settings.database_url
        return
    async with AsyncExitStack() as stack:
        yield await _embedded_url(stack, settings.data_dir)


def jobs_of(ledger: Ledger, watch: UnratedWatch | None = None) -> tuple[Job, ...]:
    """The jobs of a ledger; with a watch its unrated usage is looked at by that."""
    settings = ledger.settings
    options = JobOptions(
        currency=settings.currency,
        invoice_grace_hours=settings.invoice_grace_hours,
        export_dir=settings.export_dir,
        unmetered_hours=settings.unmetered_hours,
    )
    watch = watch or UnratedWatch(ledger.database, ledger.clock)
    return all_jobs(ledger.database, ledger.clock, options, watch)


def admin_key(settings: Settings) -> tuple[str, Path | None]:
    """The admin key, and the file it lies in unless the environment states it.

    The first call writes a new key to `admin.key` in the data folder, readable by its owner alone.

    Raises:
        SetupError: the file cannot be written or read.
    """
    if settings.admin_key is not None:
        return settings.admin_key, None
    path = settings.data_dir / ADMIN_KEY_FILE
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _write_key(path)
        return _written_key(path), path
    except OSError as error:
        raise SetupError(
            f"{path}: {error.strerror}; set LEDGER_ADMIN_KEY or LEDGER_DATA_DIR"
        ) from None


def _write_key(path: Path) -> None:
    """Write a new key whole and give it its name then: of two processes that do so, one is first."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".admin.key.")  # mode 0600
    with os.fdopen(descriptor, "w") as file:
        file.write(f"lk_{secrets.token_urlsafe(32)}\n")
    with suppress(FileExistsError):
        os.link(name, path)
    Path(name).unlink()


def _written_key(path: Path) -> str:
    key = path.read_text().strip()
    if not key:
        raise SetupError(f"{path} is empty; remove it to have a new key written")
    return key


async def _require_currency(database: Database, wanted: str) -> None:
    """One ledger has one currency; amounts of two could not be told apart afterwards."""
    async with database.connection() as connection:
        currency = await adopt_currency(connection, wanted)
    if currency != wanted:
        raise SetupError(f"this ledger is in {currency}, and LEDGER_CURRENCY says {wanted}")


async def _embedded_url(stack: AsyncExitStack, data_dir: Path) -> str:
    try:
        server = await stack.enter_async_context(embedded_server(data_dir))
    except EmbeddedServerError as error:
        raise SetupError(str(error)) from error
    return server.url()
