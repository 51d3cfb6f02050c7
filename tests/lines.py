"""A line to the database that can fall silent or be cut, as if the server hung or were stopped."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import parse_qs, urlsplit

_PIECE_BYTES = 65_536


class Line:
    """Passes bytes on between its own port and the server."""

    def __init__(self, database_url: str) -> None:
        self._parts = urlsplit(database_url)
        self._options = parse_qs(self._parts.query)
        self._is_heard = asyncio.Event()
        self._is_heard.set()
        self._passing: set[asyncio.Task[None]] = set()
        self._listener: asyncio.Server | None = None
        self._port = 0

    @property
    def url(self) -> str:
        """The same database, over this line."""
        user = self._parts.netloc.rpartition("@")[0] or "postgres"
        return f"postgresql://{user}@127.0.0.1:{self._port}{self._parts.path}?sslmode=disable"

    async def restore(self) -> None:
        """Pass on what comes, and what waited."""
        self._is_heard.set()
        if self._listener is None:
            self._listener = await asyncio.start_server(self._accept, "127.0.0.1", self._port)
            self._port = self._listener.sockets[0].getsockname()[1]

    def silence(self) -> None:
        """Take connections and bytes, and pass nothing on."""
        self._is_heard.clear()

    async def cut(self) -> None:
        """End all connections, take no more."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        for task in self._passing:
            task.cancel()
        await asyncio.gather(*self._passing, return_exceptions=True)

    def cut_connections(self) -> None:
        """End all connections; new ones are welcome."""
        for task in self._passing:
            task.cancel()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._passing.add(task)
        with suppress(OSError, asyncio.CancelledError):
            await self._pass_on(reader, writer)
        self._passing.discard(task)
        writer.transport.abort()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._is_heard.wait()
        if folder := self._options.get("host"):
            port = self._options.get("port", ["5432"])[0]
            far_reader, far_writer = await asyncio.open_unix_connection(
                f"{folder[0]}/.s.PGSQL.{port}"
            )
        else:
            far_reader, far_writer = await asyncio.open_connection(
                self._parts.hostname, self._parts.port or 5432
            )
        try:
            await asyncio.gather(
                self._copy(reader, far_writer, far_reader), self._copy(far_reader, writer, reader)
            )
        finally:
            far_writer.transport.abort()

    async def _copy(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, back: asyncio.StreamReader
    ) -> None:
        while piece := await source.read(_PIECE_BYTES):
            await self._is_heard.wait()
            sink.write(piece)
            await sink.drain()
        sink.close()
        back.feed_eof()


@asynccontextmanager
async def line_to(database_url: str) -> AsyncIterator[Line]:
    """A line that works."""
    line = Line(database_url)
    await line.restore()
    try:
        yield line
    finally:
        line.silence()
        await line.cut()
