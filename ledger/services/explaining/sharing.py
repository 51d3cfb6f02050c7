"""How the total of an invoice was rounded and shared, worked out anew and compared with what it says."""

from collections.abc import Iterable, Iterator
from typing import Any

from ledger.core.invoicing import Invoice
from ledger.core.settlement import Sharing, share_out
from ledger.services.explaining.rows import spend_of
from pricing import currency_places, format_amount, format_minor

Compared = tuple[str, str, str]  # a field, the figure that is recorded, the one worked out


def sharing_of(invoice: Invoice) -> Sharing:
    """The total and its shares, worked out anew from the exact lines."""
    content = invoice.content
    exact_pico = [line.due.exact_pico for line in content.lines]
    return share_out(exact_pico, currency_places(content.currency))


def sharing_body(invoice: Invoice, sharing: Sharing) -> dict[str, Any]:
    """The rounding of the total; `given` are the lines that got something on top of their floor."""
    places = currency_places(invoice.content.currency)
    floors_minor = sharing.total_minor - sharing.lacking_minor
    return {
        "exact": format_amount(sharing.exact_pico),
        "total": format_minor(sharing.total_minor, places),
        "rounding": format_amount(sharing.rounding_pico),
        "rounded_down": format_minor(floors_minor, places),
        "lacking": format_minor(sharing.lacking_minor, places),
        "given": [line for line, share in enumerate(sharing.shares, 1) if share.extra_minor],
    }


def share_body(invoice: Invoice, sharing: Sharing, line: int) -> dict[str, str]:
    """The share of one line, by its ordinal from 1."""
    places = currency_places(invoice.content.currency)
    share = sharing.shares[line - 1]
    return {
        "exact": format_amount(invoice.content.lines[line - 1].due.exact_pico),
        "rounded_down": format_minor(share.floor_minor, places),
        "remainder": format_amount(share.remainder_pico),
        "given": format_minor(share.extra_minor, places),
        "amount": format_minor(share.amount_minor, places),
    }


def sharing_differences(invoice: Invoice, sharing: Sharing) -> list[dict[str, str]]:
    """Where the invoice says something else than what its exact lines come to."""
    return differences(_compared(invoice, sharing))


def differences(figures: Iterable[Compared]) -> list[dict[str, str]]:
    """Those figures that are recorded otherwise than they were worked out."""
    return [
        {"field": field, "recorded": recorded, "computed": computed}
        for field, recorded, computed in figures
        if recorded != computed
    ]


def _compared(invoice: Invoice, sharing: Sharing) -> Iterator[Compared]:
    content = invoice.content
    places = currency_places(content.currency)
    yield _in_minor("total", (content.total_minor, sharing.total_minor), places)
    yield _in_pico("rounding", (content.rounding_pico, sharing.rounding_pico))
    pairs = zip(content.lines, sharing.shares, strict=True)
    for ordinal, (line, share) in enumerate(pairs, 1):
        due = line.due
        spend_pico = spend_of(due.key_type, due.cost_pico, due.fee_pico)
        yield _in_pico(f"line {ordinal} exact", (due.exact_pico, spend_pico))
        yield _in_minor(f"line {ordinal} amount", (line.amount_minor, share.amount_minor), places)


def _in_minor(field: str, figures: tuple[int, int], places: int) -> Compared:
    recorded, computed = figures
    return field, format_minor(recorded, places), format_minor(computed, places)


def _in_pico(field: str, figures: tuple[int, int]) -> Compared:
    recorded, computed = figures
    return field, format_amount(recorded), format_amount(computed)
