"""An invoice as plain text, 80 columns wide: what is printed, mailed or filed.

No figure is ever cut: a row of figures that does not fit is stacked, a long name is wrapped.
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import groupby
from operator import itemgetter
from textwrap import wrap
from typing import Any

from ledger.core.visible import visible

COLUMNS = 80
_INDENT = "  "
_LABEL_COLUMNS = 18
_RULE = "-" * COLUMNS
_BOTTOM_COLUMNS = 44

_COUNTS = (
    ("Requests", "requests"),
    ("Input tokens", "input_tokens"),
    ("Cached input", "cached_input_tokens"),
    ("Output tokens", "output_tokens"),
)
_AMOUNTS = (("Cost", "cost"), ("Fee", "fee"), ("Exact amount", "exact"))
_LATE = ": not billed before"

_METHOD = (
    "Each line is its usage at the published rates plus the fee, kept exactly; the sum of the exact "
    "amounts was rounded once, half up, to the total, the line amounts share that total by largest "
    "remainder, and what was rounded up (or, with a minus, down) is shown as rounding."
)
_TIERED = (
    "Lines of a meter are the fee on all that was used in the service period, by the meter's tiers."
)
_BYOK = (
    "Lines with the customer's own key (byok) owe the fee only: their cost is shown for information and "
    "is billed by the provider to the owner of the key."
)


def render_invoice(invoice: dict[str, Any]) -> str:
    """Write an invoice, as `ledger.services.invoices.show_invoice` gives it, as plain text."""
    return "\n".join(
        (
            *_heading(invoice),
            *_sections(invoice),
            *_sums(invoice),
            *_notes(invoice),
            "",
        )
    )


def _heading(invoice: dict[str, Any]) -> Iterator[str]:
    yield f"INVOICE {invoice['number']}"
    yield "=" * COLUMNS
    for label, value in (
        ("Customer", visible(invoice["customer_id"])),
        ("Issued on", f"{invoice['issued_at'][:10]} (UTC)"),
        ("Billing period", _days(invoice)),
        ("Currency", invoice["currency"]),
        ("Status", invoice["status"]),
    ):
        first, *more = wrap(value, COLUMNS - _LABEL_COLUMNS) or [""]
        yield label.ljust(_LABEL_COLUMNS) + first
        yield from (" " * _LABEL_COLUMNS + line for line in more)


def _sections(invoice: dict[str, Any]) -> Iterator[str]:
    """The lines, each service month as a table of its own."""
    lines = invoice["lines"]
    prefix = _shared_prefix([line["model"] for line in lines if line["model"] is not None])
    for start, group in groupby(lines, key=itemgetter("period_start")):
        month = list(group)
        note = _LATE if start < invoice["period_start"] else ""
        yield ""
        yield from wrap(f"Service period {_days(month[0])}{note}", COLUMNS)
        yield _RULE
        yield _ends("Provider, model, key", f"Amount {invoice['currency']}")
        yield _row([label for label, _ in _COUNTS])
        yield _row([label for label, _ in _AMOUNTS])
        yield _RULE
        for line in month:
            yield from _line(line, prefix)
        yield _RULE
    if prefix:
        yield from wrap(f"Models are named without {visible(prefix)}", COLUMNS)


def _line(line: dict[str, Any], prefix: str) -> Iterator[str]:
    amount = _grouped(line["amount"])
    first, *more = wrap(visible(_name(line, prefix)), COLUMNS - len(amount) - 2) or [""]
    yield _ends(first, amount)
    yield from more
    if "meter" not in line:
        yield from _figures([(label, f"{line[field]:,}") for label, field in _COUNTS])
    yield from _figures([(label, _grouped(line[field])) for label, field in _AMOUNTS])


def _name(line: dict[str, Any], prefix: str) -> str:
    """What a line is for."""
    if "meter" in line:
        return f"tiered fee of the meter {line['meter']}"
    provider = line["provider"] or "unknown provider"
    model = "unknown model" if line["model"] is None else line["model"].removeprefix(prefix)
    return f"{provider}, {model}, {line['key_type']}"


def _figures(figures: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Figures under their headings, or below each other where one is wider than its column."""
    if max(len(value) for _, value in figures) < _column_width(len(figures)):
        yield _row([value for _, value in figures])
    else:
        yield from (_ends(_INDENT + label, value) for label, value in figures)


def _row(cells: Sequence[str]) -> str:
    return _INDENT + "".join(cell.rjust(_column_width(len(cells))) for cell in cells)


def _column_width(columns: int) -> int:
    return (COLUMNS - len(_INDENT)) // columns


def _sums(invoice: dict[str, Any]) -> Iterator[str]:
    currency = invoice["currency"]
    yield ""
    for label, field in (("Subtotal", "subtotal"), ("Tax", "tax"), ("Total", "total")):
        yield _at_right(f"{label} {currency}", invoice[field])
    yield _at_right("Rounding", invoice["rounding"])


def _notes(invoice: dict[str, Any]) -> Iterator[str]:
    yield ""
    yield from wrap(_METHOD, COLUMNS)
    if any("meter" in line for line in invoice["lines"]):
        yield from wrap(_TIERED, COLUMNS)
    if any(line["key_type"] == "byok" for line in invoice["lines"]):
        yield from wrap(_BYOK, COLUMNS)


def _shared_prefix(models: Sequence[str]) -> str:
    """The path that every model name begins with, up to a slash."""
    folders = {model[: model.rfind("/") + 1] for model in models}
    shared = min(folders, key=len, default="")
    while not all(folder.startswith(shared) for folder in folders):
        shared = shared[: shared.rfind("/", 0, -1) + 1]
    return shared


def _days(period: dict[str, Any]) -> str:
    """A period by its first and last day; what the ledger keeps is the day after the last."""
    last_day = date.fromisoformat(period["period_end"]) - timedelta(days=1)
    return f"{period['period_start']} to {last_day}, both days included"


def _grouped(amount: str) -> str:
    """An amount with commas between thousands: `-1,234.50`."""
    whole, point, places = amount.partition(".")
    sign = "-" if whole.startswith("-") else ""
    return f"{sign}{int(whole.lstrip('-')):,}{point}{places}"


def _ends(left: str, right: str) -> str:
    """Two texts at the two ends of a row, or on two rows where one is too narrow."""
    gap = COLUMNS - len(left) - len(right)
    return f"{left}{' ' * gap}{right}" if gap > 0 else f"{left}\n{right:>{COLUMNS}}"


def _at_right(label: str, amount: str) -> str:
    return _ends(" " * (COLUMNS - _BOTTOM_COLUMNS) + label, _grouped(amount))
