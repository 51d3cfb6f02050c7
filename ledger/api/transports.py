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
    """A transport as answers see it: counts what is written, and closes gently.

    What is written first in a turn of the loop is held until the next, or the end of that turn: the head of
    an answer goes to the kernel with its body, in one call.
    """

    __slots__ = ("_held", "_loop", "_transport", "close", "is_closing", "written_bytes")

    def __init__(
        self,
        transport: asyncio.Transport,
        loop: asyncio.AbstractEventLoop,
        close: Callable[[], None],
    ) -> None:
        self.written_bytes = 0
        self.close = close
        self.is_closing = transport.is_closing
        self._transport = transport
        self._loop = loop
        self._held = b""

    def write(self, data: bytes) -> None:
        """Write to the socket, or to what waits for it, in this turn of the loop."""
        self.written_bytes += len(data)
        if self._held:
            held, self._held = self._held, b""
            self._transport.writelines((held, data))
        elif data:
            self._held = data
            self._loop.call_soon(self.flush)

    def flush(self) -> None:
        """Write what is held; nothing where the connection has ended meanwhile."""
        if self._held:
            held, self._held = self._held, b""
            if not self.is_closing():
                self._transport.write(held)
