"""Which tables a dump has: all of them, each in the order of a key, none before what it refers to."""

import asyncpg

from ledger.store.database import Database, owner_connection
from ledger.store.dumping import LEFT_OUT, read_tables
from ledger.store.loading import SEEDED
from ledger.store.migrations import apply_migrations
from tests.moving import table_counts

TABLES = """
SELECT relname FROM pg_class WHERE relnamespace = 'ledger'::regnamespace AND relkind IN ('r', 'p')
    AND NOT relispartition
"""
WITHOUT_KEY = """
SELECT relname FROM pg_class c WHERE relnamespace = 'ledger'::regnamespace AND relkind IN ('r', 'p')
    AND NOT EXISTS (SELECT FROM pg_index WHERE indrelid = c.oid AND indisprimary)
"""
LOOSE_SEQUENCES = """
SELECT relname FROM pg_class c WHERE relnamespace = 'ledger'::regnamespace AND relkind = 'S'
    AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = c.oid AND deptype = 'i')
"""
REFERENCES = """
SELECT conrelid::regclass::text AS referring, confrelid::regclass::text AS referred FROM pg_constraint
WHERE contype = 'f' AND connamespace = 'ledger'::regnamespace
"""


async def ask(url: str, question: str) -> list[asyncpg.Record]:
    """The rows of a question to the catalogue."""
    async with owner_connection(url) as connection:
        rows: list[asyncpg.Record] = await connection.fetch(question)
        return rows


async def test_every_table_is_dumped_or_left_out_with_a_reason(database: Database) -> None:
    """Also those that later migrations make: the catalogue says which there are."""
    async with database.connection() as connection:
        dumped = [table.name for table in await read_tables(connection)]

    there = {row["relname"] for row in await ask(database.url, TABLES)}
    assert set(dumped) | LEFT_OUT.keys() == there
    assert not set(dumped) & LEFT_OUT.keys()
    assert len(set(dumped)) == len(dumped)
    assert all(LEFT_OUT.values())


async def test_every_table_has_an_order(database: Database) -> None:
    """A key to go by; else two dumps of one ledger would differ."""
    assert await ask(database.url, WITHOUT_KEY) == []


async def test_whatever_numbers_itself_is_an_identity(database: Database) -> None:
    """`load` lets identities go on after the highest number; a sequence by itself it would not find."""
    assert await ask(database.url, LOOSE_SEQUENCES) == []


async def test_what_is_referred_to_comes_first(database: Database) -> None:
    """A row that refers to another is loaded after it."""
    async with database.connection() as connection:
        order = [table.name for table in await read_tables(connection)]

    references = await ask(database.url, REFERENCES)
    assert references
    for row in references:
        assert order.index(row["referred"]) < order.index(row["referring"])


async def test_the_rows_of_a_new_schema_are_known(empty_url: str) -> None:
    """What migrations themselves put into tables is not taken for somebody's ledger."""
    async with owner_connection(empty_url) as connection:
        await apply_migrations(connection)
    assert await table_counts(empty_url) == dict(SEEDED)
