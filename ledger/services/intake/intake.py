"""Taking records in: raw bytes to outcomes, one list or a whole stream."""

import asyncio
from collections import deque
from collections.abc import AsyncIterable, Callable, Sequence

import msgspec

from ledger.clock import Clock
from ledger.core.bodies import MAX_LINES_BYTES, BodyDecoder, LineCutter
from ledger.core.errors import BodyTooLarge, MalformedBody
from ledger.core.reading import read_statement
from ledger.core.statements import Refusal, Statement
from ledger.services.intake.outcomes import Counters, Outcome, Report, Verdict, rejected
from ledger.services.intake.writer import Writer
from ledger.store.database import Database
from ledger.store.quarantine import keep_refused

LINES_PER_SUBMISSION = 5_000
BYTES_PER_SUBMISSION = 4 * 1024 * 1024
SUBMISSIONS_IN_FLIGHT = 3

Progress = Callable[[Counters], None]


class Taken(msgspec.Struct, frozen=True):
    """Records as they were read, and what became of each."""

    records: list[Statement | Refusal]
    outcomes: list[Outcome]


class Intake:
    """The way in for every record, whichever door it came through."""

    def __init__(self, writer: Writer, database: Database, clock: Clock) -> None:
        self._writer = writer
        self._database = database
        self._clock = clock

    async def take(
        self, raws: Sequence[bytes], sender: str, *, tells_completion: bool = False
    ) -> Taken:
        """Read and record a list of records; give back when all of it is durable.

        What is refused lies in quarantine under its sender then.

        Raises:
            TooBusy: too much waits already.
            DatabaseUnavailable: send them again.
        """
        received_at = self._clock.now()
        records = [read_statement(raw, received_at) for raw in raws]
        statements = [each for each in records if isinstance(each, Statement)]
        committed = iter(await self._writer.submit(statements, tells_completion=tells_completion))
        outcomes = [
            rejected(*each.errors) if isinstance(each, Refusal) else next(committed)
            for each in records
        ]
        await self._quarantine(raws, records, outcomes, sender)
        return Taken(records, outcomes)

    async def take_lines(
        self,
        chunks: AsyncIterable[bytes],
        encoding: str,
        sender: str,
        *,
        most_bytes: int = MAX_LINES_BYTES,
        progress: Progress | None = None,
        report: Report | None = None,
    ) -> Counters:
        """Read and record a stream of lines, a few thousand at a time and in their order.

        Raises:
            MalformedBody, BodyTooLarge: the stream broke off or went on for too long; `progress` of the
                error holds the counters of what landed.
            and whatever `take` raises.
        """
        counters = Counters(problems=[])
        window = _Window(self, sender, counters, progress, report)
        decoder, cutter = BodyDecoder(encoding, most_bytes), LineCutter()
        try:
            async for chunk in chunks:
                for piece in decoder.feed(chunk):
                    await window.add(cutter.feed(piece))
            decoder.finish()
            await window.add(cutter.finish())
            await window.close()
        except (MalformedBody, BodyTooLarge) as error:
            await window.close()
            error.progress = counters
            raise
        finally:
            await window.abandon()
        return counters

    async def _quarantine(
        self,
        raws: Sequence[bytes],
        records: Sequence[Statement | Refusal],
        outcomes: Sequence[Outcome],
        sender: str,
    ) -> None:
        refused = [
            Refusal(
                raw,
                outcome.errors,
                record.request_id,
                record.customer_id,
                conflict=outcome.verdict is Verdict.CONFLICT,
            )
            for raw, record, outcome in zip(raws, records, outcomes, strict=True)
            if outcome.errors
        ]
        if refused:
            async with self._database.connection() as connection:
                await keep_refused(connection, sender, refused, self._clock.now())


class _Window:
    """A few submissions on their way at once; they commit and are counted in their order."""

    def __init__(
        self,
        intake: Intake,
        sender: str,
        counters: Counters,
        progress: Progress | None,
        report: Report | None,
    ) -> None:
        self._intake = intake
        self._sender = sender
        self._counters = counters
        self._progress = progress
        self._report = report
        self._lines: list[bytes] = []
        self._bytes = 0
        self._in_flight: deque[asyncio.Task[Taken]] = deque()

    async def add(self, lines: Sequence[bytes]) -> None:
        """Take lines in; waits while enough is on its way."""
        for line in lines:
            self._lines.append(line)
            self._bytes += len(line)
            if len(self._lines) >= LINES_PER_SUBMISSION or self._bytes >= BYTES_PER_SUBMISSION:
                await self._send()

    async def close(self) -> None:
        """Send what is left and wait for all of it."""
        if self._lines:
            await self._send()
        while self._in_flight:
            await self._settle_oldest()

    async def abandon(self) -> None:
        """Wait for what is still on its way after a failure, whatever comes of it."""
        await asyncio.gather(*self._in_flight, return_exceptions=True)

    async def _send(self) -> None:
        if len(self._in_flight) >= SUBMISSIONS_IN_FLIGHT:
            await self._settle_oldest()
        lines, self._lines, self._bytes = self._lines, [], 0
        self._in_flight.append(asyncio.create_task(self._intake.take(lines, self._sender)))
        await asyncio.sleep(
            0
        )  # the task reads its lines and stands in the queue before the next one

    async def _settle_oldest(self) -> None:
        taken = await self._in_flight.popleft()
        self._counters.count(taken.records, taken.outcomes, self._report)
        if self._progress is not None:
            self._progress(self._counters)
