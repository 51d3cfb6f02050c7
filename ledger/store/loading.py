"""A database that a ledger is loaded into: made ready, held against others, and finished."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import date

import asyncpg

from ledger.core.errors import SetupError
from ledger.store.database import OWNER_ROLE, Connection
from ledger.store.dumping import Table, make_steady, months_between, read_tables
from ledger.store.migrations import apply_migrations, first_month, last_month
from ledger.store.sql_files import query

# How many rows a schema has that was just made.
SEEDED: Mapping[str, int] = {"configuration": 1, "customer": 1}
COUNTED_UP_TO = 1000
NAMED_TABLES = 5
_NEW_DATABASE = (
    "load into a new, empty database or LEDGER_DATA_DIR, which needs no `ledger migrate` before"
)

_ENCODING = query("database", "encoding")
_MAY_NOT_BE_OWNER = query("migrations", "may_not_be_owner")
_IS_MADE = query("loading", "is_made")
_HISTORY = query("migrations", "history")
_MAKE_MONTHS = query("migrations", "make_months")
_WAIT_SHORTLY = query("loading", "wait_shortly")
_LOCK_TABLES = query("loading", "lock_tables")
_OTHERS_AT_WORK = query("loading", "others_at_work")
_CLEARING = query("loading", "clearing")
_CONTINUE_NUMBERS = query("loading", "continue_numbers")
_LEARN_STATISTICS = query("loading", "learn_statistics")


async def make_schema(connection: Connection, through: str) -> None:
    """Bring an empty database to a schema, up to and with one migration.

    Raises:
        SetupError: it has a ledger with something in it, or a newer schema, or the login may not make one;
            nothing was changed.
    """
    if await connection.fetchval(_ENCODING) != "UTF8":
        raise SetupError("the database must be made with ENCODING 'UTF8'")
    if await connection.fetchval(_MAY_NOT_BE_OWNER):
        raise SetupError(
            f"this login is no member of {OWNER_ROLE} and may not make a ledger; load with one that is"
        )
    if await connection.fetchval(_IS_MADE):
        await connection.execute(f"SET ROLE {OWNER_ROLE}")
        await _require_empty(connection, await read_tables(connection))
        newest = max((row["name"] for row in await connection.fetch(_HISTORY)), default="")
        if newest > through:
            raise SetupError(f"the target has schema {newest}, the dump {through}; {_NEW_DATABASE}")
        await connection.execute("RESET ROLE")
    await apply_migrations(connection, through)


@asynccontextmanager
async def loading(connection: Connection) -> AsyncIterator[list[Table]]:
    """One transaction in which nobody else is at work and all tables are empty; gives the tables.

    Raises:
        SetupError: somebody is at work on the target, or has recorded something since.
    """
    async with connection.transaction():
        await _hold_off(connection)
        tables = await read_tables(connection)
        await _require_empty(connection, tables)
        await make_steady(connection)
        for table in reversed(tables):
            if table.name in SEEDED:
                await connection.execute(await connection.fetchval(_CLEARING, table.name))
        yield tables
        await connection.execute(_CONTINUE_NUMBERS)


async def make_months(connection: Connection, first: date, last: date, today: date) -> None:
    """Make the months that the dump has and those that a ledger of today has."""
    first, last = min(first, first_month(today)), max(last, last_month(today))
    await connection.execute(_MAKE_MONTHS, first, months_between(first, last))


async def learn_statistics(connection: Connection) -> None:
    """Let the server look at what was loaded."""
    await connection.execute(_LEARN_STATISTICS)


async def _hold_off(connection: Connection) -> None:
    """Keep everybody else away until the transaction ends."""
    await connection.execute(_WAIT_SHORTLY)
    try:
        await connection.execute(_LOCK_TABLES)
    except asyncpg.LockNotAvailableError:
        raise SetupError(_at_work()) from None
    # Who took a lane before the tables were ours holds it still, and believes that the lane is empty.
    if await connection.fetchval(_OTHERS_AT_WORK):
        raise SetupError(_at_work())


def _at_work() -> str:
    return (
        "somebody is at work on the target; stop servers and commands that use it, and load again"
    )


async def _require_empty(connection: Connection, tables: list[Table]) -> None:
    counts = {table.name: await connection.fetchval(table.counting) for table in tables}
    filled = [
        f"{name} {'1000 rows or more' if count == COUNTED_UP_TO else count}"
        for name, count in counts.items()
        if count > SEEDED.get(name, 0)
    ]
    if filled:
        named = ", ".join(filled[:NAMED_TABLES]) + (", ..." if filled[NAMED_TABLES:] else "")
        raise SetupError(f"the target has a ledger with something in it ({named}); {_NEW_DATABASE}")
