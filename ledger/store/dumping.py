"""Every table of the ledger as text, and text as rows again."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import date

import asyncpg
import msgspec

from ledger.core.dumps import DumpedHead, DumpedSchema, schema_digest
from ledger.core.errors import SetupError
from ledger.store.audit import read_digests
from ledger.store.database import Connection
from ledger.store.failures import DataRefused
from ledger.store.log import read_cut
from ledger.store.sql_files import query

# Tables that are not dumped, each with the reason. All others are, also those that are yet to come.
LEFT_OUT = {"schema_migration": "the target makes its schema itself and remembers that"}

_NO_ROWS = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,
)
_STEADY = query("dumping", "steady")
_TABLES = query("dumping", "tables")
_MONTHS = query("dumping", "months")
_HISTORY = query("migrations", "history")


class Table(msgspec.Struct, frozen=True):
    """A table: its columns, and the statements that select and count its rows."""

    name: str
    columns: Sequence[str]
    selection: str
    counting: str


async def make_steady(connection: Connection) -> None:
    """Let the transaction write and read values in one form, and take as long as it takes."""
    await connection.execute(_STEADY)


async def read_tables(connection: Connection) -> list[Table]:
    """The tables of the ledger, those that others refer to first."""
    return [Table(**row) for row in await connection.fetch(_TABLES, list(LEFT_OUT))]


async def read_schema(connection: Connection) -> DumpedSchema:
    """What the schema is: its migrations and its months."""
    history = [(row["name"], row["digest"]) for row in await connection.fetch(_HISTORY)]
    months = await connection.fetchrow(_MONTHS)
    if months["first_month"] is None:
        raise SetupError("the ledger has no months yet; run `ledger migrate` first")
    return DumpedSchema(
        migration=max(name for name, _ in history),
        digest=schema_digest(history),
        first_month=months["first_month"].replace("_", "-"),
        last_month=months["last_month"].replace("_", "-"),
    )


async def read_dumped_heads(connection: Connection) -> tuple[DumpedHead, ...]:
    """The head of every lane, those without a digest included."""
    rows = await read_digests(connection, await read_cut(connection))
    return tuple(
        DumpedHead(lane, row["batch"], row["digest"] and row["digest"].hex())
        for lane, row in sorted(rows.items())
    )


async def copy_out(
    connection: Connection, table: Table, output: Callable[[bytes], Awaitable[None]]
) -> int:
    """Write the rows of a table as COPY text, in the order of its key; give their number."""
    status: str = await connection.copy_from_query(table.selection, output=output)
    return int(status.removeprefix("COPY "))


async def copy_in(
    connection: Connection, table: str, columns: Sequence[str], text: AsyncIterator[bytes]
) -> int:
    """Append rows from COPY text; give their number.

    Raises:
        DataRefused: the text does not hold rows of the table, or some that cannot stand beside the others.
    """
    try:
        status: str = await connection.copy_to_table(
            table, schema_name="ledger", columns=columns, source=text
        )
    except _NO_ROWS as error:
        raise DataRefused(type(error).__name__) from error
    return int(status.removeprefix("COPY "))


def months_between(first: date, last: date) -> int:
    """How many months there are from one to another, both included."""
    return (last.year - first.year) * 12 + last.month - first.month + 1
