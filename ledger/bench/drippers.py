"""Clients that misbehave: many connections, each of which sends a byte a second and never comes to an end."""

import asyncio
import itertools
from typing import cast

from ledger.bench.load import prepare_request

_SOURCES = 16  # addresses of this machine to come from, so that ports do not run out
_OPENING_AT_ONCE = 200


class Drippers:
    """Keeps so many connections open, half of them in a head and half in a body.

    A connection that the server ends is counted in `ended` and replaced. `most_open` is the most there were.
    """

    def __init__(self, host: str, port: int, key: str, count: int) -> None:
        self.ended = 0
        self.most_open = 0
        self.open: set[_Dripper] = set()
        self._address = (host, port)
        self._count = count
        self._opening = asyncio.Semaphore(_OPENING_AT_ONCE)
        self._numbers = itertools.count()
        body = prepare_request("/v1/requests", "application/json", key, b"{" + b" " * 60_000)
        self._begun = (b"POST /v1/requests HTTP/1.1\r\n", body[: body.index(b"{")])

    async def drip(self) -> None:
        """Open them, send a byte on each every second, replace those that were ended; until cancelled."""
        try:
            while True:
                missing = self._count - len(self.open)
                await asyncio.gather(*(self._open() for _ in range(missing)))
                self.most_open = max(self.most_open, len(self.open))
                for dripper in list(self.open):
                    dripper.drop()
                await asyncio.sleep(1)
        finally:
            for dripper in list(self.open):
                dripper.transport.abort()

    async def _open(self) -> None:
        number = next(self._numbers)
        begun = self._begun[number % 2]
        async with self._opening:
            await asyncio.get_running_loop().create_connection(
                lambda: _Dripper(self, begun),
                *self._address,
                local_addr=(f"127.0.0.{2 + number % _SOURCES}", 0),
            )


class _Dripper(asyncio.Protocol):
    """One of them. It reads whatever it is told, and goes on."""

    def __init__(self, among: Drippers, begun: bytes) -> None:
        self.transport: asyncio.Transport
        self._among = among
        self._begun = begun

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self._among.open.add(self)
        self.transport.write(self._begun)

    def connection_lost(self, _: Exception | None) -> None:
        self._among.open.discard(self)
        self._among.ended += 1

    def drop(self) -> None:
        self.transport.write(b"x")
