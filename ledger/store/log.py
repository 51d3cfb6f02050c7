"""Lanes, batches, decisions and the fence: the order that facts are appended in.

A lane is one writer's ordered part of the log. It is held by a session lock on the writer's connection,
and its batches commit in order. A cut is the last batch of every lane.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from ledger.core.cuts import Cut
from ledger.core.errors import DatabaseUnavailable
from ledger.store.database import Connection
from ledger.store.sql_files import query

MAX_LANES = 1000

_TRY_LANE = query("log", "try_lane")
_LAST_BATCH = query("log", "last_batch")
_APPEND_BATCH = query("log", "append_batch")
_APPEND_DECISIONS = query("log", "append_decisions")
_ENTER_FENCE = query("log", "enter_fence")
_RAISE_EPOCH = query("log", "raise_epoch")
_CUT = query("log", "cut")


class Lane(msgspec.Struct):
    """A held lane and the last batch that was committed in it."""

    lane: int
    last_batch: int


class Decision(msgspec.Struct, frozen=True):
    """One decision to append: what kind, about whom (0: the ledger itself) and what, with its content."""

    kind: str
    customer: int
    subject: str
    body: dict[str, Any]


async def take_lane(connection: Connection) -> Lane:
    """Take the first free lane for as long as the connection's session lives.

    Raises:
        DatabaseUnavailable: a thousand writers are at work.
    """
    for lane in range(1, MAX_LANES + 1):
        if await connection.fetchval(_TRY_LANE, lane):
            return Lane(lane, await connection.fetchval(_LAST_BATCH, lane))
    raise DatabaseUnavailable(f"all {MAX_LANES} lanes are taken")


async def append_batch(
    connection: Connection,
    lane: int,
    batch: int,
    recorded_at: datetime,
    *,
    events: int = 0,
    decisions: Sequence[Decision] = (),
    actor: str = "intake",
) -> None:
    """Append the row of a batch and the decisions in it; the last statement of its transaction but one."""
    if decisions:
        await connection.execute(
            _APPEND_DECISIONS,
            lane,
            batch,
            actor,
            [decision.customer for decision in decisions],
            list(range(1, len(decisions) + 1)),
            [decision.kind for decision in decisions],
            [decision.subject for decision in decisions],
            [msgspec.json.encode(decision.body).decode() for decision in decisions],
        )
    await connection.execute(_APPEND_BATCH, lane, batch, recorded_at, events, len(decisions))


async def enter_fence(connection: Connection) -> int:
    """Hold off changes of the configuration until the transaction ends; give the epoch in force."""
    epoch: int = await connection.fetchval(_ENTER_FENCE)
    return epoch


async def raise_epoch(connection: Connection) -> int:
    """Begin a change of what writers cache: none of them is inside the fence until the transaction ends."""
    epoch: int = await connection.fetchval(_RAISE_EPOCH)
    return epoch


async def read_cut(connection: Connection) -> Cut:
    """The cut of the connection's snapshot."""
    return dict(await connection.fetch(_CUT))
