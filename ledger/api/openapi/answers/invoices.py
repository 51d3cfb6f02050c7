"""Invoices and runs of them."""

from msgspec import UNSET, Struct, UnsetType

from ledger.core.shapes import Amount, Day, Instant, KeyType, Money, Month


class InvoiceHead(Struct, kw_only=True):
    """An invoice as it stands in a list; one that is only drafted has no number."""

    number: str | None
    customer_id: str
    status: str
    period_start: Day
    period_end: Day
    currency: str
    total: Money


class InvoicePage(Struct):
    """Invoices in the order of their numbers."""

    data: list[InvoiceHead]
    has_more: bool
    next_cursor: str | None


class LineFigures(Struct, kw_only=True):
    """What a line, or a part of it, comes to before it is rounded."""

    requests: int
    input_tokens: int
    cached_input_tokens: int
    output_tokens: int
    cost: Amount
    fee: Amount
    exact: Amount


class InvoiceLine(LineFigures, kw_only=True):
    """Usage of a service month by provider, model and key type; or, with `meter`, a tiered fee."""

    provider: str | None
    model: str | None
    key_type: KeyType | None
    meter: str | UnsetType = UNSET
    period_start: Day
    period_end: Day
    amount: Money


class InvoiceFrame(InvoiceHead, kw_only=True):
    """All of an invoice but its lines."""

    issued_at: Instant
    subtotal: Money
    tax: Money
    rounding: Amount
    cut: str | None


class InvoiceAnswer(InvoiceFrame, kw_only=True):
    """An invoice; ends of periods are exclusive."""

    lines: list[InvoiceLine]


class RunAnswer(Struct):
    """What a run came to."""

    period: Month
    issued: int
    skipped: int
    total: Money
    unrated_requests: int
    invoices: list[InvoiceHead]
