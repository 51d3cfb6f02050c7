"""The database keeps facts as they are, whoever asks."""

import asyncpg
import pytest

from ledger.core.reading import read_statement
from ledger.core.statements import Statement
from ledger.services.intake.writer import Writer
from ledger.store.database import OWNER_ROLE, SERVICE_ROLE, Database, owner_connection
from tests.conftest import NOW

FACTS = (
    "usage_event", "ledger_event", "batch", "customer", "dimension", "rate_table", "meter_version",
)  # fmt: skip
RECORD = b'{"request_id": "req_01K7QJT2YSVV0YR2NPK4Z2GRXQ", "customer_id": "acme", "model": "m"}'


async def commit_one(writer: Writer) -> None:
    """One event in the log."""
    statement = read_statement(RECORD, NOW)
    assert isinstance(statement, Statement)
    await writer.submit([statement])


@pytest.mark.parametrize("table", FACTS)
async def test_the_service_may_not_change_facts(
    database: Database, writer: Writer, table: str
) -> None:
    """It has no right to UPDATE, DELETE or TRUNCATE, by the parent's name or a partition's."""
    await commit_one(writer)
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT current_user") == SERVICE_ROLE
        names = [table]
        if table == "usage_event":
            names.append(
                await connection.fetchval("SELECT tableoid::regclass::text FROM usage_event")
            )
        for name in names:
            for statement in (
                f"DELETE FROM {name}",
                f"TRUNCATE {name}",
                f"UPDATE {name} SET ctid = ctid",
            ):
                with pytest.raises(
                    (asyncpg.InsufficientPrivilegeError, asyncpg.FeatureNotSupportedError)
                ):
                    await _in_savepoint(connection, statement)


@pytest.mark.parametrize("table", FACTS)
async def test_triggers_refuse_the_owner(database_url: str, writer: Writer, table: str) -> None:
    """The role that owns the tables is refused as well, on each partition by name."""
    await commit_one(writer)
    async with owner_connection(database_url) as owner:
        await owner.execute(f"SET ROLE {OWNER_ROLE}")
        partitions = await owner.fetch(
            "SELECT relid::regclass::text FROM pg_partition_tree($1::regclass)", table
        )
        for name in [table, *(row["relid"] for row in partitions)]:
            with pytest.raises(asyncpg.RestrictViolationError, match="facts are appended"):
                await _in_savepoint(owner, f"TRUNCATE {name} CASCADE")
        column = await owner.fetchval(
            "SELECT attname FROM pg_attribute WHERE attrelid = $1::regclass AND attnum = 2", table
        )
        if await owner.fetchval(f"SELECT count(*) FROM {table}"):
            for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET {column} = {column}"):
                with pytest.raises(asyncpg.RestrictViolationError, match="facts are appended"):
                    await _in_savepoint(owner, statement)


async def _in_savepoint(connection: asyncpg.Connection, statement: str) -> None:
    async with connection.transaction():
        await connection.execute(statement)
