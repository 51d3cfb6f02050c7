"""Invoices by difference: what is due is the exact usage of a period minus what was billed for it.

Lines keep their exact value. The total is the exact sum rounded half up once; the line amounts share it
by largest remainder, and what rounding left is told apart.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import msgspec

from ledger.core.instants import Period, format_instant, month_period
from pricing import (
    currency_places,
    format_amount,
    format_minor,
    minor_to_pico,
    round_to_minor_half_up,
    share_by_largest_remainder,
)

SERIES = "INV"
DRAFT = "draft"
FINALISED = "finalised"
TAX_MINOR = 0  # no tax is reckoned; the field is there for those who add it


class DueLine(msgspec.Struct, frozen=True, gc=False):
    """Usage of one month that no invoice has billed yet; amounts in pico units, exact, maybe negative.

    Or the tiered fee of a `meter` on a month: then there is no provider, model or type of key, and nothing
    but the fee. `unrated` of the month's requests have no price, so nothing is due for them yet.
    """

    provider: str | None
    model: str | None
    key_type: str | None
    month: date
    requests: int
    input_tokens: int
    cached_input_tokens: int
    output_tokens: int
    cost_pico: int
    fee_pico: int
    exact_pico: int
    meter: str | None = None
    unrated: int = 0


class InvoiceLine(msgspec.Struct, frozen=True, gc=False):
    """A due line with its share of the total, in minor units of the currency."""

    due: DueLine
    amount_minor: int


class Draft(msgspec.Struct, frozen=True):
    """What an invoice would say. `rounding_pico` is the total minus the exact sum of its lines.

    `cut` is the point in the log up to which usage was read, `unrated` the requests of its months that have
    no price yet: what they cost is due once they have one.
    """

    customer: int
    customer_id: str
    period: Period
    currency: str
    lines: tuple[InvoiceLine, ...]
    total_minor: int
    rounding_pico: int
    cut: str | None
    unrated: int = 0

    @property
    def is_billable(self) -> bool:
        """Whether it becomes an invoice. What comes to nothing or less waits for a later run."""
        return self.total_minor > 0

    @property
    def is_settled(self) -> bool:
        """Whether nothing is left to bill once the draft is dealt with."""
        return self.is_billable or not self.lines


class Invoice(msgspec.Struct, frozen=True):
    """A finalised document: a draft that has its number and never changes again."""

    number: str
    status: str
    issued_at: datetime
    content: Draft


def due_fees(
    fees: Mapping[tuple[int, str, date], int], billed: Mapping[tuple[int, str, date], int]
) -> dict[int, list[DueLine]]:
    """Tiered fees minus what was billed of them, both in pico units by customer, meter and month.

    By customer, in the order of meters and months; where nothing is left there is no line.
    """
    due: dict[int, list[DueLine]] = {}
    for key in sorted(fees.keys() | billed.keys()):
        customer, slug, month = key
        if fee_pico := fees.get(key, 0) - billed.get(key, 0):
            line = DueLine(None, None, None, month, 0, 0, 0, 0, 0, fee_pico, fee_pico, slug)
            due.setdefault(customer, []).append(line)
    return due


def in_order(usage: Sequence[DueLine], fees: Sequence[DueLine]) -> list[DueLine]:
    """The lines of an invoice month by month, those of tiered fees last in their month."""
    return sorted([*usage, *fees], key=lambda line: (line.month, line.meter or ""))


def draft_invoice(
    customer: int,
    customer_id: str,
    period: Period,
    currency: str,
    due: Sequence[DueLine],
    cut: str | None,
) -> Draft:
    """Bring what is due into the form of an invoice."""
    lines, total_minor, rounding_pico = draft_lines(due, currency_places(currency))
    unrated = sum(line.unrated for line in due)
    return Draft(
        customer, customer_id, period, currency, lines, total_minor, rounding_pico, cut, unrated
    )


def draft_lines(due: Sequence[DueLine], places: int) -> tuple[tuple[InvoiceLine, ...], int, int]:
    """Give lines, total in minor units and rounding in pico units for what is due.

    `places` are the decimals of the currency. Lines that are empty in every figure are left out.
    """
    billable = [line for line in due if not _is_empty(line)]
    exact = sum(line.exact_pico for line in billable)
    total_minor = round_to_minor_half_up(exact, places)
    shares = share_by_largest_remainder([line.exact_pico for line in billable], total_minor, places)
    lines = tuple(InvoiceLine(line, share) for line, share in zip(billable, shares, strict=True))
    return lines, total_minor, minor_to_pico(total_minor, places) - exact


def finalise(drafts: Sequence[Draft], last_number: int, issued_at: datetime) -> list[Invoice]:
    """Number drafts in their order, so that the last of them gets `last_number`."""
    first_number = last_number - len(drafts) + 1
    return [
        Invoice(number_text(SERIES, number), FINALISED, issued_at, draft)
        for number, draft in enumerate(drafts, first_number)
    ]


def number_text(series: str, number: int) -> str:
    """The number as it stands on the document: `INV-000042`."""
    return f"{series}-{number:06d}"


def invoice_head(invoice: Invoice) -> dict[str, Any]:
    """An invoice as it stands in a list."""
    return draft_head(invoice.content) | {"number": invoice.number, "status": invoice.status}


def draft_head(draft: Draft) -> dict[str, Any]:
    """What would stand in a list if a draft were issued; it has no number yet."""
    return {
        "number": None,
        "customer_id": draft.customer_id,
        "period_start": draft.period.start.isoformat(),
        "period_end": draft.period.end.isoformat(),
        "status": DRAFT,
        "currency": draft.currency,
        "total": format_minor(draft.total_minor, currency_places(draft.currency)),
    }


def invoice_document(invoice: Invoice) -> dict[str, Any]:
    """An invoice as the interface shows it and as the ledger keeps it; period ends are exclusive."""
    content = invoice.content
    places = currency_places(content.currency)
    months = {month: month_period(month) for month in {line.due.month for line in content.lines}}
    lines = [_line_document(line, months[line.due.month], places) for line in content.lines]
    return document_around(lines, invoice)


def document_around(lines: object, invoice: Invoice) -> dict[str, Any]:
    """The document of an invoice around its lines, in whatever form those are."""
    content = invoice.content
    places = currency_places(content.currency)
    total = format_minor(content.total_minor, places)
    return {
        "number": invoice.number,
        "customer_id": content.customer_id,
        "status": invoice.status,
        "period_start": content.period.start.isoformat(),
        "period_end": content.period.end.isoformat(),
        "issued_at": format_instant(invoice.issued_at),
        "currency": content.currency,
        "lines": lines,
        "subtotal": total,
        "tax": format_minor(TAX_MINOR, places),
        "total": total,
        "rounding": format_amount(content.rounding_pico),
        "cut": content.cut,
    }


def _line_document(line: InvoiceLine, service: Period, places: int) -> dict[str, Any]:
    due = line.due
    return {
        "provider": due.provider,
        "model": due.model,
        "key_type": due.key_type,
        **({} if due.meter is None else {"meter": due.meter}),
        "period_start": service.start.isoformat(),
        "period_end": service.end.isoformat(),
        "requests": due.requests,
        "input_tokens": due.input_tokens,
        "cached_input_tokens": due.cached_input_tokens,
        "output_tokens": due.output_tokens,
        "cost": format_amount(due.cost_pico),
        "fee": format_amount(due.fee_pico),
        "exact": format_amount(due.exact_pico),
        "amount": format_minor(line.amount_minor, places),
    }


def _is_empty(line: DueLine) -> bool:
    return not (
        line.requests
        or line.input_tokens
        or line.cached_input_tokens
        or line.output_tokens
        or line.cost_pico
        or line.fee_pico
        or line.exact_pico
    )
