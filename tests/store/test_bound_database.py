"""The second wall: as a bound key reads, the database itself shows one customer's rows and no others."""

import asyncpg
import pytest

from ledger.store.bound import BoundDatabase
from ledger.store.database import BOUND_ROLE, Connection, Database
from tests.store.test_guards import (
    CHANGES,
    READ_BY_ALL,
    READ_BY_ROWS,
    READ_BY_VIEWS,
    about,
    tables,
    unrefused,
)

PRICES = ("rate_table_published", "meter_published")


@pytest.fixture
async def acme(ledger: str, database: Database) -> int:
    """The number of a customer with everything in the ledger."""
    async with database.connection() as connection:
        number: int = await connection.fetchval(
            "SELECT customer FROM customer WHERE customer_id = 'acme'"
        )
    assert ledger
    return number


async def counted(connection: Connection, customer: int | None) -> dict[str, int]:
    """How many rows each table has: of one customer, or as they are seen."""
    rows = {}
    for table in (*READ_BY_ROWS, *READ_BY_VIEWS):
        owned = "" if customer is None else f" WHERE customer = {customer}"
        if table == "ledger_event" and customer is not None:
            owned += f" OR (customer = 0 AND kind IN {PRICES})"
        rows[table] = await connection.fetchval(f"SELECT count(*) FROM {table}{owned}")
    return rows


async def test_only_the_rows_of_the_customer_are_seen(ledger: str, database: Database) -> None:
    """By queries that ask for all of them, whoever the customer is; and each table has rows to be hidden."""
    async with database.connection() as connection:
        everything = await counted(connection, None)
        customers = await connection.fetch("SELECT customer FROM customer WHERE customer <> 0")
        own = {customer: await counted(connection, customer) for (customer,) in customers}
    for customer, rows in own.items():
        async with BoundDatabase(database, customer).connection() as connection:
            assert await connection.fetchval("SELECT current_user") == BOUND_ROLE
            assert await counted(connection, None) == rows
        async with BoundDatabase(database, customer).snapshot() as connection:
            assert await counted(connection, None) == rows
    unused = {"quarantine", "quarantine_sender", "touched_day"}  # nothing was refused, nothing late
    hiding = {
        table
        for table in everything
        if min(each[table] for each in own.values()) < everything[table]
    }
    assert ledger
    assert hiding == everything.keys() - unused


async def test_the_connection_is_as_it_was_afterwards(database: Database, acme: int) -> None:
    """The role, the path and the customer end with the transaction, also where it fails."""
    async with BoundDatabase(database, acme).connection() as connection:
        with pytest.raises(asyncpg.DivisionByZeroError):
            await connection.execute("SELECT 1/0")
    for _ in range(20):
        async with BoundDatabase(database, acme).connection():
            pass
    async with database.connection() as connection:
        states = await connection.fetchrow(
            "SELECT current_user, current_setting('search_path'), current_setting('ledger.customer', true)"
        )
    assert tuple(states) == ("ledger_service", "ledger", "")


async def test_without_a_customer_nothing_is_seen(database: Database, acme: int) -> None:
    """A session that became the role and forgot to say for whom sees no row of anybody's."""
    assert acme
    async with database.connection() as connection, connection.transaction():
        await connection.execute("SET LOCAL search_path = ledger_bound, ledger")
        await connection.execute(f"SET LOCAL ROLE {BOUND_ROLE}")
        rows = await counted(connection, None)
    prices = rows.pop("ledger_event")
    assert prices > 0
    assert set(rows.values()) == {0}


async def test_the_role_changes_nothing_and_reads_no_table_that_is_seen_by_views(
    database: Database, acme: int
) -> None:
    """Whatever a handler would try with it."""
    async with database.connection() as connection:
        found = await tables(connection, *READ_BY_ALL, *READ_BY_ROWS, *READ_BY_VIEWS)
        hidden = [f"TABLE ledger.{table}" for table in (*READ_BY_VIEWS, "touched_period")]
        partitions = [f"TABLE {table['table']}" for table in found if table["parent"]]
        async with connection.transaction():
            await connection.execute(
                "SELECT set_config('ledger.customer', $1, true), set_config('role', $2, true)",
                str(acme), BOUND_ROLE,
            )  # fmt: skip
            statements = [line for table in found for line in about(table, CHANGES)]
            refusal = asyncpg.InsufficientPrivilegeError
            assert await unrefused(connection, [*hidden, *partitions, *statements], refusal) == []
    async with BoundDatabase(database, acme).connection() as connection:
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await connection.execute("CREATE TEMP TABLE own ()")
