"""A place at which batches are committed: a committer where there is one, and how another is got."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from ledger.clock import Clock
from ledger.core.statements import Statement
from ledger.metrics.intake import IntakeMetrics
from ledger.randomness import Salts
from ledger.services.intake.committer import Committer
from ledger.services.intake.outcomes import Outcome
from ledger.store.database import Database


class Submission(msgspec.Struct):
    """Records that wait for a commit. `tells_completion`: the caller wants to know what was pending."""

    statements: Sequence[Statement]
    tells_completion: bool
    answer: asyncio.Future[list[Outcome]]
    sent_in: Any = None  # the span of its request, where spans are recorded


class LaneHolder:
    """Holds a lane from its first batch on, or from when it is told to; takes another for a lost one."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        salts: Salts,
        metrics: IntakeMetrics,
        when_lost: Callable[[], None],
        *,
        create_customers: bool,
    ) -> None:
        self._database = database
        self._clock = clock
        self._salts = salts
        self._metrics = metrics
        self._when_lost = when_lost
        self._create_customers = create_customers
        self._committer: Committer | None = None

    @property
    def is_alive(self) -> bool:
        """Whether it could begin a batch at once."""
        return self._committer is not None and self._committer.is_alive

    async def commit(self, submissions: Sequence[Submission]) -> list[Outcome]:
        """Commit submissions together; the outcomes come in the order of their records.

        Raises:
            DatabaseUnavailable: they may or may not be recorded.
        """
        statements = [each for submission in submissions for each in submission.statements]
        asked = {
            statement.key.bits
            for submission in submissions
            if submission.tells_completion
            for statement in submission.statements
        }
        # Where a connection that is cut leaves the driver waiting, this ends the wait.
        async with self._database.presence.required():
            alive = self._committer if self.is_alive else None
            committer = alive or await self.open()
            return await committer.commit(statements, asked)

    async def open(self) -> Committer:
        """Connect and take a lane.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        await self.drop()  # one whose session has ended
        self._committer = await Committer.open(
            self._database,
            self._clock,
            self._salts,
            self._metrics,
            create_customers=self._create_customers,
        )
        self._committer.when_lost(self._when_lost)
        return self._committer

    async def drop(self) -> None:
        """Give the lane back, if there is one."""
        committer, self._committer = self._committer, None
        if committer is not None:
            await committer.close()
