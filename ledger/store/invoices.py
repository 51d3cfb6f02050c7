"""Invoices: what is due, the documents, their numbers, and the locks of a run."""

from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from typing import Any

from ledger.core.instants import Period, month_period
from ledger.core.invoicing import (
    SERIES,
    TAX_MINOR,
    Draft,
    DueLine,
    Invoice,
    InvoiceLine,
    due_fees,
    in_order,
)
from ledger.core.tiered_fees import fees_by_slug
from ledger.store.copy_source import whole
from ledger.store.database import Connection
from ledger.store.meter_usage import BEGINNING, read_tiered_fees
from ledger.store.sql_files import query
from pricing import currency_places, format_minor

_TOUCHED_CUSTOMERS = query("invoices", "touched_customers")
_LOCK_CUSTOMERS = query("invoices", "lock_customers")
_TRY_LOCK_CUSTOMER = query("invoices", "try_lock_customer")
_UNLOCK_CUSTOMERS = query("invoices", "unlock_customers")
_INVOICED_CUSTOMERS = query("invoices", "invoiced_customers")
_DUE = query("invoices", "due")
_BILLED_FEES = query("invoices", "billed_fees")
_BILLED_BEFORE = query("invoices", "billed_before")
_FORGET_TOUCHED = query("invoices", "forget_touched")
_TAKE_NUMBERS = query("invoices", "take_numbers")
_ADD_INVOICES = query("invoices", "add_invoices")
_HEADS = query("invoices", "heads")
_INVOICE = query("invoices", "invoice")
_LINES = query("invoices", "lines")
_LINE_COLUMNS = (
    "customer", "line", "provider", "model", "key_type", "period_start", "period_end",
    "requests", "input_tokens", "cached_input_tokens", "output_tokens", "cost_pico", "fee_pico",
    "exact_pico", "amount", "meter_slug", "number",
)  # fmt: skip
_COPY_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


async def read_touched_customers(
    connection: Connection, period: Period, *, after: int, most: int, only: int | None
) -> dict[int, str]:
    """Customers with usage up to a period that no run has settled: ids by number, in the order of numbers."""
    rows = await connection.fetch(_TOUCHED_CUSTOMERS, after, period.end, only, most)
    return dict(rows)


async def lock_customers(connection: Connection, customers: Sequence[int]) -> None:
    """Keep other runs away from customers, given in the order of their numbers.

    The locks are the session's, so a transaction that begins after it sees all that an earlier holder
    committed. Whatever is not given back, the end of the session's use gives back.
    """
    await connection.execute(_LOCK_CUSTOMERS, customers)


async def unlock_customers(connection: Connection, customers: Sequence[int]) -> None:
    """Let other runs have customers."""
    await connection.execute(_UNLOCK_CUSTOMERS, customers)


async def try_lock_customer(connection: Connection, customer: int) -> bool:
    """Keep other runs away from a customer until the session's use ends; False when one has it already."""
    is_ours: bool = await connection.fetchval(_TRY_LOCK_CUSTOMER, customer)
    return is_ours


async def read_invoiced_customers(
    connection: Connection, customers: Sequence[int], period: Period
) -> set[int]:
    """Which of the customers have their invoice of a period."""
    rows = await connection.fetch(_INVOICED_CUSTOMERS, customers, period.start)
    return {row["customer"] for row in rows}


async def read_due(
    connection: Connection, customers: Sequence[int], period: Period
) -> dict[int, list[DueLine]]:
    """What is due for every touched month up to a period, by customer; lines that are settled are empty."""
    usage: dict[int, list[DueLine]] = {}
    for customer, month, provider, model, key_type, *sums in await connection.fetch(
        _DUE, customers, period.end
    ):
        *figures, unrated = map(int, sums)
        rest: list[Any] = [*figures, None, unrated]
        line = DueLine(provider, model, key_type, month, *rest)
        usage.setdefault(customer, []).append(line)
    fees = await read_due_fees(connection, customers, period)
    return {
        customer: in_order(usage.get(customer, ()), fees.get(customer, ()))
        for customer in usage.keys() | fees.keys()
    }


async def read_due_fees(
    connection: Connection, customers: Sequence[int], period: Period
) -> dict[int, list[DueLine]]:
    """The tiered fees of all months up to a period that no invoice has billed, by customer.

    Touched or not: usage that counts for a lifetime moves the fees of later months too.
    """
    span = (BEGINNING, period.end_at)
    fees = fees_by_slug(await read_tiered_fees(connection, customers, span))
    rows = await connection.fetch(_BILLED_FEES, customers, period.end)
    billed = {(customer, slug, month): int(fee) for customer, slug, month, fee in rows}
    return due_fees(fees, billed)


async def forget_touched(
    connection: Connection, customers: Sequence[int], period: Period, epoch: int
) -> None:
    """Drop the marks of settled months that were made before an epoch."""
    if customers:
        await connection.execute(_FORGET_TOUCHED, customers, period.end, epoch)


async def take_numbers(connection: Connection, count: int) -> int:
    """Take the next numbers for invoices; give the last. Other runs wait until the transaction ends."""
    last_number: int = await connection.fetchval(_TAKE_NUMBERS, SERIES, count)
    return last_number


async def write_invoices(
    connection: Connection, invoices: Sequence[Invoice], rows: Sequence[str]
) -> None:
    """Write invoices of one chunk, which share their period, currency, status, time and cut.

    `rows` are their lines, as `line_rows` wrote them.
    """
    first = invoices[0]
    period, currency = first.content.period, first.content.currency
    places = currency_places(currency)
    await connection.execute(
        _ADD_INVOICES,
        first.status,
        period.start,
        period.end,
        currency,
        first.issued_at,
        first.content.cut,
        [invoice.content.customer for invoice in invoices],
        [invoice.number for invoice in invoices],
        [format_minor(invoice.content.total_minor, places) for invoice in invoices],
        [format_minor(TAX_MINOR, places)] * len(invoices),
        [str(invoice.content.rounding_pico) for invoice in invoices],
    )
    numbered = [
        row.replace("\n", f"\t{invoice.number}\n")
        for invoice, row in zip(invoices, rows, strict=True)
    ]
    await connection.copy_to_table(
        "invoice_line",
        schema_name="ledger",
        columns=_LINE_COLUMNS,
        source=whole("".join(numbered).encode()),
    )


async def read_heads(
    connection: Connection, customers: Sequence[str] | None, after: str, most: int
) -> list[Any]:
    """The heads of invoices in the order of their numbers, from the one after `after`."""
    rows: list[Any] = await connection.fetch(_HEADS, after, customers, most)
    return rows


async def read_billed_before(connection: Connection, invoice: Invoice, due: DueLine) -> int:
    """What the invoices before one billed of the same meter for the same month, in pico units."""
    billed: str = await connection.fetchval(
        _BILLED_BEFORE, invoice.content.customer, invoice.number, due.meter, due.month
    )
    return int(billed)


async def read_invoice(
    connection: Connection, number: str, customers: Sequence[str] | None
) -> Invoice | None:
    """An invoice, if there is one of that number among those of some customers, or of all."""
    row = await connection.fetchrow(_INVOICE, number, customers)
    if row is None:
        return None
    lines = await connection.fetch(_LINES, row["customer"], number)
    content = Draft(
        customer=row["customer"],
        customer_id=row["customer_id"],
        period=Period(row["period_start"], row["period_end"]),
        currency=row["currency"],
        lines=tuple(_line(*line) for line in lines),
        total_minor=_minor(row["total"]),
        rounding_pico=int(row["rounding_pico"]),
        cut=row["cut"],
    )
    return Invoice(row["number"], row["status"], row["issued_at"], content)


def line_rows(draft: Draft) -> str:
    """The lines of an invoice but for their last column, its number, which it does not have yet.

    In PostgreSQL's text format of COPY, where a line break is the end of a row and nothing else. COPY is four
    times as fast as an INSERT.
    """
    places = currency_places(draft.currency)
    return "".join(
        [
            f"{draft.customer}\t{ordinal}\t{_copy_cells(line.due)}\t{format_minor(line.amount_minor, places)}"
            f"\t{_copy_text(line.due.meter)}\n"
            for ordinal, line in enumerate(draft.lines, 1)
        ]
    )


def _copy_cells(due: DueLine) -> str:
    return (
        f"{_copy_words(due.provider, due.model, due.key_type, due.month)}\t{due.requests}\t"
        f"{due.input_tokens}\t{due.cached_input_tokens}\t{due.output_tokens}\t{due.cost_pico}\t"
        f"{due.fee_pico}\t{due.exact_pico}"
    )


@lru_cache(maxsize=10_000)
def _copy_words(provider: str | None, model: str | None, key_type: str | None, month: date) -> str:
    words = "\t".join(map(_copy_text, (provider, model, key_type)))
    return f"{words}\t{month}\t{month_period(month).end}"


@lru_cache(maxsize=1_000)
def _copy_text(text: str | None) -> str:
    return r"\N" if text is None else text.translate(_COPY_ESCAPES)


def _line(
    meter: str | None,
    provider: str | None,
    model: str | None,
    key_type: str | None,
    month: date,
    *figures: str,
) -> InvoiceLine:
    *sums, amount = figures
    rest: list[Any] = [*map(int, sums), meter]
    return InvoiceLine(DueLine(provider, model, key_type, month, *rest), _minor(amount))


def _minor(amount: str) -> int:
    """An amount with the places of its currency, as it was written, in minor units."""
    return int(amount.replace(".", ""))
