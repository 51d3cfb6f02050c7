"""Why an invoice asks for what it asks: how its total was rounded and shared, and what each line billed.

The records of a line are those of its month, provider, model and key type that lie within the cut of its
invoice and not within the cut of the one before. They are summed up by the database, so a line of any size
is explained in the same memory.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from ledger.core.cuts import format_cut, parse_cut
from ledger.core.errors import NotFound
from ledger.core.instants import format_instant
from ledger.core.invoicing import DueLine, Invoice, invoice_document
from ledger.core.json_values import is_storable
from ledger.core.request_ids import request_id_of
from ledger.core.settlement import IssuedInvoice, issued_before
from ledger.services.explaining.fee_lines import FEE_RULE, Explained, explain_fee
from ledger.services.explaining.revisions import SPEND_RULES
from ledger.services.explaining.rows import Row, cost_of, quantities_body, spend_of
from ledger.services.explaining.sharing import (
    differences,
    share_body,
    sharing_body,
    sharing_differences,
    sharing_of,
)
from ledger.store.database import Connection, Database
from ledger.store.explanation import LineUsage, read_days, read_issued, read_records
from ledger.store.invoices import read_invoice
from pricing import format_amount

MOST_RECORDS = 100


class Figures(msgspec.Struct, frozen=True):
    """What a line, or a part of it, sums up; amounts in pico units."""

    requests: int
    input_tokens: int
    cached_input_tokens: int
    output_tokens: int
    cost_pico: int
    fee_pico: int
    exact_pico: int


async def explain_invoice(
    database: Database, number: str, *, customers: Sequence[str] | None = None
) -> dict[str, Any]:
    """How the total of an invoice was rounded and shared among its lines.

    `differences` names every figure that is recorded otherwise than it is worked out, and both figures.
    `customers` are those whose invoices may be seen; None means all.

    Raises:
        NotFound: there is none of that number, or it is another customer's.
    """
    async with database.snapshot() as connection:
        invoice = await _known_invoice(connection, number, customers)
    sharing = sharing_of(invoice)
    found = sharing_differences(invoice, sharing)
    document = invoice_document(invoice)
    return {
        **document,
        "lines": [
            {"line": ordinal, **line, "share": share_body(invoice, sharing, ordinal)}
            for ordinal, line in enumerate(document["lines"], 1)
        ],
        "sharing": sharing_body(invoice, sharing),
        "agrees": not found,
        "differences": found,
    }


async def explain_invoice_line(
    database: Database,
    number: str,
    line: int,
    *,
    customers: Sequence[str] | None = None,
    most_records: int = MOST_RECORDS,
) -> dict[str, Any]:
    """What a line billed: its days, its first records by time, and its share of the total.

    `differences` are those of the line from its records, then those of the whole invoice from its lines.
    `agrees` is None where there are none but the records are not told: the invoice, or the one before, has
    no cut.

    Raises:
        NotFound: there is no such invoice or line, or it is another customer's.
    """
    async with database.snapshot() as connection:
        invoice = await _known_invoice(connection, number, customers)
        if not 1 <= line <= len(invoice.content.lines):
            raise NotFound(f"no line {line} on invoice {number!r}")
        due = invoice.content.lines[line - 1].due
        issued = await read_issued(connection, invoice.content.customer)
        before = issued_before(issued, number, due.month)
        if due.meter is not None:
            explained = await explain_fee(connection, invoice, due)
        else:
            explained = await _explain_usage(
                connection, _usage(invoice, due, before), due, most_records
            )
    sharing = sharing_of(invoice)
    found = explained.differences + sharing_differences(invoice, sharing)
    return {
        **_line_head(invoice, line, before),
        "share": share_body(invoice, sharing, line),
        "sharing": sharing_body(invoice, sharing),
        **explained.body,
        "agrees": not found if explained.is_told or found else None,
        "differences": found,
    }


async def _explain_usage(
    connection: Connection, usage: LineUsage | None, due: DueLine, most_records: int
) -> Explained:
    """The days and the first records of a line, or that they are not told."""
    if usage is None:
        return Explained({**_usage_body(due, None), "records": []}, [], is_told=False)
    days = await read_days(connection, usage)
    records = await read_records(connection, usage, most_records)
    body = {
        **_usage_body(due, days),
        "records": [_record(row, due.key_type) for row in records],
    }
    return Explained(body, _unlike(due, days))


async def _known_invoice(
    connection: Connection, number: str, customers: Sequence[str] | None
) -> Invoice:
    invoice = await read_invoice(connection, number, customers) if is_storable(number) else None
    if invoice is None:
        raise NotFound(f"no invoice {number!r}")
    return invoice


def _usage(invoice: Invoice, due: DueLine, before: IssuedInvoice | None) -> LineUsage | None:
    """The rows that a line billed; None where a cut is missing that would tell."""
    cut = invoice.content.cut
    if cut is None or (before is not None and before.cut is None):
        return None
    return LineUsage(
        invoice.content.customer,
        due.month,
        due.provider,
        due.model,
        due.key_type,
        after={} if before is None or before.cut is None else before.cut,
        upto=parse_cut(cut),
    )


def _line_head(invoice: Invoice, line: int, before: IssuedInvoice | None) -> dict[str, Any]:
    """What the line says, and between which cuts its usage lies."""
    content = invoice.content
    document = invoice_document(invoice)["lines"][line - 1]
    previous = None
    if before is not None:
        cut = None if before.cut is None else format_cut(before.cut)
        previous = {"number": before.number, "cut": cut}
    return {
        "number": invoice.number,
        "customer_id": content.customer_id,
        "issued_at": format_instant(invoice.issued_at),
        "currency": content.currency,
        "line": line,
        "lines": len(content.lines),
        **document,
        "spend_rule": SPEND_RULES.get(document["key_type"], FEE_RULE),
        "cut": content.cut,
        "previous": previous,
    }


def _usage_body(due: DueLine, days: Sequence[Row] | None) -> dict[str, Any]:
    """The days of a line and their sums; None where the records are not told."""
    if days is None:
        return {"buckets": [], "sums": None, "record_count": None}
    figures = [_figures(day, due.key_type) for day in days]
    return {
        "buckets": [
            {"day": str(day["day"]), **_body(each)} for day, each in zip(days, figures, strict=True)
        ],
        "sums": _body(_sum(figures)),
        "record_count": sum(day["records"] for day in days),
    }


def _unlike(due: DueLine, days: Sequence[Row]) -> list[dict[str, str]]:
    """Where the records come to something else than the line says."""
    billed = _body(Figures(*(getattr(due, name) for name in Figures.__struct_fields__)))
    sums = _body(_sum(_figures(day, due.key_type) for day in days))
    return differences((field, str(billed[field]), str(sums[field])) for field in sums)


def _figures(day: Row, key_type: str | None) -> Figures:
    cost_pico, fee_pico = int(day["cost_pico"]), int(day["fee_pico"])
    return Figures(
        requests=int(day["requests"]),
        input_tokens=int(day["input_tokens"]),
        cached_input_tokens=int(day["cached_input_tokens"]),
        output_tokens=int(day["output_tokens"]),
        cost_pico=cost_pico,
        fee_pico=fee_pico,
        exact_pico=spend_of(key_type, cost_pico, fee_pico),
    )


def _sum(several: Iterable[Figures]) -> Figures:
    columns = zip(*(msgspec.structs.astuple(each) for each in several), strict=True)
    sums = [sum(column) for column in columns]
    return Figures(*sums) if sums else Figures(0, 0, 0, 0, 0, 0, 0)


def _body(figures: Figures) -> dict[str, Any]:
    return {
        "requests": figures.requests,
        "input_tokens": figures.input_tokens,
        "cached_input_tokens": figures.cached_input_tokens,
        "output_tokens": figures.output_tokens,
        "cost": format_amount(figures.cost_pico),
        "fee": format_amount(figures.fee_pico),
        "exact": format_amount(figures.exact_pico),
    }


def _record(row: Row, key_type: str | None) -> dict[str, Any]:
    cost_pico, fee_pico = cost_of(row), row["fee_pico"]
    amounts: dict[str, str | None] = dict.fromkeys(("cost", "fee", "exact"))
    if cost_pico is not None and fee_pico is not None:
        exact_pico = spend_of(key_type, cost_pico, fee_pico)
        amounts = {
            "cost": format_amount(cost_pico),
            "fee": format_amount(fee_pico),
            "exact": format_amount(exact_pico),
        }
    return {
        "request_id": request_id_of(row["request_id"].bytes, row["opaque_id"]),
        "revision": row["revision"],
        "kind": row["kind"],
        "timestamp": format_instant(row["occurred_at"]),
        "requests": row["requests"],
        **quantities_body(row),
        **amounts,
    }
