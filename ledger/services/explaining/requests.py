"""Why a request costs what it costs: every revision with its prices, its arithmetic and its invoice.

Amounts are worked out anew from the prices and compared with what is recorded; `differences` names every
figure that is not the same.
"""

from collections.abc import Sequence
from typing import Any

from ledger.core.instants import format_instant, month_of
from ledger.core.settlement import IssuedInvoice, settled_by
from ledger.services.explaining.revisions import Known, revision_body
from ledger.services.explaining.rows import Row, cost_of, spend_of
from ledger.services.targets import find_target
from ledger.store.configuration import load_book
from ledger.store.database import Connection, Database
from ledger.store.explanation import find_line, read_explained, read_issued, read_tables
from pricing import format_amount


async def explain_request(
    database: Database, request_id: str, customer_id: str | None = None
) -> dict[str, Any]:
    """How every amount of a request comes about, and which invoices it went to.

    Raises:
        NotFound: no such request, or not of that customer.
        AmbiguousRequestId: several customers have it and none is named.
    """
    async with database.snapshot() as connection:
        target = await find_target(connection, request_id, customer_id)
        rows = await read_explained(connection, target.request_id, target.key, target.customer)
        versions = {row["rate_version"] for row in rows} - {None}
        known = Known(await load_book(connection), await read_tables(connection, versions))
        issued = await read_issued(connection, target.customer)
        invoices = [await _invoice(connection, row, issued) for row in rows]
    revisions = [
        {**revision_body(row, rows[:position], known), "invoice": invoice}
        for position, (row, invoice) in enumerate(zip(rows, invoices, strict=True))
    ]
    return {
        **_head(request_id, rows),
        "agrees": all(revision["agrees"] for revision in revisions),
        "revisions": revisions,
        "total": _total(rows),
        "invoices": _numbers(invoices),
    }


def _head(request_id: str, rows: Sequence[Row]) -> dict[str, Any]:
    """What the request is, by the statement that stands."""
    last = rows[-1]
    stated = [row for row in rows if row["revision"] % 2 == 1]
    current = stated[-1] if stated else last
    is_void = last["revision"] > 0 and last["revision"] % 2 == 0
    seen = last["kind"] if last["revision"] == 0 else "completed"
    return {
        "request_id": request_id,
        "customer_id": current["customer_id"],
        "status": "voided" if is_void else seen,
        "timestamp": format_instant(current["occurred_at"]),
        "provider": current["provider"],
        "model": current["model"],
        "key_type": current["key_type"],
        "service_tier": current["service_tier"],
        "batch": current["is_batch"],
    }


async def _invoice(
    connection: Connection, row: Row, invoices: Sequence[IssuedInvoice]
) -> dict[str, Any]:
    """Where a row was invoiced: the state, the number and the line."""
    if row["revision"] == 0:
        return {"state": "unmetered", "number": None, "line": None}
    month = month_of(row["occurred_at"])
    place = (row["lane"], row["batch"])
    settling, is_certain = settled_by(invoices, month, place, row["recorded_at"])
    if settling is None:
        return {"state": "not_invoiced", "number": None, "line": None}
    kind = (row["provider"], row["model"], row["key_type"])
    line = await find_line(connection, row["customer"], settling.number, month, kind)
    state = "invoiced" if line is not None else "came_to_nothing"
    return {
        "state": state if is_certain else "uncertain",
        "number": settling.number,
        "line": line,
    }


def _total(rows: Sequence[Row]) -> dict[str, Any]:
    """The sum over all revisions, as recorded; that is what counts."""
    costs = [(row["key_type"], cost_of(row) or 0, row["fee_pico"] or 0) for row in rows]
    return {
        "requests": sum(row["requests"] for row in rows),
        "unrated_requests": sum(row["unrated"] for row in rows),
        "cost": format_amount(sum(cost for _, cost, _ in costs)),
        "fee": format_amount(sum(fee for _, _, fee in costs)),
        "spend": format_amount(sum(spend_of(*each) for each in costs)),
    }


def _numbers(invoices: Sequence[dict[str, Any]]) -> list[str]:
    """Each invoice once, in the order of revisions."""
    return list(dict.fromkeys(each["number"] for each in invoices if each["number"]))
