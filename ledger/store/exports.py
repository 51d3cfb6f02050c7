"""Copying rows out as CSV, and the sums of what was copied."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime

import msgspec

from ledger.store.database import Connection, Database, in_our_words
from ledger.store.sql_files import query

EXPORTS = ("usage", "invoices")
MAX_WAITING_CHUNKS = 16

_ROWS = {name: query("exports", name) for name in EXPORTS}
_SUMS = {name: query("exports", f"{name}_sums") for name in EXPORTS}


class Selection(msgspec.Struct, frozen=True):
    """Which rows: a half-open time, and one customer or all (None)."""

    start_at: datetime
    end_at: datetime
    currency: str
    customer_id: str | None = None

    @property
    def parameters(self) -> tuple[datetime, datetime, str | None, str]:
        """The parameters that every query of an export takes."""
        return self.start_at, self.end_at, self.customer_id, self.currency


async def copy_rows(
    connection: Connection,
    name: str,
    selection: Selection,
    output: Callable[[bytes], Awaitable[None]],
) -> int:
    """Copy the rows of an export as CSV with LF line ends and a header; give their number."""
    status: str = await connection.copy_from_query(
        _ROWS[name].rstrip(";"),
        *selection.parameters,
        output=output,
        format="csv",
        header=True,
    )
    return int(status.removeprefix("COPY "))


async def read_sums(connection: Connection, name: str, selection: Selection) -> dict[str, str]:
    """What the rows of an export add up to, by column, as decimal text."""
    return dict(await connection.fetchrow(_SUMS[name], *selection.parameters))


async def stream_rows(database: Database, name: str, selection: Selection) -> AsyncIterator[bytes]:
    """Give the rows of an export piece by piece, as `copy_rows` writes them.

    One statement sees one state. The server waits when the reader does; a reader that goes away ends the
    copy. The connection is its own, so that slow readers do not keep the pool's from others.
    """
    chunks: asyncio.Queue[bytes | None] = asyncio.Queue(MAX_WAITING_CHUNKS)
    copying = asyncio.create_task(_copy_into(chunks, database, name, selection))
    try:
        while (chunk := await chunks.get()) is not None:
            yield chunk
        await copying
    finally:
        copying.cancel()
        await asyncio.gather(copying, return_exceptions=True)


async def _copy_into(
    chunks: asyncio.Queue[bytes | None], database: Database, name: str, selection: Selection
) -> None:
    async def put(chunk: bytes) -> None:
        await chunks.put(bytes(chunk))

    try:
        connection = await database.connect()
        try:
            async with in_our_words():
                await copy_rows(connection, name, selection, put)
        finally:
            connection.terminate()  # there may be much still to come that nobody reads
            await asyncio.sleep(0)  # its socket closes in the next turn of the loop
    except Exception:
        await chunks.put(None)
        raise
    await chunks.put(None)
