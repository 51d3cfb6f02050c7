"""Several who migrate at once, beside readers and writers; and one that is killed in the middle."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import asyncpg
import pytest

from ledger.clock import FixedClock
from ledger.core.errors import SetupError
from ledger.services.intake.writer import Writer
from ledger.store import giving_way
from ledger.store import migrations as store_migrations
from ledger.store.database import Database, owner_connection
from ledger.store.migrations import Migration, migrate, migrations
from tests.conftest import MONTHS_AHEAD, NOW
from tests.former_ledgers import load_former, program_with
from tests.newer_program import carrying, later_migration
from tests.schema import make_database
from tests.store.rebuild_damage import statements, whole

MIGRATORS = 10
PATIENCE_S = 20
HISTORY = "SELECT name FROM ledger.schema_migration ORDER BY name"
NOTE = "ALTER TABLE usage_event ADD COLUMN note text;"
HAS_NOTE = """
SELECT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'ledger.usage_event'::regclass AND attname = 'note')
"""
# It makes a table and then waits for whoever holds this lock.
HALF_WAY = "CREATE TABLE half_way (); SELECT pg_advisory_xact_lock(99, 0);"
IS_HALF_WAY = """
SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = 99 AND NOT granted)
"""


@pytest.fixture(autouse=True)
def few_months(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_migrations, "MONTHS_AHEAD", MONTHS_AHEAD)


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def long_read(url: str) -> AsyncIterator[int]:
    """A transaction that has read the log and does not end in the block; the number of its process."""
    async with connected(url) as reader, reader.transaction():
        await reader.fetch("SELECT FROM ledger.usage_event")
        yield await reader.fetchval("SELECT pg_backend_pid()")


@contextmanager
def hurried(*pauses_s: float) -> Iterator[None]:
    """Waits of a fifth of a second, with these pauses between them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(giving_way, "_WAIT_SHORTLY", "SET lock_timeout = '200ms'")
        patch.setattr(giving_way, "PAUSES_S", pauses_s)
        yield


async def many_migrate(url: str) -> list[str]:
    """Ten at once; what they applied, all in all."""
    applied = await asyncio.gather(*(migrate(url, NOW.date()) for _ in range(MIGRATORS)))
    return [name for each in applied for name in each]


async def require_history(url: str, *expected: Migration) -> None:
    async with connected(url) as connection:
        names = [row["name"] for row in await connection.fetch(HISTORY)]
    assert names == [each.name for each in expected]


async def test_ten_migrate_an_empty_database(server_url: str) -> None:
    """All end well, and each migration was applied by one of them."""
    url = await make_database(server_url, f"ten_migrate_{os.getpid()}")

    assert await many_migrate(url) == [each.name for each in migrations()]
    await require_history(url, *migrations())


async def test_ten_migrate_a_former_ledger(server_url: str) -> None:
    """The same from half way."""
    url = await make_database(server_url, f"ten_migrate_former_{os.getpid()}")
    await load_former(url, "0012")

    later = [each.name for each in migrations() if each.name > "0013"]
    assert await many_migrate(url) == later
    await require_history(url, *migrations())


async def test_ten_migrate_while_records_come_in(
    writer: Writer, database: Database, clock: FixedClock
) -> None:
    """No batch fails, none is lost, and what was written under two schemas is one ledger."""
    added = later_migration("note", NOTE)
    is_over = asyncio.Event()

    async def stream() -> int:
        sent = 0
        while not is_over.is_set() or sent < 10:
            await writer.submit(statements(range(sent, sent + 1)))
            sent += 1
        return sent

    streaming = asyncio.create_task(stream())
    await asyncio.sleep(0)
    with program_with(*migrations(), added):
        assert await many_migrate(database.url) == [added.name]
        is_over.set()
        sent = await streaming
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM usage_event") == sent
    await whole(database, clock)


async def test_a_migration_gives_way_to_a_long_read(
    writer: Writer, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """It says who is in the way, intake goes on behind it, and it gets there in the end."""
    added = later_migration("note", NOTE)
    with hurried(*[0.1] * 100), program_with(*migrations(), added):
        async with long_read(database.url) as reader:
            migrating = asyncio.create_task(migrate(database.url, NOW.date()))
            async with asyncio.timeout(PATIENCE_S):
                while "migration_put_off" not in caplog.text:  # noqa: ASYNC110 - the log sets no event
                    await asyncio.sleep(0.01)
            for number in range(5):
                await writer.submit(statements(range(number, number + 1)))
            assert not migrating.done()
        assert await asyncio.wait_for(migrating, PATIENCE_S) == [added.name]
    assert f'migration_put_off migration={added.name} holders="process {reader} of ' in caplog.text
    await require_history(database.url, *migrations(), added)


async def test_a_migration_that_gives_up_leaves_nothing(database: Database) -> None:
    """After the last pause it says whom to end; the schema is as it was."""
    added = later_migration("note", NOTE)
    with hurried(0), program_with(*migrations(), added):
        async with long_read(database.url) as reader:
            with pytest.raises(SetupError, match=f"was not applied.*process {reader} of "):
                await asyncio.wait_for(migrate(database.url, NOW.date()), PATIENCE_S)
    async with database.connection() as connection:
        assert not await connection.fetchval(HAS_NOTE)
    await require_history(database.url, *migrations())


async def test_a_killed_migrator_leaves_a_whole_state_and_the_next_goes_on(
    database_url: str,
) -> None:
    """What it had done of a migration is undone with its connection."""
    added = later_migration("half_way", HALF_WAY)
    async with connected(database_url) as holder:
        await holder.execute("SELECT pg_advisory_lock(99, 0)")
        migrator = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.newer_program", "migrate"),
            env={**os.environ, "LEDGER_DATABASE_URL": database_url, **carrying(added)},
            stderr=asyncio.subprocess.DEVNULL,
        )
        async with asyncio.timeout(PATIENCE_S):
            while not await holder.fetchval(IS_HALF_WAY):  # noqa: ASYNC110 - nor does another process
                await asyncio.sleep(0.01)
        migrator.kill()
        await migrator.wait()
        with program_with(*migrations(), added):
            following = asyncio.create_task(migrate(database_url, NOW.date()))
            await asyncio.sleep(0)
            await require_history(database_url, *migrations())
            await holder.execute("SELECT pg_advisory_unlock(99, 0)")
            assert await asyncio.wait_for(following, PATIENCE_S) == [added.name]
    async with owner_connection(database_url) as owner:
        assert await owner.fetch("SELECT FROM half_way") == []
