"""Making decisions: each is one transaction with its own batch in a lane, written down as facts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from ledger.clock import Clock
from ledger.core.errors import FieldError, InvalidRecord
from ledger.core.json_values import is_unicode
from ledger.store.database import Connection, Database
from ledger.store.interning import Interned
from ledger.store.log import Batch, Decision, append_batch, enter_fence, raise_epoch, take_lane
from ledger.store.migrations import require_current

MAX_REASON_CHARACTERS = 1000


class DecisionBatch:
    """A transaction that decides something; what is recorded in it becomes the facts of its batch."""

    def __init__(self, connection: Connection, actor: str, decided_at: datetime) -> None:
        self.connection = connection
        self.actor = actor
        self.decided_at = decided_at
        self.interned = Interned()
        self.decisions: list[Decision] = []

    def record(self, kind: str, customer: int, subject: str, body: dict[str, Any]) -> None:
        """Remember a decision; it is appended when the transaction ends."""
        self.decisions.append(Decision(kind, customer, subject, body))


@asynccontextmanager
async def deciding(
    database: Database,
    clock: Clock,
    actor: str,
    *,
    reason: str | None = None,
    fenced: bool = True,
) -> AsyncIterator[DecisionBatch]:
    """Open a transaction for decisions. `fenced`: they change what writers cache, so those are held off.

    Raises:
        InvalidRecord: a reason outside its rule.
        SetupError: the schema is one that this version must not write to.
    """
    check_reason(reason)
    async with database.connection() as connection:
        lane = await take_lane(connection)
        async with connection.transaction():
            epoch = await raise_epoch(connection) if fenced else None
            if not fenced:
                # Its time is taken inside the fence all the same: `as_of` relies on that.
                await enter_fence(connection)
                await require_current(connection)
            decided_at = lane.next_recorded_at(clock.now())
            batch = DecisionBatch(connection, actor, decided_at)
            yield batch
            if batch.decisions:
                appended = Batch(
                    decided_at,
                    decisions=batch.decisions,
                    actor=actor,
                    reason=reason,
                    epoch=epoch,
                )
                await append_batch(connection, lane, appended, batch.interned)


def check_reason(reason: str | None) -> None:
    """Check why somebody decides something, in their own words.

    Raises:
        InvalidRecord: it is empty, too long, or has a NUL character.
    """
    if reason is not None and not (
        1 <= len(reason) <= MAX_REASON_CHARACTERS and "\x00" not in reason and is_unicode(reason)
    ):
        detail = f"must have 1 to {MAX_REASON_CHARACTERS} characters, none NUL"
        raise InvalidRecord([FieldError("reason", "wrong_length", detail)])
