"""Taking records in: raw bytes to outcomes, one list or a whole stream."""

import asyncio
from collections.abc import AsyncIterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import datetime

from ledger.clock import Clock
from ledger.core.bodies import (
    MAX_FILE_WINDOW_BYTES,
    MAX_LINES_BYTES,
    MAX_WINDOW_BYTES,
    BodyDecoder,
    LineCutter,
)
from ledger.core.errors import BodyTooLarge, DatabaseUnavailable, MalformedBody
from ledger.core.keys import Sender
from ledger.core.reading import read_statement
from ledger.core.statements import Refusal, Statement
from ledger.logs import logger
from ledger.services.intake.bytes_in_flight import BytesInFlight
from ledger.services.intake.outcomes import (
    Counters,
    Outcome,
    Report,
    Verdict,
    are_all_accepted,
    rejected,
)
from ledger.services.intake.window import Progress, Taken, Window
from ledger.services.intake.writer import Writer
from ledger.store.database import Database
from ledger.store.failures import DataRefused, WriteFailure, sorted_failures
from ledger.store.quarantine import BYTES_PER_TURN, RECORD_COST_BYTES, keep_refused

_LOG = logger(__name__)


class Intake:
    """The way in for every record, whichever door it came through."""

    def __init__(
        self,
        writer: Writer,
        database: Database,
        clock: Clock,
        bytes_in_flight: BytesInFlight | None = None,
    ) -> None:
        self.bytes_in_flight = bytes_in_flight or BytesInFlight()
        self.writer = writer
        self._database = database
        self._clock = clock
        self._long_reads = asyncio.Lock()

    async def take(
        self,
        raws: Sequence[bytes],
        sender: Sender,
        *,
        tells_completion: bool = False,
        first_seen_at: Sequence[datetime] | None = None,
        reading: asyncio.Lock | None = None,
    ) -> Taken:
        """Read and record a list of records; give back when all of it is durable.

        What is refused lies in quarantine under its sender then. Records that lie there already are taken
        with `first_seen_at`, when each was seen first; they are not kept once more. Calls with the same
        `reading` are recorded in the order in which they come.

        Raises:
            TooBusy: too much waits already.
            DatabaseUnavailable: send them again.
        """
        # Who leaves it stands in the writer's queue before the next one begins to read.
        async with reading or nullcontext(), self._turn_to_read(raws):
            records = await _read(raws, sender.customer_id, self._clock.now(), first_seen_at)
        statements = [each for each in records if isinstance(each, Statement)]
        outcomes = await self.writer.submit(statements, tells_completion=tells_completion)
        if len(statements) < len(records):
            committed = iter(outcomes)
            outcomes = [
                rejected(*each.errors) if isinstance(each, Refusal) else next(committed)
                for each in records
            ]
        if first_seen_at is None and not are_all_accepted(outcomes):
            await self._quarantine(raws, records, outcomes, sender)
        if refused := len(records) - len(statements):  # the writer counts those that reach it
            self.writer.metrics.records.count(Verdict.REJECTED, by=refused)
        return Taken(records, outcomes)

    async def take_lines(
        self,
        chunks: AsyncIterable[bytes],
        encoding: str,
        sender: Sender,
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
        reading = asyncio.Lock()
        window = Window(
            lambda lines: self.take(lines, sender, reading=reading),
            self.bytes_in_flight,
            counters,
            progress,
            report,
        )
        # A stream without a bound is the operator's own file.
        is_file = most_bytes > MAX_LINES_BYTES
        window_bytes = MAX_FILE_WINDOW_BYTES if is_file else MAX_WINDOW_BYTES
        decoder, cutter = BodyDecoder(encoding, most_bytes, window_bytes), LineCutter()
        try:
            async for chunk in chunks:
                pieces = decoder.feed(chunk)
                while piece := await _next(pieces, window):
                    lines = cutter.feed(piece)
                    await window.add(lines, decoder.held_bytes + cutter.held_bytes)
            decoder.finish()
            await window.add(cutter.finish(), 0)
            await window.close()
        except (MalformedBody, BodyTooLarge) as error:
            await window.close()
            error.progress = counters
            raise
        finally:
            await window.abandon()
        return counters

    def _turn_to_read(self, raws: Sequence[bytes]) -> AbstractAsyncContextManager[None]:
        """Long lists are read one after another, and not all of them a little at a time.

        So the first is on its way to the database while the next is read; and a batch that is about to commit
        waits for the work of one, while it holds rows that other writers want.
        """
        is_long = sum(map(len, raws)) + RECORD_COST_BYTES * len(raws) > BYTES_PER_TURN
        return self._long_reads if is_long else nullcontext()

    async def _quarantine(
        self,
        raws: Sequence[bytes],
        records: Sequence[Statement | Refusal],
        outcomes: Sequence[Outcome],
        sender: Sender,
    ) -> None:
        """Keep what was refused.

        What becomes of each record is decided by now. Without the database nobody is told all the same:
        whoever hears of a refusal may rely on the record being kept, and all of it can be sent again. But a
        record that the database cannot hold must not keep its neighbours waiting for an answer for ever.
        """
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
        if not refused:
            return
        try:
            async with self._database.connection() as connection:
                with sorted_failures():
                    await keep_refused(connection, sender, refused, self._clock.now())
        except DataRefused as failure:
            _LOG.error("refused_not_kept", records=len(refused), why=str(failure))
        except WriteFailure as failure:
            raise DatabaseUnavailable(
                "refused records met other writers; send them again"
            ) from failure


async def _next(pieces: Iterator[bytes], window: Window) -> bytes | None:
    """Decode the next piece when there is room for it; others have their turn between two."""
    await asyncio.sleep(0)
    await window.make_room()  # last, so that nobody else takes it
    return next(pieces, None)


async def _read(
    raws: Sequence[bytes],
    bound_to: str | None,
    now: datetime,
    first_seen_at: Sequence[datetime] | None,
) -> list[Statement | Refusal]:
    """Read records; others have their turn whenever some have been read."""
    records: list[Statement | Refusal] = []
    turn_bytes = 0
    for index, raw in enumerate(raws):
        if turn_bytes >= BYTES_PER_TURN:
            await asyncio.sleep(0)
            turn_bytes = 0
        turn_bytes += len(raw) + RECORD_COST_BYTES
        if first_seen_at is None:
            records.append(read_statement(raw, now, bound_to))
        else:
            records.append(_read_again(raw, bound_to, now, first_seen_at[index]))
    return records


def _read_again(
    raw: bytes, bound_to: str | None, now: datetime, seen_at: datetime
) -> Statement | Refusal:
    """A record that states no time happened when it was seen first.

    One that stated a time too far ahead then is judged by now.
    """
    record = read_statement(raw, seen_at, bound_to)
    return read_statement(raw, now, bound_to) if isinstance(record, Refusal) else record
