"""Explanations of amounts: of a request, of an invoice, of one of its lines."""

from typing import Any

from msgspec import UNSET, Struct, UnsetType, field

from ledger.api.openapi.answers.figures import Difference, Quantities
from ledger.api.openapi.answers.invoices import InvoiceFrame, InvoiceLine, LineFigures
from ledger.core.shapes import Amount, Day, Instant, KeyType, Money


class Step(Struct):
    """One price times one quantity; `exact` is there where it had to be rounded."""

    unit: str
    quantity: int | str
    price: str
    per: str
    priced_as: str
    arithmetic: str
    exact: str | None
    amount: Amount
    rounded: bool


class CostPart(Struct):
    """A sum and how it came about."""

    arithmetic: str
    amount: Amount | None


class FeePart(CostPart):
    """The fee and how it came about."""

    exact: str | None
    rounded: bool


class SpendPart(CostPart):
    """What is owed, and by which rule."""

    rule: str


class Rates(Struct):
    """The rate table that priced a revision."""

    provider: str
    version: str
    file: str | None
    source: str | None
    currency: str
    effective_from: Instant
    published_at: Instant | None
    fingerprint: str
    called_as: str
    billed_as: str | None
    prices: str | None


class MeterTerms(Struct):
    """The meter that a fee is by."""

    slug: str
    version: int | None
    kind: str | None
    percentage: str | None
    unit: str | None
    rate: str | None


class Rerated(Struct):
    """From which version of a rate table to which it was rated again, and by which job."""

    job: str
    before: str | None = field(name="from")
    to: str | None


class Invoiced(Struct):
    """Where a revision was invoiced."""

    state: str
    number: str | None
    line: int | None


class ExplainedRevision(Struct, kw_only=True):
    """A revision with its prices, its arithmetic and its invoice."""

    revision: int
    kind: str
    recorded_at: Instant
    lane: int
    batch: int
    digest: str | None
    decided_by: str | None
    reason: str | None
    idempotency_key: str | None
    rerated: Rerated | None
    negates: int | None
    provider: str | None
    model: str | None
    requests: int
    quantities: Quantities
    unrated_reason: str | None
    steps: list[Step]
    cost: CostPart
    fee: FeePart
    spend: SpendPart
    rates: Rates | None
    meter: MeterTerms | None
    agrees: bool
    differences: list[Difference]
    invoice: Invoiced


class ExplainedTotal(Struct):
    """The sum over all revisions: what counts."""

    requests: int
    unrated_requests: int
    cost: Amount
    fee: Amount
    spend: Amount


class RequestExplanation(Struct):
    """How every amount of a request comes about, and which invoices it went to."""

    request_id: str
    customer_id: str
    status: str
    timestamp: Instant
    provider: str | None
    model: str | None
    key_type: KeyType
    service_tier: str | None
    batch: bool
    agrees: bool
    revisions: list[ExplainedRevision]
    total: ExplainedTotal
    invoices: list[str]


class Share(Struct):
    """What a line has of the rounded total."""

    exact: Amount
    rounded_down: Money
    remainder: Amount
    given: Money
    amount: Money


class Sharing(Struct):
    """How the total was rounded; `given` are the lines that got something on top."""

    exact: Amount
    total: Money
    rounding: Amount
    rounded_down: Money
    lacking: Money
    given: list[int]


class SharedLine(InvoiceLine, kw_only=True):
    """A line with its share."""

    line: int
    share: Share


class InvoiceExplanation(InvoiceFrame, kw_only=True):
    """How the total of an invoice was rounded and shared."""

    lines: list[SharedLine]
    sharing: Sharing
    agrees: bool
    differences: list[Difference]


class DayFigures(LineFigures, kw_only=True):
    """What a line billed of a day."""

    day: Day


class BilledRecord(Quantities, kw_only=True):
    """A record that a line billed."""

    request_id: str
    revision: int
    kind: str
    timestamp: Instant
    requests: int
    cost: Amount | None
    fee: Amount | None
    exact: Amount | None


class PreviousInvoice(Struct):
    """The invoice before, which billed the earlier usage."""

    number: str
    cut: str | None


class LineExplanation(InvoiceLine, kw_only=True):
    """What a line billed: its days and first records; of a tiered fee the use, version by version."""

    number: str
    customer_id: str
    issued_at: Instant
    currency: str
    line: int
    lines: int
    spend_rule: str
    cut: str | None
    previous: PreviousInvoice | None
    share: Share
    sharing: Sharing
    buckets: list[DayFigures]
    sums: LineFigures | None
    record_count: int | None
    records: list[BilledRecord]
    versions: list[dict[str, Any]] | UnsetType = UNSET
    period_fee: Amount | UnsetType = UNSET
    billed_before: Amount | UnsetType = UNSET
    due: Amount | UnsetType = UNSET
    agrees: bool | None
    differences: list[Difference]
