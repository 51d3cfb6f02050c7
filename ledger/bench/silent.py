"""Clients that misbehave: they ask for as much as they can, and never read an answer."""

import asyncio
import itertools
import socket
from contextlib import suppress

import httpx
import msgspec

from ledger.bench.load import prepare_request

WORDY = (
    1_000  # records with ten thousand bytes of metadata, so that answers are more than sockets hold
)
_BATCH = 100
_PIPELINED = 20
_LOOK_EVERY_S = 0.2
_SMALL_BYTES = 4096
_ESTABLISHED = 1  # in the kernel's numbers of what a connection is
_NDJSON = "application/x-ndjson"
_EXPORT = "/v1/exports/usage.csv?from=2000-01-01&to=2100-01-01"
_KINDS = 3


class SilentReaders:
    """So many connections, a third each that asks for lists, batch answers and exports, and takes none.

    One that the server ends is counted in `ended` and replaced. `most_open` is the most there were.
    """

    def __init__(self, host: str, port: int, key: str, count: int) -> None:
        self.ended = 0
        self.most_open = 0
        self._address = (host, port)
        self._count = count
        rejects = b"\n".join(b'{"request_id":"%s"}' % (b"r" * 250) for _ in range(500))
        self._requests = (
            _get("/v1/requests?limit=100", key) * _PIPELINED,
            prepare_request("/v1/requests/batch", _NDJSON, key, rejects) * _PIPELINED,
            _get(_EXPORT, key),
        )
        self._open: dict[socket.socket, asyncio.Task[None]] = {}
        self._numbers = itertools.count()

    async def ask(self) -> None:
        """Open them, look which the server has ended, replace those; until cancelled."""
        try:
            while True:
                for each in [each for each in self._open if _is_ended(each)]:
                    self._close(each)
                    self.ended += 1
                while len(self._open) < self._count:
                    await self._ask_once(next(self._numbers) % _KINDS)
                self.most_open = max(self.most_open, len(self._open))
                await asyncio.sleep(_LOOK_EVERY_S)
        finally:
            for each in list(self._open):
                self._close(each)

    async def _ask_once(self, kind: int) -> None:
        loop = asyncio.get_running_loop()
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL_BYTES)
        connection.setblocking(False)
        await loop.sock_connect(connection, self._address)
        sending = asyncio.create_task(_send(connection, self._requests[kind]))
        self._open[connection] = sending

    def _close(self, connection: socket.socket) -> None:
        self._open.pop(connection).cancel()
        connection.close()


async def fill_with_words(http: httpx.AsyncClient, timestamp: str) -> None:
    """Record what makes lists and exports long."""
    for start in range(0, WORDY, _BATCH):
        lines = (_wordy(number, timestamp) for number in range(start, start + _BATCH))
        answer = await http.post(
            "/v1/requests/batch", content=b"\n".join(lines), headers={"Content-Type": _NDJSON}
        )
        answer.raise_for_status()


def _wordy(number: int, timestamp: str) -> bytes:
    return msgspec.json.encode(
        {
            "request_id": f"wordy-{number}",
            "customer_id": "wordy",
            "timestamp": timestamp,
            "metadata": {str(each): "w" * 250 for each in range(40)},
        }
    )


def _get(path: str, key: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: door\r\nAuthorization: Bearer {key}\r\n\r\n".encode()


async def _send(connection: socket.socket, requests: bytes) -> None:
    with suppress(OSError):  # the server may have ended it
        await asyncio.get_running_loop().sock_sendall(connection, requests)


def _is_ended(connection: socket.socket) -> bool:
    """Asked of the kernel: whoever does not read is not told."""
    return connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] != _ESTABLISHED
