"""What stands between a connection and its socket, in either direction."""

import asyncio
from collections.abc import Callable

from uvicorn.protocols.http.flow_control import FlowControl


class Flow(FlowControl):
    """Tells when reading goes on: a sender whom we kept waiting has a new window then."""

    def __init__(self, transport: asyncio.Transport, resumed: Callable[[], None]) -> None:
        super().__init__(transport)
        self._resumed = resumed

    def resume_reading(self) -> None:
        """Read on."""
        if self.read_paused:
            self._resumed()
            super().resume_reading()


class Answering:
    """A transport as answers see it: counts what is written, and closes gently."""

    __slots__ = ("_write", "close", "is_closing", "written_bytes")

    def __init__(self, transport: asyncio.Transport, close: Callable[[], None]) -> None:
        self.written_bytes = 0
        self.close = close
        self.is_closing = transport.is_closing
        self._write = transport.write

    def write(self, data: bytes) -> None:
        """Write to the socket, or to what waits for it."""
        self.written_bytes += len(data)
        self._write(data)
