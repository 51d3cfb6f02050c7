"""A client of little cost: prepared requests over a few connections that are kept open."""

import asyncio
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import cast

import httptools
import msgspec

LAST_ANSWER_TIMEOUT_S = 60
_OK = range(200, 300)

Prepared = tuple[bytes, int]  # a whole request, and how many records it carries


class Sent(msgspec.Struct):
    """What was answered, how long that took, and what it cost the client itself.

    `latencies_s` has one entry a request; `elapsed_s` runs from the first byte sent to the last answer.
    """

    records: int = 0
    elapsed_s: float = 0.0
    cpu_s: float = 0.0
    latencies_s: list[float] = []

    @property
    def records_per_s(self) -> float:
        """Records answered in a second."""
        return self.records / self.elapsed_s

    def latency_ms(self, share: float) -> float:
        """The latency that this share of the requests keep under."""
        ordered = sorted(self.latencies_s)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000


class UnexpectedAnswer(Exception):
    """The server answered with another status than success."""


def prepare_request(path: str, content_type: str, admin_key: str, body: bytes) -> bytes:
    """A whole POST request as it goes over the wire."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {admin_key}\r\n"
        f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def as_body(lines: Sequence[bytes], form: str) -> bytes:
    """Records as one body: the record itself, a JSON array, or NDJSON."""
    match form:
        case "record":
            return lines[0]
        case "json":
            return b"[" + b",".join(lines) + b"]"
        case _:
            return b"\n".join(lines) + b"\n"


async def send_all(
    host: str, port: int, requests: Iterable[Prepared], *, connections: int, seconds: float
) -> Sent:
    """Send requests over so many connections, each waiting for its answer, until all are sent or time is up.

    Raises:
        UnexpectedAnswer: a request did not succeed.
        TimeoutError: the last answers did not come.
    """
    loop = asyncio.get_running_loop()
    sent = Sent(latencies_s=[])
    waiting = iter(requests)
    cpu_at, started_at = time.process_time(), time.perf_counter()
    senders = [
        _Sender(waiting, sent, started_at + seconds, loop.create_future())
        for _ in range(connections)
    ]
    for sender in senders:
        await loop.create_connection(lambda sender=sender: sender, host, port)  # type: ignore[misc]
    async with asyncio.timeout(seconds + LAST_ANSWER_TIMEOUT_S):
        await asyncio.gather(*(sender.done for sender in senders))
    sent.elapsed_s = time.perf_counter() - started_at
    sent.cpu_s = time.process_time() - cpu_at
    return sent


class _Sender(asyncio.Protocol):
    """One connection: sends the next request when the last one is answered."""

    def __init__(
        self, waiting: Iterator[Prepared], sent: Sent, end_at: float, done: asyncio.Future[None]
    ) -> None:
        self.done = done
        self._waiting = waiting
        self._sent = sent
        self._end_at = end_at
        self._records = 0
        self._sent_at = 0.0
        self._body = b""
        self._transport: asyncio.Transport
        self._parser = httptools.HttpResponseParser(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._send_next()

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self._body = body

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        if status not in _OK:
            self._fail(UnexpectedAnswer(f"{status}: {self._body.decode(errors='replace')}"))
            return
        self._sent.latencies_s.append(time.perf_counter() - self._sent_at)
        self._sent.records += self._records
        self._send_next()

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(exc or ConnectionError("the server closed the connection"))

    def _send_next(self) -> None:
        self._sent_at = time.perf_counter()
        request = next(self._waiting, None) if self._sent_at < self._end_at else None
        if request is None:
            if not self.done.done():
                self.done.set_result(None)
            self._transport.close()
            return
        body, self._records = request
        self._transport.write(body)

    def _fail(self, error: Exception) -> None:
        if not self.done.done():
            self.done.set_exception(error)
            self._transport.close()
