"""A stream's window: the lines gathered, and a few submissions of them on their way at once."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Sequence

import msgspec

from ledger.core.bodies import MAX_STEP_BYTES
from ledger.core.statements import Refusal, Statement
from ledger.services.intake.bytes_in_flight import BytesInFlight, no_room
from ledger.services.intake.outcomes import Counters, Outcome, Report

LINES_PER_SUBMISSION = 5_000
BYTES_PER_SUBMISSION = 4 * 1024 * 1024
SUBMISSIONS_IN_FLIGHT = 3
# What a line costs beside its bytes, once it is a record.
LINE_COST_BYTES = 512
ROOM_TIMEOUT_S = 5

Progress = Callable[[Counters], None]


class Taken(msgspec.Struct, frozen=True):
    """Records as they were read, and what became of each."""

    records: list[Statement | Refusal]
    outcomes: list[Outcome]


Take = Callable[[Sequence[bytes]], Coroutine[None, None, Taken]]


class Window:
    """Submissions commit and are counted in the order of their lines.

    What it holds counts as bytes in flight. When there is hardly room left it has its own committed first,
    and only then waits for others (see `bytes_in_flight`, which says why that ends).
    """

    def __init__(
        self,
        take: Take,
        bytes_in_flight: BytesInFlight,
        counters: Counters,
        progress: Progress | None,
        report: Report | None,
    ) -> None:
        self._take = take
        self._bytes_in_flight = bytes_in_flight
        self._hold = bytes_in_flight.hold()
        self._counters = counters
        self._progress = progress
        self._report = report
        self._lines: list[bytes] = []
        self._bytes = 0
        self._other_bytes = 0
        self._in_flight: deque[tuple[asyncio.Task[Taken], int]] = deque()

    async def make_room(self) -> None:
        """Wait until another step may be decoded.

        Raises:
            TooBusy: there is no room, and nothing of the stream has landed yet or it waited for long.
        """
        while not self._bytes_in_flight.has_room(MAX_STEP_BYTES):
            if self._in_flight:
                await self._settle_oldest()
            elif self._lines:
                await self._send()
            elif not self._counters.read:
                raise no_room()
            else:
                await self._bytes_in_flight.wait_for_room(MAX_STEP_BYTES, ROOM_TIMEOUT_S)

    async def add(self, lines: Sequence[bytes], other_bytes: int) -> None:
        """Take lines in; waits while enough is on its way. `other_bytes` the stream holds beside them."""
        self._other_bytes = other_bytes + sum(map(len, lines))
        self._count()
        for line in lines:
            self._lines.append(line)
            self._bytes += len(line)
            if len(self._lines) >= LINES_PER_SUBMISSION or self._bytes >= BYTES_PER_SUBMISSION:
                await self._send()
        self._other_bytes = other_bytes
        self._count()

    async def close(self) -> None:
        """Send what is left and wait for all of it."""
        if self._lines:
            await self._send()
        while self._in_flight:
            await self._settle_oldest()

    async def abandon(self) -> None:
        """Wait for what is still on its way after a failure, whatever comes of it, and hold nothing more."""
        try:
            await asyncio.gather(*(task for task, _ in self._in_flight), return_exceptions=True)
        finally:
            self._hold.release()

    async def _send(self) -> None:
        if len(self._in_flight) >= SUBMISSIONS_IN_FLIGHT:
            await self._settle_oldest()
        lines, size = self._lines, self._gathered_bytes()
        self._lines, self._bytes = [], 0
        self._in_flight.append((asyncio.create_task(self._take(lines)), size))
        # The task begins to read its lines before the next one, which keeps their order.
        await asyncio.sleep(0)

    async def _settle_oldest(self) -> None:
        taken = await self._in_flight.popleft()[0]
        self._count()
        self._counters.count(taken.records, taken.outcomes, self._report)
        if self._progress is not None:
            self._progress(self._counters)

    def _count(self) -> None:
        on_their_way = sum(size for _, size in self._in_flight)
        self._hold.become(on_their_way + self._gathered_bytes() + self._other_bytes)

    def _gathered_bytes(self) -> int:
        return self._bytes + LINE_COST_BYTES * len(self._lines)
