"""Lanes, batches, decisions and the fence: the order that facts are appended in.

A lane is one writer's ordered part of the log. It is held by a session lock on the writer's connection,
and its batches commit in order. A cut is the last batch of every lane.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import msgspec

from ledger.core.cuts import Cut
from ledger.core.digests import BatchDocument, DecisionRow, batch_digest, canonical_body, spelled
from ledger.core.errors import DatabaseUnavailable
from ledger.core.rows import UsageEvent
from ledger.store.database import Connection
from ledger.store.interning import Interned
from ledger.store.migrations import require_current
from ledger.store.sql_files import query

MAX_LANES = 1000

_TRY_LANE = query("log", "try_lane")
_LAST_BATCH = query("log", "last_batch")
_APPEND_BATCH = query("log", "append_batch")
_APPEND_DECISIONS = query("log", "append_decisions")
_ENTER_FENCE = query("log", "enter_fence")
_HOLD_FENCE = query("log", "hold_fence")
_RELEASE_FENCE = query("log", "release_fence")
_RAISE_EPOCH = query("log", "raise_epoch")
_CUT = query("log", "cut")


class Lane(msgspec.Struct, frozen=True):
    """A held lane and the last batch that was committed in it: its number, digest and time."""

    lane: int
    last_batch: int = 0
    last_digest: bytes | None = None
    last_recorded_at: datetime | None = None

    @property
    def next_batch(self) -> int:
        """The number of the batch that comes next."""
        return self.last_batch + 1

    def next_recorded_at(self, now: datetime) -> datetime:
        """When the next batch is recorded: now, or with the last one if the clock went back since."""
        return now if self.last_recorded_at is None else max(now, self.last_recorded_at)


class Decision(msgspec.Struct, frozen=True):
    """One decision to append: what kind, about whom (0: the ledger itself) and what, with its content.

    The content is a JSON object, or `msgspec.Raw`: its text with the keys sorted, where that is at hand.
    """

    kind: str
    customer: int
    subject: str
    body: Any


class Batch(msgspec.Struct, frozen=True):
    """What is appended to a lane at once: events in the order of keys, and the lines made of them.

    `reason` is why somebody decided so; the ledger's own decisions follow from a rule and have none.
    `epoch` is the one that they begin, if they change the configuration.
    """

    recorded_at: datetime
    events: Sequence[UsageEvent] = ()
    lines: bytes = b""
    decisions: Sequence[Decision] = ()
    actor: str = "intake"
    reason: str | None = None
    epoch: int | None = None


async def take_lane(connection: Connection) -> Lane:
    """Take the first free lane for as long as the connection's session lives.

    Raises:
        DatabaseUnavailable: a thousand writers are at work.
    """
    for lane in range(1, MAX_LANES + 1):
        if await connection.fetchval(_TRY_LANE, lane):
            last = await connection.fetchrow(_LAST_BATCH, lane)
            if last is None:
                return Lane(lane)
            return Lane(lane, last["batch"], last["digest"], last["recorded_at"])
    raise DatabaseUnavailable(f"all {MAX_LANES} lanes are taken")


async def append_batch(
    connection: Connection, lane: Lane, batch: Batch, interned: Interned
) -> Lane:
    """Append the decisions of a batch and its row with the digest over all of it, last in the transaction.

    Gives the lane as it stands once the transaction has committed.
    """
    decisions = [
        DecisionRow(
            decision.customer,
            ordinal,
            decision.kind,
            decision.subject,
            batch.actor,
            batch.reason,
            batch.epoch,
            canonical_body(decision.body) if isinstance(decision.body, dict) else decision.body,
        )
        for ordinal, decision in enumerate(batch.decisions, 1)
    ]
    if decisions:
        await _append_decisions(connection, lane, decisions)
    digest = batch_digest(
        lane.last_digest, await _document(connection, lane, batch, decisions, interned)
    )
    await connection.execute(
        _APPEND_BATCH,
        lane.lane,
        lane.next_batch,
        batch.recorded_at,
        len(batch.events),
        len(decisions),
        digest,
    )
    return Lane(lane.lane, lane.next_batch, digest, batch.recorded_at)


async def enter_fence(connection: Connection) -> int:
    """Hold off changes of the configuration until the transaction ends; give the epoch in force."""
    epoch: int = await connection.fetchval(_ENTER_FENCE)
    return epoch


@asynccontextmanager
async def fence_held(connection: Connection) -> AsyncIterator[None]:
    """Hold off changes of the configuration over several transactions, so that none moves between them.

    Whoever raises epochs without end cannot keep one out: the lock is given in the order of asking.
    """
    await connection.execute(_HOLD_FENCE)
    try:
        yield
    finally:
        if not connection.is_closed():
            await connection.execute(_RELEASE_FENCE)


async def raise_epoch(connection: Connection) -> int:
    """Begin a change of what writers cache: none of them is inside the fence until the transaction ends.

    Raises:
        SetupError: the schema is one that this version must not write to.
    """
    epoch: int = await connection.fetchval(_RAISE_EPOCH)
    await require_current(connection)  # migrations raise it too, so none comes in between
    return epoch


async def read_cut(connection: Connection) -> Cut:
    """The cut of the connection's snapshot."""
    return dict(await connection.fetch(_CUT))


async def _append_decisions(
    connection: Connection, lane: Lane, decisions: Sequence[DecisionRow]
) -> None:
    *columns, bodies = zip(*decisions, strict=True)
    texts = [str(body, "utf-8") for body in bodies]
    await connection.execute(_APPEND_DECISIONS, lane.lane, lane.next_batch, *columns, texts)


async def _document(
    connection: Connection,
    lane: Lane,
    batch: Batch,
    decisions: Sequence[DecisionRow],
    interned: Interned,
) -> BatchDocument:
    """The batch as it is digested, with what its numbers stand for."""
    customers = {event.customer for event in batch.events} | {each.customer for each in decisions}
    dimensions = {event.dimension for event in batch.events}
    await interned.learn_words(connection, customers, dimensions)
    return BatchDocument(
        lane=lane.lane,
        batch=lane.next_batch,
        recorded_at=batch.recorded_at,
        customers=spelled(interned.customer_words, customers),
        dimensions=spelled(interned.dimension_words, dimensions),
        events=batch.lines,
        decisions=decisions,
    )
