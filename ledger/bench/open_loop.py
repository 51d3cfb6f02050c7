"""A client that does not wait: requests are sent when they are due, and latency counts from then."""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from ledger.bench.connections import ClientConnection, connect
from ledger.bench.load import Prepared, latency_ms
from ledger.bench.serving import Address

LAST_ANSWERS_S = 30  # after that what is not answered counts as that
_LOOK_EVERY_S = 0.001


class Arrivals(msgspec.Struct):
    """What came of requests that arrived at a steady rate.

    `latencies_s` are those of successes, from when each was due to its answer, waiting for a free connection
    included. `unanswered_records` were sent and never answered.
    """

    due: int = 0
    records: int = 0
    elapsed_s: float = 0.0
    cpu_s: float = 0.0
    statuses: Counter[int] = msgspec.field(default_factory=Counter)
    latencies_s: list[float] = []
    unanswered_records: int = 0

    def latency_ms(self, share: float) -> float:
        """The latency that this share of the successes keep under."""
        return latency_ms(self.latencies_s, share)

    @property
    def per_s(self) -> float:
        """Requests answered in a second, whatever the answer."""
        return self.statuses.total() / self.elapsed_s

    @property
    def client_cpu_share(self) -> float:
        """The share of a core that sending took."""
        return round(self.cpu_s / self.elapsed_s, 2)


async def send_at_rate(
    addresses: Sequence[Address],
    requests: Iterable[Prepared],
    *,
    per_s: float,
    seconds: float,
    connections: int,
) -> Arrivals:
    """Send so many requests a second for a time, each as soon as it is due and a connection is free.

    Whatever is answered is counted; nothing is sent again. It ends when all that was due is answered, or
    some time after the last was due.
    """
    loop = _OpenLoop(iter(requests), per_s, seconds)
    try:
        for index in range(connections):
            await loop.connect(addresses[index % len(addresses)])
        await loop.run()
    finally:
        loop.close()
    return loop.arrivals


class _OpenLoop:
    """Requests that are due, and connections that are free."""

    def __init__(self, requests: Iterator[Prepared], per_s: float, seconds: float) -> None:
        self.arrivals = Arrivals()
        self._requests = requests
        self._per_s = per_s
        self._most = round(per_s * seconds)
        self._waiting: deque[tuple[float, Prepared]] = deque()
        self._free: list[ClientConnection] = []
        self._under_way: dict[ClientConnection, tuple[float, int]] = {}
        self._addresses: dict[ClientConnection, Address] = {}
        self._reconnecting: set[asyncio.Task[None]] = set()

    async def connect(self, address: Address) -> None:
        """Have one more connection."""
        connection = await connect(address, self._answered, self._lost)
        self._addresses[connection] = address
        self._free.append(connection)

    def close(self) -> None:
        for task in self._reconnecting:
            task.cancel()
        for connection in self._addresses:
            connection.close()

    async def run(self) -> None:
        """Send what is due until all is answered."""
        cpu_at_s, started_at = time.process_time(), time.perf_counter()
        while self.arrivals.due < self._most:
            self._let_arrive(started_at)
            self._send_waiting()
            await asyncio.sleep(_LOOK_EVERY_S)
        end_at = time.perf_counter() + LAST_ANSWERS_S
        while (self._waiting or self._under_way) and time.perf_counter() < end_at:
            self._send_waiting()
            await asyncio.sleep(_LOOK_EVERY_S)
        self.arrivals.unanswered_records += sum(n for _, n in self._under_way.values())
        self.arrivals.elapsed_s = time.perf_counter() - started_at
        self.arrivals.cpu_s = time.process_time() - cpu_at_s

    def _let_arrive(self, started_at: float) -> None:
        now = time.perf_counter()
        while self.arrivals.due < self._most:
            due_at = started_at + self.arrivals.due / self._per_s
            if due_at > now:
                break
            self._waiting.append((due_at, next(self._requests)))
            self.arrivals.due += 1

    def _send_waiting(self) -> None:
        while self._waiting and self._free:
            connection = self._free.pop()
            due_at, (request, records) = self._waiting.popleft()
            self._under_way[connection] = due_at, records
            connection.send(request)

    def _answered(self, connection: ClientConnection, status: int, _: bytes) -> None:
        due_at, records = self._under_way.pop(connection)
        self.arrivals.statuses[status] += 1
        if status < 300:  # noqa: PLR2004 - the successes
            self.arrivals.latencies_s.append(time.perf_counter() - due_at)
            self.arrivals.records += records
        if connection.stays_open:
            self._free.append(connection)
        else:
            self._replace(connection)
        self._send_waiting()

    def _lost(self, connection: ClientConnection, _: Exception) -> None:
        """A connection that ended by itself: what was under way on it has no answer."""
        if under_way := self._under_way.pop(connection, None):
            self.arrivals.unanswered_records += under_way[1]
        if connection in self._addresses:
            self._replace(connection)

    def _replace(self, connection: ClientConnection) -> None:
        if connection in self._free:
            self._free.remove(connection)
        connection.close()
        task = asyncio.create_task(self.connect(self._addresses.pop(connection)))
        self._reconnecting.add(task)
        task.add_done_callback(self._reconnecting.discard)
