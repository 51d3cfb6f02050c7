"""Showing recorded requests."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from ledger.core.errors import InvalidParameter
from ledger.core.instants import format_instant
from ledger.core.rating import RatedStatement
from ledger.core.request_ids import request_id_of
from ledger.core.shown import quantities_body
from ledger.services.targets import find_target
from ledger.store.customers import find_customer
from ledger.store.database import Database
from ledger.store.events import EventKey
from ledger.store.requests import PageQuery, read_page, read_revisions
from pricing import format_amount

STATUSES = ("completed", "voided", "pending", "error", "unmetered", "unrated")
MAX_PAGE = 100
_CURSOR_BYTES = 20


class RequestFilter(msgspec.Struct, frozen=True):
    """Which requests a list is about."""

    customer_id: str | None = None
    start_at: datetime | None = None
    end_at: datetime | None = None
    model: str | None = None
    status: str | None = None
    metadata: dict[str, str] | None = None


async def show_request(
    database: Database, request_id: str, customer_id: str | None = None, *, detailed: bool = True
) -> dict[str, Any]:
    """One request, with its revisions and unknown fields if `detailed`.

    Raises:
        NotFound: no such request, or not of that customer.
        AmbiguousRequestId: several customers have it and none is named.
    """
    async with database.snapshot() as connection:
        target = await find_target(connection, request_id, customer_id)
        key = (target.key.bits, target.customer)
        found = await read_revisions(connection, [target.key.bits], [target.customer])
    return request_body(found[key], detailed=detailed)


async def list_requests(
    database: Database, wanted: RequestFilter, *, cursor: str | None = None, most: int = 10
) -> dict[str, Any]:
    """A page of requests, newest id first, opaque ids last.

    Raises:
        InvalidParameter: a cursor that is none, an unknown status.
    """
    if wanted.status is not None and wanted.status not in STATUSES:
        raise InvalidParameter("status", f"must be one of {', '.join(STATUSES)}")
    after = None if cursor is None else _read_cursor(cursor)
    async with database.snapshot() as connection:
        customer = None
        if wanted.customer_id is not None:
            customer = await find_customer(connection, wanted.customer_id)
            if customer is None:
                return {"data": [], "has_more": False, "next_cursor": None}
            after = after and (after[0], customer)
        page = PageQuery(
            most=most + 1,
            after=after,
            customer=customer,
            start_at=wanted.start_at,
            end_at=wanted.end_at,
            model=wanted.model,
            status=wanted.status,
            metadata=wanted.metadata,
        )
        keys = await read_page(connection, page)
        shown, has_more = keys[:most], len(keys) > most
        found = await read_revisions(connection, {bits for bits, _ in shown}) if shown else {}
    return {
        "data": [request_body(found[key]) for key in shown],
        "has_more": has_more,
        "next_cursor": _write_cursor(shown[-1], customer) if has_more else None,
    }


def request_body(
    revisions: Sequence[Mapping[str, Any]], *, detailed: bool = False
) -> dict[str, Any]:
    """A request as the interface shows it: its current statement, and its history if `detailed`."""
    current = _current(revisions)
    body = {
        "request_id": request_id_of(current["request_id"].bytes, current["opaque_id"]),
        "customer_id": current["customer_id"],
        "status": _status(
            current["kind"], voided=len(revisions) > 1 and current is not revisions[-1]
        ),
        "provider": current["provider"],
        "model": current["model"],
        "provider_key_type": "unmanaged" if current["key_type"] == "byok" else "managed",
        "timestamp": format_instant(current["occurred_at"]),
        **_figures(current),
        "unrated": current["requests"] > 0 and current["fee_pico"] is None,
        "service_tier": current["service_tier"],
        "batch": current["is_batch"],
        "region": current["region"],
        "accelerator": current["accelerator"],
        "billed_as": current["billed_as"],
        "meter_slug": current["meter_slug"],
        "reported_cost": _plain(current["reported_cost"]),
        "response_id": current["response_id"],
        "metadata": _json(current["metadata"]) or {},
    }
    if detailed:
        # As it was kept: a number of thirty digits has thirty digits in the answer.
        body["fields"] = msgspec.Raw((current["fields"] or "{}").encode())
        body["redacted"] = current["redacted"] or []
        body["revisions"] = [
            {
                "revision": row["revision"],
                "kind": row["kind"],
                "recorded_at": format_instant(row["recorded_at"]),
                "actor": row["actor"] or "intake",
                "reason": row["reason"],
                "requests": row["requests"],
                **_figures(row),
            }
            for row in revisions
        ]
    return body


def statement_body(rated: RatedStatement) -> dict[str, Any]:
    """A record that was just accepted, in the same shape."""
    statement, quantities, costs = rated.statement, rated.quantities, rated.costs
    return {
        "request_id": statement.request_id,
        "customer_id": statement.customer_id,
        "status": statement.status.value,
        "provider": rated.dimension.provider,
        "model": statement.model,
        "provider_key_type": "unmanaged" if statement.key_type == "byok" else "managed",
        "timestamp": format_instant(statement.occurred_at),
        **quantities_body(
            quantities.uncached_input_tokens,
            quantities.cached_input_tokens,
            quantities.output_tokens,
            quantities.other or {},
        ),
        "cost": None if costs is None else format_amount(costs.total_pico),
        "fee": None if rated.fee_pico is None else format_amount(rated.fee_pico),
        "spend": None if costs is None else format_amount(rated.spend_pico),
        "rate_version": rated.rate_version,
        "unrated": rated.is_unrated,
        "service_tier": statement.service_tier,
        "batch": statement.is_batch,
        "region": statement.region,
        "accelerator": statement.accelerator,
        "billed_as": rated.dimension.billed_as,
        "meter_slug": rated.meter_slug,
        "reported_cost": _plain(statement.reported_cost),
        "response_id": statement.response_id,
        "metadata": statement.metadata or {},
    }


def _current(revisions: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The statement that a request is shown with: the highest odd revision, else its first sighting."""
    stated = [row for row in revisions if row["revision"] % 2 == 1]
    return stated[-1] if stated else revisions[0]


def _status(kind: str, *, voided: bool) -> str:
    if kind in ("pending", "error"):
        return kind
    return "voided" if voided else "completed"


def _figures(row: Mapping[str, Any]) -> dict[str, Any]:
    is_rated = row["fee_pico"] is not None
    cost = fee = spend = None
    if is_rated:
        cost_pico = sum(
            row[f"{part}_pico"] for part in ("input", "cached_input", "output", "other")
        )
        cost, fee = format_amount(cost_pico), format_amount(row["fee_pico"])
        owed_pico = row["fee_pico"] + (cost_pico if row["key_type"] == "managed" else 0)
        spend = format_amount(owed_pico)
    units = _json(row["other_units"]) or {}
    return {
        **quantities_body(
            row["uncached_input_tokens"],
            row["cached_input_tokens"],
            row["output_tokens"],
            {unit: pair[0] for unit, pair in units.items()},
        ),
        "cost": cost,
        "fee": fee,
        "spend": spend,
        "rate_version": row["rate_version"],
    }


def _json(text: str | None) -> Any:
    return None if text is None else msgspec.json.decode(text)


def _plain(number: Any) -> str | None:
    return None if number is None else format(number, "f")


def _write_cursor(key: EventKey, only: int | None) -> str:
    """Where a page ended; of one customer's pages without its number, which would say how many there are."""
    bits, customer = key if only is None else (key[0], 0)
    return base64.urlsafe_b64encode(bits + customer.to_bytes(4, "big")).rstrip(b"=").decode()


def _read_cursor(cursor: str) -> EventKey:
    try:
        raw = base64.urlsafe_b64decode(cursor.encode() + b"==")
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != _CURSOR_BYTES or raw[16] >> 7:
        raise InvalidParameter("cursor", "must be the next_cursor of a page")
    return raw[:16], int.from_bytes(raw[16:], "big")
