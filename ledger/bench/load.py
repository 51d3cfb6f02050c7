"""A client that waits: prepared requests over a few connections, the next one when the last is answered."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from ledger.bench.connections import ClientConnection, connect
from ledger.bench.serving import Address

LAST_ANSWER_TIMEOUT_S = 60
_OK = range(200, 300)

Prepared = tuple[bytes, int]  # a whole request, and how many records it carries


class Sent(msgspec.Struct):
    """What was answered, how long that took, and what it cost the client itself.

    `latencies_s` has one entry a request, `answers` the bodies of the answers to batches, `last_answer` that
    of the last; `elapsed_s` runs from the first byte sent to the last answer.
    """

    records: int = 0
    elapsed_s: float = 0.0
    cpu_s: float = 0.0
    latencies_s: list[float] = []
    answers: list[bytes] = []
    last_answer: bytes = b""

    @property
    def records_per_s(self) -> float:
        """Records answered in a second."""
        return self.records / self.elapsed_s

    @property
    def client_cpu_share(self) -> float:
        """The share of a core that sending took."""
        return round(self.cpu_s / self.elapsed_s, 2)

    def latency_ms(self, share: float) -> float:
        """The latency that this share of the requests keep under."""
        return latency_ms(self.latencies_s, share)

    def counted(self) -> Counter[str]:
        """The counters of the answers to batches, added up."""
        counters: Counter[str] = Counter()
        for answer in self.answers:
            fields = msgspec.json.decode(answer)
            counters.update({name: n for name, n in fields.items() if isinstance(n, int)})
        return counters


class UnexpectedAnswer(Exception):
    """The server answered with another status than success."""


def latency_ms(latencies_s: Sequence[float], share: float) -> float:
    """The latency in milliseconds that this share of some keep under; 0 of none."""
    ordered = sorted(latencies_s)
    if not ordered:
        return 0.0
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000, 2)


def prepare_question(path: str, admin_key: str) -> bytes:
    """A whole GET request as it goes over the wire."""
    return (
        f"GET {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {admin_key}\r\n\r\n".encode()
    )


def prepare_request(path: str, content_type: str, admin_key: str, body: bytes) -> bytes:
    """A whole POST request as it goes over the wire."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {admin_key}\r\n"
        f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def send_all(
    addresses: Sequence[Address],
    requests: Iterable[Prepared],
    *,
    connections: int,
    seconds: float,
) -> Sent:
    """Send requests over so many connections, each waiting for its answer, until all are sent or time is up.

    The connections are spread evenly over the addresses, and end with this.

    Raises:
        UnexpectedAnswer: a request did not succeed.
        TimeoutError: the last answers did not come.
    """
    sent = Sent(latencies_s=[], answers=[])
    waiting = iter(requests)
    senders = [_Sender(waiting, sent) for _ in range(connections)]
    for index, sender in enumerate(senders):
        await sender.connect(addresses[index % len(addresses)])
    cpu_at_s, started_at = time.process_time(), time.perf_counter()
    for sender in senders:
        sender.begin(started_at + seconds)
    try:
        async with asyncio.timeout(seconds + LAST_ANSWER_TIMEOUT_S):
            await asyncio.gather(*(sender.done for sender in senders))
    finally:
        for sender in senders:
            sender.close()
    sent.elapsed_s = time.perf_counter() - started_at
    sent.cpu_s = time.process_time() - cpu_at_s
    return sent


class _Sender:
    """One connection: sends the next request when the last one is answered."""

    def __init__(self, waiting: Iterator[Prepared], sent: Sent) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting = waiting
        self._sent = sent
        self._end_at = 0.0
        self._records = 0
        self._sent_at = 0.0
        self._connection: ClientConnection

    async def connect(self, address: Address) -> None:
        self._connection = await connect(address, self._answered, self._lost)

    def begin(self, end_at: float) -> None:
        """Send the first request; none after `end_at`."""
        self._end_at = end_at
        self._send_next()

    def close(self) -> None:
        self._connection.close()

    def _send_next(self) -> None:
        self._sent_at = time.perf_counter()
        request = next(self._waiting, None) if self._sent_at < self._end_at else None
        if request is None:
            if not self.done.done():
                self.done.set_result(None)
            return
        body, self._records = request
        self._connection.send(body)

    def _answered(self, _: ClientConnection, status: int, body: bytes) -> None:
        if status not in _OK:
            self._fail(UnexpectedAnswer(f"{status}: {body.decode(errors='replace')}"))
            return
        self._sent.latencies_s.append(time.perf_counter() - self._sent_at)
        self._sent.records += self._records
        self._sent.last_answer = body
        if self._records > 1:
            self._sent.answers.append(body)
        self._send_next()

    def _lost(self, _: ClientConnection, error: Exception) -> None:
        self._fail(error)

    def _fail(self, error: Exception) -> None:
        if not self.done.done():
            self.done.set_exception(error)
