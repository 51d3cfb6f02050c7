"""Copying rows out as CSV, and the sums of what was copied."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime

import msgspec

from ledger.store.database import Connection, Database
from ledger.store.sql_files import query

EXPORTS = ("usage", "invoices")
PIECE_BYTES = 64 * 1024
MAX_WAITING_PIECES = 16

Output = Callable[[bytes], Awaitable[None]]

_ROWS = {name: query("exports", name) for name in EXPORTS}
_ROOM_TO_SORT = query("exports", "room_to_sort")
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


async def copy_rows(connection: Connection, name: str, selection: Selection, output: Output) -> int:
    """Copy the rows of an export as CSV with LF line ends and a header; give their number.

    They come in pieces of `PIECE_BYTES` and a little more, the last one shorter, cut anywhere.
    """
    pieces = _Pieces(output)
    await connection.execute(_ROOM_TO_SORT)
    status: str = await connection.copy_from_query(
        _ROWS[name].rstrip(";"),
        *selection.parameters,
        output=pieces.take,
        format="csv",
        header=True,
    )
    await pieces.pass_on()
    return int(status.removeprefix("COPY "))


class _Pieces:
    """What the driver gives, a few rows at a time, put together: each piece costs every step on its way."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._parts: list[bytes] = []
        self._waiting_bytes = 0

    async def take(self, part: bytes) -> None:
        """Keep a part, or pass it on with those that wait."""
        self._parts.append(part)
        self._waiting_bytes += len(part)
        if self._waiting_bytes >= PIECE_BYTES:
            await self.pass_on()

    async def pass_on(self) -> None:
        """Give what waits as one piece."""
        piece = b"".join(self._parts)
        self._parts.clear()
        self._waiting_bytes = 0
        if piece:
            await self._output(piece)


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
    chunks: asyncio.Queue[bytes | None] = asyncio.Queue(MAX_WAITING_PIECES)
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
    try:
        async with database.stream(caller) as connection:
            await copy_rows(connection, name, selection, chunks.put)
    except Exception:
        await chunks.put(None)
        raise
    await chunks.put(None)
