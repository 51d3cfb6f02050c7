"""The readable schema and the migrations describe one database."""

import os
from datetime import UTC, datetime

import asyncpg
import pytest

from ledger.core.errors import SetupError
from ledger.core.request_ids import request_key, time_of
from ledger.store.database import owner_connection
from ledger.store.migrations import MONTHS_AHEAD, migrate, migrations, require_current
from tests.conftest import MONTHS_BACK, NOW
from tests.schema import SCHEMA_FILE, dump_schema, make_database, migrated_schema


async def test_schema_file_is_what_the_migrations_make(server_url: str) -> None:
    """`scripts/dump-schema` has been run since the last migration was written."""
    url = await make_database(server_url, f"schema_by_migrations_{os.getpid()}")

    assert await migrated_schema(url) == SCHEMA_FILE.read_text()


async def test_schema_file_makes_the_same_database(server_url: str) -> None:
    """The file is no picture only: running it gives the schema that it shows."""
    url = await make_database(server_url, f"schema_by_file_{os.getpid()}")
    connection = await asyncpg.connect(url)
    await connection.execute(SCHEMA_FILE.read_text())
    await connection.close()

    assert dump_schema(url) == SCHEMA_FILE.read_text()


async def test_migrating_again_changes_nothing(all_months: str) -> None:
    """A migrated database has nothing to apply and no month to make."""
    assert await migrate(all_months, NOW.date()) == []


async def test_a_database_of_another_version_is_not_written_to(database_url: str) -> None:
    """A newer one is refused, and so is one that lacks a migration."""
    async with owner_connection(database_url) as owner:
        await require_current(owner)
        await owner.execute(
            "INSERT INTO schema_migration VALUES ('9999_future', '', now(), '9999')"
        )
        with pytest.raises(SetupError, match="newer than this version"):
            await require_current(owner)
        await owner.execute(
            "DELETE FROM schema_migration WHERE name IN ('9999_future', '0007_grants')"
        )
        with pytest.raises(SetupError, match="lacks 0007_grants; run `ledger migrate`"):
            await require_current(owner)


async def test_every_migration_is_numbered_in_order() -> None:
    """0001, 0002, ...: no gap, no number used twice."""
    numbers = [migration.name[:4] for migration in migrations()]

    assert numbers == [f"{number:04}" for number in range(1, len(numbers) + 1)]


async def test_months_stand_ahead_and_an_id_in_a_far_month_moves_into_its_month(
    all_months: str,
) -> None:
    """A row that waited in `future` lies in its month once that is made, and nothing is lost."""
    key = request_key("req_01PBXG9H00248H248H248H248H")  # made in March 2029
    assert time_of(key) == datetime(2029, 3, 15, tzinfo=UTC)
    later = NOW.date().replace(year=2028)
    async with owner_connection(all_months) as owner:
        months = await _months(owner)
        assert len(months) == MONTHS_BACK + 1 + MONTHS_AHEAD
        await _insert_event(owner, key.bits)
        assert await _place(owner) == "usage_event_future"

    await migrate(all_months, later)

    async with owner_connection(all_months) as owner:
        assert await _place(owner) == "usage_event_2029_03"
        assert await owner.fetchval("SELECT count(*) FROM usage_event") == 1


async def _months(owner: asyncpg.Connection) -> list[str]:
    rows = await owner.fetch(
        "SELECT relname FROM pg_class WHERE relname ~ '^usage_event_\\d{4}_\\d{2}$' AND relkind = 'r'"
    )
    return [row["relname"] for row in rows]


async def _place(owner: asyncpg.Connection) -> str:
    place: str = await owner.fetchval("SELECT tableoid::regclass::text FROM usage_event")
    return place


async def _insert_event(owner: asyncpg.Connection, bits: bytes) -> None:
    await owner.execute(
        "INSERT INTO usage_event (request_id, occurred_at, uncached_input_tokens, cached_input_tokens, "
        "output_tokens, batch, lane, customer, dimension, stated, kind, revision, requests, unrated) "
        "VALUES (encode($1, 'hex')::uuid, now(), 1, 0, 0, 1, 1, 0, 1, 0, 'usage', 1, 1, 1)",
        bits,
    )
