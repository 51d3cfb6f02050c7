"""A client's connection of little cost: whole requests go out, statuses and bodies come back."""

import asyncio
from collections.abc import Callable
from typing import cast

import httptools

from ledger.bench.serving import Address


class ClientConnection(asyncio.Protocol):
    """One request at a time. Tells of every answer, and of an end that nobody asked for.

    `stays_open` says whether the server takes another request after the last answer.
    """

    def __init__(
        self,
        answered: Callable[["ClientConnection", int, bytes], None],
        lost: Callable[["ClientConnection", Exception], None],
    ) -> None:
        self.stays_open = True
        self._answered = answered
        self._lost = lost
        self._parts: list[bytes] = []
        self._is_closed = False
        self._transport: asyncio.Transport
        self._parser = httptools.HttpResponseParser(self)

    def send(self, request: bytes) -> None:
        """Send a whole request; the last one is answered."""
        self._transport.write(request)

    def close(self) -> None:
        """End it; nothing is told of that."""
        self._is_closed = True
        self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Part of the protocol."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Part of the protocol."""
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        """Part of the parser: some of a body."""
        self._parts.append(body)

    def on_message_complete(self) -> None:
        """Part of the parser: an answer is whole."""
        body = b"".join(self._parts)
        self._parts.clear()
        self.stays_open = self._parser.should_keep_alive()
        self._answered(self, self._parser.get_status_code(), body)

    def connection_lost(self, exc: Exception | None) -> None:
        """Part of the protocol."""
        if not self._is_closed:
            self._lost(self, exc or ConnectionError("the server closed the connection"))


async def connect(
    address: Address,
    answered: Callable[[ClientConnection, int, bytes], None],
    lost: Callable[[ClientConnection, Exception], None],
) -> ClientConnection:
    """A connection that is open."""
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(lambda: ClientConnection(answered, lost), *address)
    return connection
