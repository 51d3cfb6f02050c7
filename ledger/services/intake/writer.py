"""The writer: one per process. It commits for everybody who waits.

While one batch commits, the records of all waiting requests gather and become the next batch, so the cost
of a durable commit is shared. A caller gets its answer after the commit, never before.

What waits is bounded by records here, and by bytes where bodies are read (`bytes_in_flight`).

    submit ─▶ queue ─▶ gather ─▶ lane ─▶ answer

One lane, because what it writes costs less the more it writes at once: the records of a batch share the rows
of sums that they move. While it waits for the database, the next records are read.

Who lost its lane takes one again as soon as there is a database, not only when the next records come.
"""

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import suppress

from ledger.clock import Clock
from ledger.core.errors import DatabaseUnavailable, LedgerError, TooBusy
from ledger.core.statements import Statement
from ledger.logs import logger
from ledger.metrics.intake import IntakeMetrics
from ledger.randomness import Salts, new_salt
from ledger.services.intake.lane_holder import LaneHolder, Submission
from ledger.services.intake.outcomes import Outcome
from ledger.services.intake.traced import traced_batch
from ledger.store.database import Database
from ledger.traces.spans import here

# What one may have in a batch; the rest is read, waits and is answered while it commits.
MAX_BATCH_RECORDS = 4_000
MAX_WAITING_RECORDS = 100_000
REOPEN_PAUSE_S = 1

_LOG = logger(__name__)


class Writer:
    """Commits what is submitted, in batches."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        salts: Salts = new_salt,
        metrics: IntakeMetrics | None = None,
        *,
        create_customers: bool = True,
    ) -> None:
        self.metrics = metrics or IntakeMetrics()
        self.waiting_records = 0
        self._database = database
        self._waiting: deque[Submission] = deque()
        self._wake = asyncio.Event()
        self._lane = LaneHolder(
            database, clock, salts, self.metrics, self._wake.set, create_customers=create_customers
        )
        self._task: asyncio.Task[None] | None = None
        self._is_closing = False

    @property
    def waiting_submissions(self) -> int:
        """How many callers' records wait for the next batches."""
        return len(self._waiting)

    @property
    def holds_lane(self) -> bool:
        """Whether it could begin a batch at once."""
        is_at_work = self._task is not None and not self._task.done()
        return is_at_work and self._lane.is_alive

    async def start(self) -> None:
        """Connect, take a lane and begin to work.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        await self._lane.open()
        self._task = asyncio.create_task(self._run(), name="ledger-writer")

    async def close(self) -> None:
        """Commit what waits, then give the lane back. Nothing more may be submitted."""
        self._is_closing = True
        self._wake.set()
        if self._task is not None:
            await self._task
        await self._lane.drop()

    async def submit(
        self, statements: Sequence[Statement], *, tells_completion: bool = False
    ) -> list[Outcome]:
        """Hand in records and wait until they are durable; the outcomes come in their order.

        Raises:
            TooBusy: more than 100,000 records wait already.
            DatabaseUnavailable: they may or may not be recorded; sending them again is safe.
        """
        if not statements:
            return []
        if self._is_closing:
            raise _stopped()
        if self.waiting_records + len(statements) > MAX_WAITING_RECORDS:
            raise TooBusy("as many records as may wait are waiting for a commit already")
        answer: asyncio.Future[list[Outcome]] = asyncio.get_running_loop().create_future()
        self._waiting.append(Submission(statements, tells_completion, answer, here()))
        self.waiting_records += len(statements)
        self._wake.set()
        return await answer

    async def _run(self) -> None:
        try:
            while self._waiting or not self._is_closing:
                if self._waiting:
                    await self._serve(self._gather())
                elif self._lane.is_alive:
                    self._wake.clear()
                    await self._wake.wait()
                else:
                    await self._reopen()
        finally:
            # However it ends, nobody waits for it in vain.
            self._is_closing = True
            _fail(self._waiting, _stopped())

    def _gather(self) -> list[Submission]:
        """What waits, up to a batch; a larger submission than a batch goes alone."""
        gathered: list[Submission] = []
        records = 0
        while self._waiting:
            size = len(self._waiting[0].statements)
            if gathered and records + size > MAX_BATCH_RECORDS:
                break
            gathered.append(self._waiting.popleft())
            records += size
        self.waiting_records -= records
        return gathered

    async def _reopen(self) -> None:
        """Take a lane again, or wait a while; less when there are records, whose senders are told why not."""
        self._wake.clear()
        try:
            async with self._database.presence.required():
                await self._lane.open()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is tried again
            if not isinstance(error, LedgerError):
                _LOG.error("lane_not_taken", exc_info=error)
            with suppress(TimeoutError):
                async with asyncio.timeout(REOPEN_PAUSE_S):
                    await self._wake.wait()

    async def _serve(self, submissions: Sequence[Submission]) -> None:
        """Commit submissions together and answer each."""
        try:
            outcomes = await traced_batch(submissions, self._lane.commit)
        except Exception as error:  # noqa: BLE001 - see below
            # Whatever it is, it ends this batch and not the writer; the next one begins on a connection
            # whose state is known.
            if not isinstance(error, LedgerError):
                _LOG.error("batch_failed", exc_info=error)
            self.metrics.failed.count()
            await self._lane.drop()
            _fail(submissions, error)
            return
        except BaseException:
            _fail(submissions, _stopped())
            raise
        position = 0
        for submission in submissions:
            end = position + len(submission.statements)
            if not submission.answer.done():
                submission.answer.set_result(outcomes[position:end])
            position = end


def _fail(submissions: Iterable[Submission], error: Exception) -> None:
    for submission in submissions:
        if not submission.answer.done():  # the caller may have gone away
            submission.answer.set_exception(error)


def _stopped() -> DatabaseUnavailable:
    return DatabaseUnavailable("the writer was stopped; send the records again")
