"""Invoices by difference: what is due is the exact usage of a period minus what was billed for it.

Lines keep their exact value. The total is the exact sum rounded half up once; the line amounts share it
by largest remainder, and what rounding left is told apart.
"""

from collections.abc import Sequence
from datetime import date

import msgspec

from ledger.core.instants import Period
from pricing import minor_to_pico, round_to_minor_half_up, share_by_largest_remainder

SERIES = "INV"
FINALISED = "finalised"


class DueLine(msgspec.Struct, frozen=True):
    """Usage of one month that no invoice has billed yet; amounts in pico units, exact, maybe negative."""

    provider: str | None
    model: str | None
    key_type: str
    month: date
    requests: int
    input_tokens: int
    cached_input_tokens: int
    output_tokens: int
    cost_pico: int
    fee_pico: int
    exact_pico: int


class InvoiceLine(msgspec.Struct, frozen=True):
    """A due line with its share of the total, in minor units of the currency."""

    due: DueLine
    amount_minor: int


class Invoice(msgspec.Struct, frozen=True):
    """A finalised document. `rounding_pico` is the total minus the exact sum of its lines."""

    number: str
    customer_id: str
    status: str
    period: Period
    currency: str
    lines: tuple[InvoiceLine, ...]
    total_minor: int
    rounding_pico: int


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


def number_text(series: str, number: int) -> str:
    """The number as it stands on the document: `INV-000042`."""
    return f"{series}-{number:06d}"


def _is_empty(line: DueLine) -> bool:
    return not any(
        (
            line.requests,
            line.input_tokens,
            line.cached_input_tokens,
            line.output_tokens,
            line.cost_pico,
            line.fee_pico,
            line.exact_pico,
        )
    )
