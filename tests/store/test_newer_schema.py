"""A program on a database that a newer one has migrated."""

from pathlib import Path

import pytest

from ledger.bootstrap import open_ledger
from ledger.clock import FixedClock
from ledger.core.errors import SetupError
from ledger.services.intake.outcomes import Verdict
from ledger.services.intake.writer import Writer
from ledger.services.keys import KeyRequest, create_key
from ledger.services.meters import set_meter
from ledger.settings import Settings
from ledger.store.database import Database, owner_connection
from ledger.store.migrations import (
    Migration,
    apply_migrations,
    migrate,
    migrations,
    schema_fault,
)
from tests.conftest import NOW
from tests.former_ledgers import program_with
from tests.newer_program import later_migration
from tests.store.rebuild_damage import statements, whole

HOLIDAYS = (
    "CREATE TABLE holiday (day date PRIMARY KEY); ALTER TABLE usage_event ADD COLUMN note text;"
)
FIRST_STATED = "0016"


async def upgrade(url: str, migration: Migration) -> None:
    """What a newer program does to the database."""
    with program_with(*migrations(), migration):
        async with owner_connection(url) as owner:
            assert await apply_migrations(owner) == [migration.name]


async def verdicts(writer: Writer, *numbers: int) -> list[Verdict]:
    return [
        each.verdict
        for number in numbers
        for each in await writer.submit(statements(range(number, number + 1)))
    ]


def test_every_migration_says_whom_it_works_with() -> None:
    """From the first that could say so: a schema that was there, its own at most."""
    for migration in migrations():
        number = migration.name[:4]
        if number < FIRST_STATED:
            assert migration.works_with is None
        else:
            assert migration.works_with is not None, f"{migration.name}: -- works with: ...."
            assert "0001" <= migration.works_with <= number


async def test_what_they_say_stands_in_the_history(database: Database) -> None:
    """Those from before have the first schema whose programs could read it."""
    async with database.connection() as connection:
        rows = await connection.fetch("SELECT name, works_with FROM schema_migration")

    assert dict(rows) == {each.name: each.works_with or "0015" for each in migrations()}


async def test_a_program_goes_on_after_a_migration_that_works_with_it(
    writer: Writer, database: Database, clock: FixedClock
) -> None:
    """One that runs writes on, one that starts finds its way, and its `migrate` has nothing to do."""
    added = later_migration("holidays", HOLIDAYS)
    assert await verdicts(writer, 1) == [Verdict.ACCEPTED]
    await upgrade(database.url, added)

    assert await verdicts(writer, 1, 2) == [Verdict.DUPLICATE, Verdict.ACCEPTED]
    await set_meter(database, clock, "test", "ten", {"percentage": "10"})
    settings = Settings(database_url=database.url, data_dir=Path())
    async with open_ledger(settings, clock, migrating=True) as ledger:
        assert (ledger.migrated, ledger.newer) == ((), (added.name,))
    await whole(database, clock)


async def test_a_program_stops_at_a_migration_that_does_not(
    writer: Writer, database: Database, clock: FixedClock
) -> None:
    """Whatever it would write is refused, and so is its start; it says who is to be upgraded."""
    assert await verdicts(writer, 1) == [Verdict.ACCEPTED]
    added = later_migration("holidays", HOLIDAYS, breaks=True)
    await upgrade(database.url, added)

    upgrade_this = f"{added.name} does not work with .* upgrade this program"
    for number in (1, 2):
        with pytest.raises(SetupError, match=upgrade_this):
            await verdicts(writer, number)
    with pytest.raises(SetupError, match=upgrade_this):
        await set_meter(database, clock, "test", "ten", {"percentage": "10"})
    with pytest.raises(SetupError, match=upgrade_this):
        await create_key(database, clock, "test", KeyRequest("gateway", ("ingest",)))
    with pytest.raises(SetupError, match=upgrade_this):
        await migrate(database.url, NOW.date())
    async with database.connection() as connection:
        assert added.name in str(await schema_fault(connection))
        assert await connection.fetchval("SELECT count(*) FROM usage_event") == 1
    with program_with(*migrations(), added):
        assert await verdicts(writer, 1, 2) == [Verdict.DUPLICATE, Verdict.ACCEPTED]
