"""What a connection may cost: its head, its patience, its number. Only the timings are shrunk.

Sockets are plain, since no client library misbehaves as its peers do.
"""

import asyncio
import gc
import json
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx
import msgspec
import pytest
import uvicorn
import uvloop

from ledger.api.connections import Bounds
from ledger.cli.serve import connections_within_limits, server_config

QUICK = Bounds(head_s=0.3, window_s=0.3, drain_s=0.4, linger_s=0.3)
# For what must go well: a busy machine may keep anybody waiting for a second.
LENIENT = Bounds(window_s=1.5, drain_s=1.5)
PATIENCE_S = 20
BLOCK = b"x" * 65_536


class Application:
    """Counts a body, refuses one unread, answers for ever or until it fails; keeps what it saw."""

    def __init__(self) -> None:
        self.headers: list[Any] = []
        self.ended: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            for _ in range(2):
                kind = (await receive())["type"]
                await send({"type": f"{kind}.complete"})
            return
        ways = {"/refuse": self._refuse, "/endless": self._endless, "/failing": self._failing}
        await ways.get(scope["path"], self._count)(scope, receive, send)

    async def _count(self, scope: Any, receive: Any, send: Any) -> None:
        size, more = 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.ended.append("disconnected")
                return
            size += len(message["body"])
            more = message["more_body"]
        self.headers = scope["headers"]
        await _answer(send, 200, str(size).encode())

    async def _refuse(self, _: Any, __: Any, send: Any) -> None:
        await _answer(send, 401, b"no")

    async def _endless(self, _: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        leaving = asyncio.create_task(self._await_leaving(receive))
        while not leaving.done():
            await send({"type": "http.response.body", "body": BLOCK, "more_body": True})
            await asyncio.sleep(0)
        self.ended.append("endless")

    async def _failing(self, scope: Any, receive: Any, send: Any) -> None:
        await self._endless(scope, receive, send)
        raise ValueError("in the middle of an answer")

    async def _await_leaving(self, receive: Any) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass


async def _answer(send: Any, status: int, body: bytes) -> None:
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class Peer:
    """A client of plain bytes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, data: bytes) -> None:
        """Send; a server that has hung up is no failure here."""
        with suppress(ConnectionError):
            self.writer.write(data)
            await self.writer.drain()

    async def rest(self) -> bytes:
        """All that comes until the server closes."""
        received = b""
        async with asyncio.timeout(PATIENCE_S):
            with suppress(ConnectionError):
                while piece := await self.reader.read(65_536):
                    received += piece
        return received


class Door:
    """A server with small bounds, and what it serves."""

    def __init__(self, port: int, server: uvicorn.Server, application: Application) -> None:
        self.port, self.server, self.application = port, server, application

    @asynccontextmanager
    async def peer(self) -> AsyncIterator[Peer]:
        """A connection to it."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            yield Peer(reader, writer)
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until something is so."""
        async with asyncio.timeout(PATIENCE_S):
            while not condition():  # noqa: ASYNC110 - the server sets no event
                await asyncio.sleep(0.01)

    async def until_left(self) -> None:
        """Wait until no connection is open."""
        await self.until(lambda: not self.server.server_state.connections)


@asynccontextmanager
async def opened(bounds: Bounds = QUICK) -> AsyncIterator[Door]:
    """Serve the application with these bounds, on a loop like the product's, in a thread of its own."""
    application = Application()
    server = uvicorn.Server(server_config(application, bounds))
    with socket.socket(proto=socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        door = Door(listener.getsockname()[1], server, application)
        serving = asyncio.create_task(
            asyncio.to_thread(uvloop.run, server.serve(sockets=[listener]))
        )
        await door.until(lambda: server.started)
        try:
            yield door
        finally:
            server.should_exit = True
            await serving


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    """A server with quick bounds."""
    async with opened() as serving:
        yield serving


def problem_of(answer: bytes) -> dict[str, Any]:
    """The problem document of the only answer, and that it ends the connection."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"application/problem+json" in head
    assert b"connection: close" in head
    document: dict[str, Any] = json.loads(body)
    assert head.startswith(b"HTTP/1.1 %d " % document["status"])
    assert document["error"]["code"] == document["type"].rpartition(":")[2]
    return document


def post(path: str = "/", *headers: str, body: bytes = b"") -> bytes:
    """A request as it goes over the wire."""
    lines = [f"POST {path} HTTP/1.1", "Host: door", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


@pytest.mark.parametrize("is_slow", [False, True], ids=["at once", "in pieces"])
@pytest.mark.parametrize("name", ["url", "value", "many", "endless"])
async def test_a_long_head_is_refused(door: Door, name: str, is_slow: bool) -> None:  # noqa: FBT001
    """A head beyond 32 KiB ends with 431, whichever part of it is long and however it comes."""
    head = {
        "url": post("/" + "u" * 40_000),
        "value": post("/", "X-Long: " + "v" * 40_000),
        "many": post("/", *[f"X-{n}: v" for n in range(6_000)]),
        "endless": b"\r\n" * 40_000,
    }[name]
    async with door.peer() as peer:
        for start in range(0, len(head), 4_096 if is_slow else len(head)):
            await peer.send(head[start : start + 4_096] if is_slow else head)
            await asyncio.sleep(0)

        assert problem_of(await peer.rest())["error"]["code"] == "head_too_large"


async def test_a_head_within_the_bound_is_taken(door: Door) -> None:
    """A head of 30 KiB with a large body in the same breath is a request like any other."""
    request = post("/", "X-Long: " + "v" * 30_000, "Content-Length: 300000", body=b"b" * 300_000)
    async with door.peer() as peer:
        for _ in range(2):  # on one connection
            await peer.send(request)
            await peer.reader.readuntil(b"\r\n\r\n300000")


@pytest.mark.parametrize(
    "begun", [b"", b"POST / HT", post("/", "Content-Length: 9")[:-2], b"\r\n"], ids=repr
)
async def test_a_head_that_does_not_end_is_refused(door: Door, begun: bytes) -> None:
    """Whoever sends nothing, or only the beginning of a head, gets 408 and is gone."""
    async with door.peer() as peer:
        await peer.send(begun)

        assert problem_of(await peer.rest())["detail"] == "the head of the request took too long"
        await door.until_left()


async def test_a_head_in_drops_is_refused(door: Door) -> None:
    """Dripping a byte now and then does not buy time: the head must be whole."""
    async with door.peer() as peer:
        dripping = asyncio.create_task(_drip(peer, post("/", "X-Slow: " + "s" * 500)))
        assert problem_of(await peer.rest())["status"] == 408
        dripping.cancel()


async def test_a_body_in_drops_is_refused(door: Door) -> None:
    """A body that brings less than it must in a window ends with 408; its reader is told so."""
    async with door.peer() as peer:
        await peer.send(post("/", "Content-Length: 1000"))
        dripping = asyncio.create_task(_drip(peer, b"d" * 1000))
        assert problem_of(await peer.rest())["detail"] == "the body came too slowly, or stopped"
        dripping.cancel()
        await door.until(lambda: door.application.ended == ["disconnected"])
        await door.until_left()


async def test_a_slow_body_that_brings_enough_is_taken() -> None:
    """A body may take longer than a window if each brings what it must."""
    async with opened(LENIENT) as door, door.peer() as peer:
        await peer.send(post("/", "Content-Length: 16000"))
        for _ in range(40):
            await peer.send(b"s" * 400)
            await asyncio.sleep(0.1)
        async with asyncio.timeout(PATIENCE_S):
            await peer.reader.readuntil(b"\r\n\r\n16000")


async def _drip(peer: Peer, data: bytes) -> None:
    for byte in data:
        await peer.send(bytes([byte]))
        await asyncio.sleep(0.02)


async def test_one_who_reads_nothing_is_cut() -> None:
    """An answer that nobody takes is given up, and whoever wrote it hears of that."""
    async with opened() as door, door.peer() as peer:
        await peer.send(post("/endless"))
        await peer.reader.readexactly(100)  # it has begun
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]

        await door.until(lambda: door.application.ended == ["endless"])
        await door.until_left()


async def test_one_who_reads_slowly_is_not_cut() -> None:
    """An answer that drains, however slowly, goes on for longer than the bound."""
    async with opened(LENIENT) as door, door.peer() as peer:
        await peer.send(post("/endless"))
        end_at = time.monotonic() + 2.5 * LENIENT.drain_s
        while time.monotonic() < end_at:
            await peer.reader.readexactly(400_000)
            await asyncio.sleep(0.02)

        assert door.application.ended == []


async def test_an_early_answer_ends_a_body_that_nobody_reads(door: Door) -> None:
    """401 before the body is whole says that it closes, is read in full, and swallows for a moment only."""
    async with door.peer() as peer:
        await peer.send(post("/refuse", "Content-Length: 1000000000"))
        sending = asyncio.create_task(_pour(peer))
        answer = await peer.rest()
        assert answer.startswith(b"HTTP/1.1 401 ")
        assert answer.endswith(b"connection: close\r\n\r\nno")
        await door.until_left()
        sending.cancel()


async def test_an_early_answer_to_a_whole_request_keeps_the_connection(door: Door) -> None:
    """A refusal whose body came along does not cost the client its connection."""
    async with door.peer() as peer:
        for _ in range(3):
            await peer.send(post("/refuse", "Content-Length: 4", body=b"body"))
            answer = await peer.reader.readuntil(b"no")
            assert b"connection: close" not in answer


async def _pour(peer: Peer) -> None:
    with suppress(ConnectionError):
        while True:
            peer.writer.write(BLOCK)
            await peer.writer.drain()


CHUNKED = post("/", "Transfer-Encoding: chunked")


@pytest.mark.parametrize(
    "framing",
    [
        b"1;" + b"e" * 400_000,
        b"1;" + b"e" * 30_000 + b"\r\nx\r\n",
        b"1\r\nx\r\n0\r\n" + b"T: v\r\n" * 100_000,
        b"1\r\nx\r\n0\r\nT: " + b"t" * 400_000,
    ],
    ids=["extension", "extensions", "trailers", "trailer"],
)
async def test_framing_without_a_body_is_refused(door: Door, framing: bytes) -> None:
    """Chunk extensions and trailers that do not end are refused, not gathered."""
    async with door.peer() as peer:
        await peer.send(CHUNKED)
        for start in range(0, len(framing) * 20, 50_000):
            position = start % len(framing)
            await peer.send(framing[position : position + 50_000])
        assert problem_of(await peer.rest())["status"] == 400


async def test_small_chunks_and_a_trailer_are_taken(door: Door) -> None:
    """Chunks of a byte each are slow but allowed; a trailer is not mistaken for a header."""
    body = b"1\r\nx\r\n" * 50_000 + b"0\r\nAuthorization: nobody\r\n\r\n"
    async with door.peer() as peer:
        await peer.send(CHUNKED + body)
        async with asyncio.timeout(PATIENCE_S):
            await peer.reader.readuntil(b"\r\n\r\n50000")
    assert [name for name, _ in door.application.headers] == [b"host", b"transfer-encoding"]


async def test_what_is_no_http_is_refused(door: Door) -> None:
    """Other bytes get a problem document too."""
    async with door.peer() as peer:
        await peer.send(b"\x16\x03\x01\x02\x00\x01\x00")
        assert problem_of(await peer.rest())["error"]["code"] == "malformed_request"


async def test_many_requests_in_one_breath(door: Door) -> None:
    """Requests that come before the first is answered are answered in order; a flood of them is cut off."""
    async with door.peer() as peer:
        await peer.send(post("/", "Content-Length: 1", body=b"1") * 20)
        for _ in range(20):
            await peer.reader.readuntil(b"\r\n\r\n1")
    async with door.peer() as peer:
        await peer.send(post("/", "Content-Length: 1", body=b"1") * 2_000)
        assert (await peer.rest()).count(b"HTTP/1.1 200") < 100
        await door.until_left()


async def test_connections_beyond_the_most_are_sent_away() -> None:
    """The third of two gets 503 at once and the others go on; when one leaves there is room again."""
    bounds = msgspec.structs.replace(QUICK, most_connections=2, head_s=60)
    async with opened(bounds) as door, door.peer() as first, door.peer() as second:
        await door.until(lambda: len(door.server.server_state.connections) == 2)
        async with door.peer() as third:
            assert problem_of(await third.rest())["error"]["code"] == "too_many_connections"
        await second.send(post("/", "Content-Length: 1", body=b"1"))
        await second.reader.readuntil(b"\r\n\r\n1")
        first.writer.close()
        await door.until(lambda: len(door.server.server_state.connections) == 1)
        async with httpx.AsyncClient() as client:
            answer = await client.post(f"http://127.0.0.1:{door.port}/", content=b"123")
        assert answer.text == "3"


def test_connections_leave_room_for_our_own_files() -> None:
    """However many are wanted, the process could open a file for each, and some more."""
    most = connections_within_limits(1 << 40)

    assert connections_within_limits(7) == 7
    assert most == connections_within_limits(1 << 50)
    assert connections_within_limits(None) <= most


async def test_an_answer_that_fails_when_its_reader_has_gone_is_no_fault_of_the_connection(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The failure is told; nothing is raised by what ends the connection."""
    async with opened(LENIENT) as door:
        async with door.peer() as peer:
            await peer.send(post("/failing"))
            await peer.reader.read(1)
        await door.until(lambda: door.application.ended == ["endless"])
        await door.until_left()
    gc.collect()  # whatever a task raised and nobody has seen is told now
    assert "in the middle of an answer" in caplog.text

    assert "AttributeError" not in caplog.text
