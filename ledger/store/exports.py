"""Copying rows out as CSV, and the sums of what was copied."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime

import msgspec

from ledger.store.database import Connection, Database
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


async def stream_rows(
    database: Database, caller: str, name: str, selection: Selection
) -> AsyncIterator[bytes]:
    """Give the rows of an export piece by piece, as `copy_rows` writes them, to a caller.

    One statement sees one state. The server waits when the reader does. The copy ends when the reader closes
    the stream, or when the task ends that began to read: not every reader who goes away closes.

    Raises:
        TooBusy: as many streams as may run at once are running, in all or for this caller.
    """
    chunks: asyncio.Queue[bytes | None] = asyncio.Queue(MAX_WAITING_CHUNKS)
    copying = asyncio.create_task(_copy_into(chunks, database, caller, name, selection))
    copying.add_done_callback(lambda task: task.cancelled() or task.exception())
    reader = asyncio.current_task()
    assert reader is not None  # noqa: S101 - it runs this
    reader.add_done_callback(lambda _: copying.cancel())
    try:
        while (chunk := await chunks.get()) is not None:
            yield chunk
        await copying
    finally:
        copying.cancel()
        while not chunks.empty():
            chunks.get_nowait()  # so that there is room for the end
        await asyncio.gather(copying, return_exceptions=True)


async def _copy_into(
    chunks: asyncio.Queue[bytes | None],
    database: Database,
    caller: str,
    name: str,
    selection: Selection,
) -> None:
    async def put(chunk: bytes) -> None:
        await chunks.put(bytes(chunk))

    try:
        async with database.stream(caller) as connection:
            await copy_rows(connection, name, selection, put)
    except Exception:
        await chunks.put(None)
        raise
    await chunks.put(None)
