"""Making decisions: each is one transaction with its own batch in a lane, written down as facts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from ledger.clock import Clock
from ledger.store.database import Connection, Database
from ledger.store.log import Decision, append_batch, raise_epoch, take_lane


class DecisionBatch:
    """A transaction that decides something; what is recorded in it becomes the facts of its batch."""

    def __init__(self, connection: Connection, actor: str, decided_at: datetime) -> None:
        self.connection = connection
        self.actor = actor
        self.decided_at = decided_at
        self.decisions: list[Decision] = []

    def record(self, kind: str, customer: int, subject: str, body: dict[str, Any]) -> None:
        """Remember a decision; it is appended when the transaction ends."""
        self.decisions.append(Decision(kind, customer, subject, body))


@asynccontextmanager
async def deciding(
    database: Database, clock: Clock, actor: str, *, fenced: bool = True
) -> AsyncIterator[DecisionBatch]:
    """Open a transaction for decisions. `fenced`: they change what writers cache, so those are held off."""
    async with database.connection() as connection:
        lane = await take_lane(connection)
        async with connection.transaction():
            if fenced:
                await raise_epoch(connection)
            batch = DecisionBatch(connection, actor, clock.now())
            yield batch
            if batch.decisions:
                await append_batch(
                    connection,
                    lane.lane,
                    lane.last_batch + 1,
                    batch.decided_at,
                    decisions=batch.decisions,
                    actor=actor,
                )
