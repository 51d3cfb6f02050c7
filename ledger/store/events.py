"""Appending usage events and reading what stands under a key."""

from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Any

import msgspec
from asyncpg.pgproto.pgproto import UUID

from ledger.core.digests import event_lines
from ledger.core.request_ids import RequestKey, request_id_of
from ledger.core.rows import EventText, UsageEvent
from ledger.core.statements import Stated, Statement, Status
from ledger.store.copy_source import whole
from ledger.store.csv_lines import CSV_OPTIONS, as_csv
from ledger.store.database import Connection
from ledger.store.failures import encoding_values
from ledger.store.sql_files import query
from pricing import BILLABLE_REQUESTS, Quantities

EventKey = tuple[bytes, int]  # the key bits of the request id, the customer's number
Comparable = tuple[Any, ...]  # what a row of revision 1 says that is compared

_FIRST_ROWS = query("events", "first_rows")
_DIGEST = itemgetter(UsageEvent._fields.index("text_digest"))
_RECORDED = query("events", "recorded")
_RECORDED_METADATA = query("events", "recorded_metadata")
_SIGHTED = query("events", "sighted")


class Recorded(msgspec.Struct):
    """What stands under a key: a first sighting, the completed statement, or both."""

    is_sighted: bool = False
    statement: Statement | None = None


async def append_events(
    connection: Connection, events: Sequence[UsageEvent], texts: Sequence[EventText] = ()
) -> bytes:
    """COPY events, and the words that came with them, straight into the log; give the lines to digest.

    The lines are what is copied, too, wherever the two forms allow it: to write them takes a fraction of what
    the driver needs to encode the values one by one.

    Raises:
        asyncpg.UniqueViolationError: one of the keys is there already; nothing was written.
    """
    if not events:  # an adjustment may change nothing
        return b""
    rows = [(UUID(event[0]), *event[1:]) for event in events]
    lines = event_lines(rows)
    is_worded = any(map(_DIGEST, rows))
    if csv := as_csv(event_lines(map(_with_hex, rows)) if is_worded else lines):
        await connection.copy_to_table(
            "usage_event",
            schema_name="ledger",
            columns=UsageEvent._fields,
            source=whole(csv),
            **CSV_OPTIONS,
        )
    else:
        await _copy(connection, "usage_event", UsageEvent._fields, rows)
    if texts:
        await _copy(
            connection,
            "event_text",
            EventText._fields,
            [(UUID(text[0]), *text[1:]) for text in texts],
        )
    return lines


def _with_hex(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """A row whose digest is written as the database reads bytes."""
    digest = row[-1]
    return row if digest is None else (*row[:-1], f"\\x{digest.hex()}")


async def _copy(
    connection: Connection, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    with encoding_values():
        await connection.copy_records_to_table(
            table, schema_name="ledger", columns=columns, records=rows
        )


def comparable(event: UsageEvent) -> Comparable:
    """What a row says, as `read_first_rows` gives it; the words that came with it are not in it."""
    return (
        event.occurred_at,
        event.uncached_input_tokens,
        event.cached_input_tokens,
        event.output_tokens,
        event.stated,
        event.dimension,
        event.opaque_id,
        event.other_units,
    )


async def read_first_rows(
    connection: Connection, ids: Iterable[bytes]
) -> dict[EventKey, Comparable]:
    """What the rows of revision 1 under key bits say; keys that are new are left out."""
    rows = await connection.fetch(_FIRST_ROWS, [UUID(bits) for bits in sorted(ids)])
    return {(row[0].bytes, row[1]): row[2:] for row in rows}


async def read_recorded(
    connection: Connection, keys: Iterable[EventKey]
) -> dict[EventKey, Recorded]:
    """Read what stands under keys; keys that are new are left out."""
    wanted = set(keys)
    ids = [UUID(bits) for bits in sorted({bits for bits, _ in wanted})]
    # Events first: another writer may commit between the two, and the words of an event that was not
    # seen do no harm, but an event seen without its words would look like a contradiction.
    events = await connection.fetch(_RECORDED, ids)
    texts = {
        (row["request_id"].bytes, row["customer"]): row
        for row in await connection.fetch(_RECORDED_METADATA, ids)
    }
    recorded: dict[EventKey, Recorded] = {}
    for row in events:
        key = (row["request_id"].bytes, row["customer"])
        if key in wanted:
            entry = recorded.setdefault(key, Recorded())
            if row["revision"] == 0:
                entry.is_sighted = True
            else:
                entry.statement = _with_metadata(recorded_statement(row), texts.get(key))
    return recorded


async def read_sighted(connection: Connection, keys: Iterable[EventKey]) -> set[EventKey]:
    """Which of the keys have been seen before they completed."""
    rows = await connection.fetch(_SIGHTED, [UUID(bits) for bits, _ in keys])
    return {(row["request_id"].bytes, row["customer"]) for row in rows}


def _with_metadata(statement: Statement, text: Any) -> Statement:
    """A statement with its metadata; where they are erased it states none any more."""
    if text is not None and text["is_erased"]:
        statement.stated &= ~Stated.METADATA.value
    elif text is not None and statement.stated & Stated.METADATA.value:
        statement.metadata = msgspec.json.decode(text["metadata"]) if text["metadata"] else None
    return statement


def recorded_statement(row: Any) -> Statement:
    """A recorded event as the statement it was; what is never compared is left empty."""
    units = msgspec.json.decode(row["other_units"]) if row["other_units"] else {}
    bits, opaque_id = row["request_id"].bytes, row["opaque_id"]
    return Statement(
        request_id=request_id_of(bits, opaque_id),
        key=RequestKey(bits, opaque_id),
        customer_id="",
        status=Status.COMPLETED,
        occurred_at=row["occurred_at"],
        stated=row["stated"],
        model=row["model"],
        provider=row["provider"],
        key_type=row["key_type"],
        quantities=Quantities(
            row["uncached_input_tokens"],
            row["cached_input_tokens"],
            row["output_tokens"],
            # That a request was charged for as such is told by its prices, not by its sender.
            {unit: pair[0] for unit, pair in units.items() if unit != BILLABLE_REQUESTS} or None,
        ),
        service_tier=row["service_tier"],
        is_batch=row["is_batch"],
        region=row["region"],
        accelerator=row["accelerator"],
        meter_slug=row["meter_slug"],
        response_id=None,
        metadata=None,
        reported_cost=None,
        fields=None,
    )
