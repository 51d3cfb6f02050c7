"""Refused records: listed, shown with why, and dismissed. `services.replaying` sends them again."""

import base64
import binascii
import codecs
from collections.abc import Sequence
from typing import Any

import msgspec

from ledger.clock import Clock
from ledger.core.errors import InvalidParameter, NotFound
from ledger.core.instants import format_instant, parse_instant
from ledger.core.json_values import is_storable
from ledger.core.refused import CONFLICT, MAX_KEPT_BYTES, REJECTED
from ledger.services.conflicts import conflict_body
from ledger.services.decisions import deciding
from ledger.store.database import Connection, Database
from ledger.store.quarantine import (
    Kept,
    Key,
    Position,
    QuarantineFilter,
    count_not_kept,
    find_keys,
    read_page,
    read_refused,
    remove_refused,
)

MAX_PAGE = 100
_MAX_CUSTOMER = 2**31 - 1
OUTCOMES = (REJECTED, CONFLICT)


async def list_quarantined(
    database: Database, wanted: QuarantineFilter, *, cursor: str | None = None, most: int = 10
) -> dict[str, Any]:
    """A page of refused records, last seen first, and how many were not kept for want of room.

    Raises:
        InvalidParameter: a cursor that is none, an unknown outcome.
    """
    if wanted.outcome not in (None, *OUTCOMES):
        raise InvalidParameter("outcome", f"must be one of {', '.join(OUTCOMES)}")
    after = None if cursor is None else _read_cursor(cursor, wanted.customer)
    async with database.snapshot() as connection:
        rows = await read_page(connection, wanted, after, most + 1)
        not_kept = await count_not_kept(connection, wanted)
    shown, has_more = rows[:most], len(rows) > most
    return {
        "data": [_row_body(row) for row in shown],
        "has_more": has_more,
        "next_cursor": _write_cursor(shown[-1], wanted.customer) if has_more else None,
        "not_kept": not_kept,
    }


async def show_quarantined(
    database: Database, quarantine_id: str, customer: int | None = None
) -> dict[str, Any]:
    """One refused record with its content, all its faults, and what it contradicts.

    `customer`: the only one whose keys' records may be shown.

    Raises:
        NotFound: no such record, or not of that customer.
    """
    async with database.snapshot() as connection:
        keys = await keys_of(connection, [quarantine_id], customer)
        [row] = await read_refused(connection, keys)
        conflict = await conflict_body(connection, row) if row["outcome"] == CONFLICT else None
    return {**_row_body(row), "errors": _errors(row), **_record_body(row), "conflict": conflict}


async def dismiss(
    database: Database,
    clock: Clock,
    actor: str,
    quarantine_ids: Sequence[str],
    *,
    reason: str,
    customer: int | None = None,
) -> list[dict[str, Any]]:
    """Take refused records out, all of them or none. That it was decided, and why, is a fact; gives those.

    Raises:
        InvalidRecord: a reason outside its rule.
        NotFound: one of them is not there, or not of that customer.
    """
    async with deciding(database, clock, actor, reason=reason, fenced=False) as batch:
        keys = await keys_of(batch.connection, quarantine_ids, customer)
        gone = await remove_refused(batch.connection, await read_refused(batch.connection, keys))
        if len(gone) < len(keys):
            raise NotFound("some of it was taken out meanwhile; list what is left")
        dismissed = [_dismissal(row) for row in gone]
        for row, body in zip(gone, dismissed, strict=True):
            batch.record("quarantine_dismissed", row["customer"], row["quarantine_id"], body)
    return dismissed


async def keys_of(
    connection: Connection, quarantine_ids: Sequence[str], customer: int | None
) -> list[Key]:
    """The keys of refused records.

    Raises:
        NotFound: one of them is not there, or not of that customer.
    """
    keys = await find_keys(connection, QuarantineFilter(customer=customer), quarantine_ids)
    found = {name for _, name in keys}
    for name in quarantine_ids:
        if name not in found:
            raise NotFound(f"no record {name!r} in quarantine")
    return keys


def _row_body(row: Kept) -> dict[str, Any]:
    return {
        "quarantine_id": row["quarantine_id"],
        "sender": row["sender"],
        "sender_customer_id": row["bound_to"],
        "request_id": row["request_id"],
        "customer_id": row["customer_id"],
        "outcome": row["outcome"],
        "code": row["code"],
        "field": row["field"],
        "detail": row["detail"],
        "sightings": row["sightings"],
        "first_seen_at": format_instant(row["first_seen_at"]),
        "last_seen_at": format_instant(row["last_seen_at"]),
        "record_bytes": row["record_bytes"],
        "is_whole": row["is_whole"],
    }


def _errors(row: Kept) -> list[dict[str, Any]]:
    """The faults apart from each other; those from before they were kept so are one."""
    if row["faults"] is None:
        return [{"field": row["field"], "code": row["code"], "detail": row["detail"]}]
    faults: list[dict[str, Any]] = msgspec.json.decode(row["faults"])
    return faults


def _record_body(row: Kept) -> dict[str, Any]:
    """The record as it is kept: as text where it is UTF-8, up to where it was cut off."""
    try:
        is_cut = len(row["record"]) == MAX_KEPT_BYTES
        text = codecs.getincrementaldecoder("utf-8")().decode(row["record"], final=not is_cut)
    except UnicodeDecodeError:
        return {"record": base64.b64encode(row["record"]).decode(), "record_encoding": "base64"}
    return {"record": text, "record_encoding": "utf-8"}


def _dismissal(row: Kept) -> dict[str, Any]:
    """What is remembered of a record that was dismissed: no content."""
    return {
        "quarantine_id": row["quarantine_id"],
        "sender": row["sender"],
        "outcome": row["outcome"],
        "code": row["code"],
        "request_id": row["request_id"],
        "customer_id": row["customer_id"],
        "digest": row["digest"].hex(),
        "sightings": row["sightings"],
    }


def _write_cursor(row: Kept, only: int | None) -> str:
    """Where a page ended; of one customer's pages without its number, which would say how many there are."""
    customer = row["customer"] if only is None else 0
    text = f"{format_instant(row['last_seen_at'])} {customer} {row['quarantine_id']}"
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def _read_cursor(cursor: str, only: int | None) -> Position:
    try:
        text = base64.urlsafe_b64decode(cursor.encode() + b"==").decode()
        instant, customer, name = text.split(" ")
        position = parse_instant(instant), name, int(customer) if only is None else only
    except (binascii.Error, ValueError):
        position = None
    if position is None or not (is_storable(name) and 0 <= position[2] <= _MAX_CUSTOMER):
        raise InvalidParameter("cursor", "must be the next_cursor of a page")
    return position
