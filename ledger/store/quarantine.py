"""Refused records: kept once for each sender, content and reason, and not without bound.

Whoever changes what is kept locks the row of the sender first, which holds its counters.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from ledger.core.keys import Sender
from ledger.core.refused import (
    MAX_KEPT_BYTES,
    MAX_SEEN_BYTES,
    Reason,
    RefusedRecord,
    Room,
    by_id,
    quarantine_id,
    refused_record,
    storable,
)
from ledger.core.statements import Refusal
from ledger.store.database import Connection
from ledger.store.sql_files import query

_LOCK_SENDER = query("quarantine", "lock_sender")
_LOCK_SENDERS = query("quarantine", "lock_senders")
_SIGHT = query("quarantine", "sight")
_KEEP = query("quarantine", "keep")
_COUNT = query("quarantine", "count")
_PAGE = query("quarantine", "page")
_NOT_KEPT = query("quarantine", "not_kept")
_KEYS = query("quarantine", "keys")
_RECORDS = query("quarantine", "records")
_REMOVE = query("quarantine", "remove")
_RESTATE = query("quarantine", "restate")
_MERGE = query("quarantine", "merge")
ROOM = Room()
# So much is worked on before others have their turn.
BYTES_PER_TURN = 256 * 1024
RECORD_COST_BYTES = 256  # what a record costs beside its bytes

Key = tuple[int, str]  # the customer that the sender is bound to, and the quarantine id
Position = tuple[datetime, str, int]  # last_seen_at, quarantine id, customer: where a page ended
Kept = Mapping[str, Any]  # a row of the table


class QuarantineFilter(msgspec.Struct, frozen=True):
    """Which refused records somebody means. `customer` is the one that their senders are bound to.

    `customer_id` and `request_id` are those that the records themselves name.
    """

    customer: int | None = None
    sender: str | None = None
    code: str | None = None
    outcome: str | None = None
    request_id: str | None = None
    customer_id: str | None = None

    @property
    def parameters(self) -> tuple[int | str | None, ...]:
        """As the queries take them; a text that cannot be stored finds nothing."""
        customer, *texts = msgspec.structs.astuple(self)
        return (customer, *(storable(text) for text in texts))


async def keep_refused(
    connection: Connection,
    sender: Sender,
    refusals: Sequence[Refusal],
    seen_at: datetime,
    room: Room = ROOM,
) -> None:
    """Keep refused records under their sender; a repeat is counted, and so is what has no room."""
    refused = by_id(sender.name, refusals)
    async with connection.transaction():
        left = await _sighted(connection, sender, refused, seen_at, room)
    if not refused:
        return
    # What others keep meanwhile is known by the second time. Until then nobody waits: it is work.
    hidden = await _hidden(refused, left)
    async with connection.transaction():
        left = await _sighted(connection, sender, refused, seen_at, room)
        kept = _fitting((each for each in hidden if each.quarantine_id in refused), left)
        owner = (sender.customer, sender.name)
        if kept:
            await connection.execute(_KEEP, *owner, seen_at, *zip(*map(_row, kept), strict=True))
        kept_bytes = sum(len(each.record) for each in kept)
        await connection.execute(_COUNT, *owner, len(kept), kept_bytes, len(refused) - len(kept))


async def read_page(
    connection: Connection, wanted: QuarantineFilter, after: Position | None, most: int
) -> list[Kept]:
    """Refused records without their content, those that were seen last first."""
    position = after or (None, None, None)
    rows: list[Kept] = await connection.fetch(_PAGE, *wanted.parameters, *position, most)
    return rows


async def count_not_kept(connection: Connection, wanted: QuarantineFilter) -> int:
    """How many records of a sender, or of all, were not kept for want of room."""
    count: int = await connection.fetchval(_NOT_KEPT, wanted.customer, storable(wanted.sender))
    return count


async def find_keys(
    connection: Connection, wanted: QuarantineFilter, ids: Sequence[str] | None = None
) -> list[Key]:
    """The keys of refused records, those that came first first; of some ids, or of all."""
    named = None if ids is None else [storable(each) for each in ids]
    rows = await connection.fetch(_KEYS, *wanted.parameters, named)
    return [(row["customer"], row["quarantine_id"]) for row in rows]


async def read_refused(connection: Connection, keys: Iterable[Key]) -> list[Kept]:
    """Refused records with their content, those that came first first; what is gone is left out."""
    rows: list[Kept] = await connection.fetch(_RECORDS, *_columns(keys))
    return rows


async def remove_refused(connection: Connection, records: Iterable[Kept]) -> list[Kept]:
    """Take records out, in the caller's transaction; give those that were there still."""
    records = list(records)
    await _lock_senders_of(connection, records)
    keys = ((row["customer"], row["quarantine_id"]) for row in records)
    rows: list[Kept] = await connection.fetch(_REMOVE, *_columns(keys))
    return rows


async def settle_replayed(
    connection: Connection, gone: Sequence[Kept], refused_again: Sequence[tuple[Kept, Reason]]
) -> None:
    """Take out what a replay has recorded, and say of the rest why it is refused now.

    With another code it gets another id. What somebody else took out meanwhile stays out.
    """
    async with connection.transaction():
        await _lock_senders_of(connection, [*gone, *(row for row, _ in refused_again)])
        await remove_refused(connection, gone)
        for row, reason in refused_again:
            now_named = quarantine_id(row["sender"], reason.code, row["digest"])
            names = (row["customer"], row["quarantine_id"], now_named)
            if not await connection.fetch(_RESTATE, *names, *_reason_row(reason)):
                await connection.execute(_MERGE, *names)
                await remove_refused(connection, [row])


async def _sighted(
    connection: Connection,
    sender: Sender,
    refused: dict[str, tuple[bytes, Refusal]],
    seen_at: datetime,
    room: Room,
) -> Room:
    """Lock the sender and count what is known of its records, which is taken out; how much room is left."""
    counters = await connection.fetchrow(_LOCK_SENDER, sender.customer, sender.name)
    for row in await connection.fetch(_SIGHT, sender.customer, list(refused), seen_at):
        del refused[row["quarantine_id"]]
    return Room(room.records - counters["kept"], room.bytes - counters["kept_bytes"])


async def _hidden(refused: Mapping[str, tuple[bytes, Refusal]], room: Room) -> list[RefusedRecord]:
    """Records as they are kept, those that there may be room for; others have their turn in between.

    To hide the secrets of all of them would be work for whoever sends too much.
    """
    hidden: list[RefusedRecord] = []
    bytes_left, turn_bytes = room.bytes, 0
    for name, (digest, refusal) in refused.items():
        if len(hidden) >= room.records:
            break
        if min(len(refusal.raw), MAX_KEPT_BYTES) > bytes_left:
            continue
        if turn_bytes >= BYTES_PER_TURN:
            await asyncio.sleep(0)
            turn_bytes = 0
        turn_bytes += min(len(refusal.raw), MAX_SEEN_BYTES) + RECORD_COST_BYTES
        record = refused_record(name, digest, refusal)
        if len(record.record) <= bytes_left:
            bytes_left -= len(record.record)
            hidden.append(record)
    return hidden


def _fitting(records: Iterable[RefusedRecord], room: Room) -> list[RefusedRecord]:
    """Those that there is room for, in the order in which they came."""
    kept: list[RefusedRecord] = []
    left = room.bytes
    for record in records:
        if len(kept) < room.records and len(record.record) <= left:
            left -= len(record.record)
            kept.append(record)
    return kept


def _row(record: RefusedRecord) -> tuple[Any, ...]:
    """A record in the order of the query's parameters."""
    return (
        record.quarantine_id,
        record.digest,
        *_reason_row(record.reason),
        record.request_id,
        record.customer_id,
        record.record,
        record.record_bytes,
        record.is_whole,
    )


def _reason_row(reason: Reason) -> tuple[Any, ...]:
    faults = msgspec.json.encode(reason.faults).decode()
    return reason.outcome, reason.code, reason.field, reason.detail, faults


async def _lock_senders_of(connection: Connection, records: Iterable[Kept]) -> None:
    """Lock the rows of the senders of some records until the transaction ends."""
    senders = {(row["customer"], row["sender"]) for row in records}
    await connection.execute(_LOCK_SENDERS, *_columns(senders))


def _columns(pairs: Iterable[tuple[int, str]]) -> tuple[list[int], list[str]]:
    sorted_pairs = sorted(pairs)
    return [number for number, _ in sorted_pairs], [text for _, text in sorted_pairs]
