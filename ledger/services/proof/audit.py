"""One pass over the log in the order in which it was written: digests, chains and amounts.

A batch is in memory at a time. What is found wrong names the lane and the batch.
"""

import json
from typing import Any

import msgspec

from ledger.core.auditing import NO_PRICES, Prices, amounts_difference
from ledger.core.digests import (
    BatchDocument,
    DecisionRow,
    batch_digest,
    event_lines,
    spelled,
    text_digest,
)
from ledger.core.request_ids import request_id_of
from ledger.core.rows import UsageEvent
from ledger.store.audit import (
    Stretch,
    make_room,
    read_batches,
    read_decisions,
    read_digests,
    read_events,
    read_prices,
    read_texts,
)
from ledger.store.database import Connection
from ledger.store.interning import read_customer_words, read_dimension_words

MAX_OFFENDERS = 10
_CUSTOMER = UsageEvent._fields.index("customer")
_DIMENSION = UsageEvent._fields.index("dimension")
_REVISION = UsageEvent._fields.index("revision")
_OPAQUE_ID = UsageEvent._fields.index("opaque_id")


class Findings(msgspec.Struct):
    """How many offenders a check has, and the first ten of them."""

    count: int = 0
    offenders: list[dict[str, Any]] = []

    def add(self, **offender: Any) -> None:
        """One more."""
        self.count += 1
        if len(self.offenders) < MAX_OFFENDERS:
            self.offenders.append(offender)


class Audited(msgspec.Struct):
    """What a pass found. `unsealed` batches are older than digests."""

    digests: Findings
    amounts: Findings
    events: int = 0
    unsealed: int = 0


class Numbers(msgspec.Struct, frozen=True):
    """What the numbers of the log stand for today."""

    customers: dict[int, tuple[Any, ...]]
    dimensions: dict[int, tuple[Any, ...]]
    prices: dict[int, Prices]


async def audit_log(connection: Connection, stretch: Stretch) -> Audited:
    """Compute the digest and the amounts of every batch in a stretch anew, inside a snapshot."""
    await make_room(connection)
    numbers = Numbers(
        await read_customer_words(connection),
        await read_dimension_words(connection),
        await read_prices(connection),
    )
    audited = Audited(Findings(offenders=[]), Findings(offenders=[]))
    # What a stretch begins after is taken as it stands: an earlier pass, or a kept head, vouches for it.
    before = await read_digests(connection, {k: v for k, v in stretch.after.items() if v})
    previous = {lane: (row["batch"], row["digest"]) for lane, row in before.items()}
    events = read_events(connection, stretch)
    decisions = read_decisions(connection, stretch)
    async for batch in read_batches(connection, stretch):
        position = (batch["lane"], batch["batch"])
        rows, stray_events = await events.take(position)
        decided, stray_decisions = await decisions.take(position)
        for lane, number in dict.fromkeys(stray_events + stray_decisions):
            audited.digests.add(lane=lane, batch=number, fault="has rows and is not there")
        _check_digest(audited, batch, previous.get(batch["lane"]), rows, decided, numbers)
        _check_amounts(audited.amounts, position, rows, numbers)
        audited.events += len(rows)
        previous[batch["lane"]] = (batch["batch"], batch["digest"])
    return audited


async def audit_texts(connection: Connection, stretch: Stretch, findings: Findings) -> None:
    """Compare the words of events with their digests."""
    names = await read_customer_words(connection)
    async for chunk in read_texts(connection, stretch):
        for row in chunk:
            metadata = row["metadata"] and msgspec.json.decode(row["metadata"])
            words = (row["response_id"], metadata, row["fields"])
            is_older_than_digests = row["salt"] is None and row["digests"] == [None]
            digest = text_digest(row["salt"] or b"", *words)
            if not is_older_than_digests and digest not in row["digests"]:
                findings.add(
                    customer_id=names.get(row["customer"], (None,))[0],
                    request_id=request_id_of(row["request_id"].bytes, row["opaque_id"]),
                    revision=row["revision"],
                    lane=row["lane"],
                    batch=row["batch"],
                    fault="its words are not those that were recorded",
                )


def _check_digest(
    audited: Audited,
    batch: Any,
    before: tuple[int, bytes | None] | None,
    rows: list[tuple[Any, ...]],
    decided: list[Any],
    numbers: Numbers,
) -> None:
    lane, number, stored = batch["lane"], batch["batch"], batch["digest"]
    last, previous = before or (0, None)
    if number != last + 1:
        fault = f"follows batch {last}: what lay between is gone"
        audited.digests.add(lane=lane, batch=number, fault=fault)
    if stored is None:
        audited.unsealed += 1
        if previous is not None:
            audited.digests.add(lane=lane, batch=number, fault="has lost its digest")
        return
    computed = batch_digest(previous, _document(batch, rows, decided, numbers))
    if computed != stored:
        audited.digests.add(
            lane=lane,
            batch=number,
            fault="its digest is not that of its rows and the batch before it",
            stored=stored.hex(),
            computed=computed.hex(),
        )


def _check_amounts(
    findings: Findings, position: tuple[int, int], rows: list[tuple[Any, ...]], numbers: Numbers
) -> None:
    for row in rows:
        difference = amounts_difference(row, numbers.prices.get(row[_DIMENSION], NO_PRICES))
        if difference is not None:
            findings.add(
                customer_id=numbers.customers.get(row[_CUSTOMER], (None,))[0],
                request_id=request_id_of(row[0].bytes, row[_OPAQUE_ID]),
                revision=row[_REVISION],
                lane=position[0],
                batch=position[1],
                **difference,
            )


def _document(
    batch: Any, rows: list[tuple[Any, ...]], decided: list[Any], numbers: Numbers
) -> BatchDocument:
    *names, _ = DecisionRow._fields
    decisions = [
        DecisionRow._make([*(row[name] for name in names), json.loads(row["body"])])
        for row in decided
    ]
    customers = {row[_CUSTOMER] for row in rows} | {each.customer for each in decisions}
    return BatchDocument(
        lane=batch["lane"],
        batch=batch["batch"],
        recorded_at=batch["recorded_at"],
        customers=spelled(numbers.customers, customers),
        dimensions=spelled(numbers.dimensions, {row[_DIMENSION] for row in rows}),
        events=event_lines(rows),
        decisions=decisions,
    )
