"""An invoice as plain text, 80 columns wide: what is printed, mailed or filed.

No figure is ever cut: figures that are too wide for their columns are stacked, a long name is folded.
"""

import re
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
_BESIDE = " " * (COLUMNS - _BOTTOM_COLUMNS)  # what stands before the sums
_AMOUNT_COLUMNS = 12

# Heading, field, and how wide the column is.
_COUNTS = (
    ("Requests", "requests", 10),
    ("Input tokens", "input_tokens", 16),
    ("Output tokens", "output_tokens", 15),
)
_NAME_COLUMNS = COLUMNS - sum(width for *_, width in _COUNTS) - _AMOUNT_COLUMNS
_CACHED_END = COLUMNS - _AMOUNT_COLUMNS - _COUNTS[-1][-1]  # cached tokens stand under the input
_KEYS = {"managed": "managed key", "byok": "own key (byok)"}
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
    yield _ends("INVOICE", invoice["number"])
    yield "=" * COLUMNS
    for label, value in (
        ("Billed to", visible(invoice["customer_id"])),
        ("Billing period", _days(invoice)),
        ("Issued on", f"{invoice['issued_at'][:10]} (UTC)"),
        ("Status", invoice["status"]),
        ("Total", f"{invoice['currency']} {_grouped(invoice['total'])}"),
    ):
        first, *more = _folded(value, COLUMNS - _LABEL_COLUMNS)
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
        headings = [(heading, width) for heading, _, width in _COUNTS]
        yield _row("Model", [*headings, (f"Amount {invoice['currency']}", _AMOUNT_COLUMNS)])
        yield _RULE
        for line in month:
            yield from _line(line, prefix)
        yield _RULE
    if prefix:
        yield from wrap(f"Models are named without {visible(prefix)}", COLUMNS)


def _line(line: dict[str, Any], prefix: str) -> Iterator[str]:
    """A line of the invoice: its counts and amount, whose key it was, and how the amount comes about."""
    amount = _grouped(line["amount"])
    if "meter" in line:
        yield from _at_both_ends(f"tiered fee of the meter {visible(line['meter'])}", amount)
    else:
        yield from _counts(line, prefix, amount)
    yield from wrap(_exactly(line), COLUMNS, initial_indent=_INDENT, subsequent_indent=_INDENT)


def _counts(line: dict[str, Any], prefix: str, amount: str) -> Iterator[str]:
    model = "unknown model" if line["model"] is None else line["model"].removeprefix(prefix)
    counts = [(f"{line[field]:,}", width) for _, field, width in _COUNTS]
    figures = [*counts, (amount, _AMOUNT_COLUMNS)]
    if all(len(figure) < width for figure, width in figures):
        first, *more = _folded(visible(model), _NAME_COLUMNS - 1)
        yield _row(first, figures)
        yield from more
    else:
        yield from _at_both_ends(visible(model), amount)
        for (heading, *_), (figure, _) in zip(_COUNTS, counts, strict=True):
            yield _ends(_INDENT + heading, figure)
    whose = f"{_INDENT}{visible(line['provider'] or 'unknown provider')}, {_KEYS[line['key_type']]}"
    cached = f"{line['cached_input_tokens']:,} cached" if line["cached_input_tokens"] else ""
    yield _ends(whose, cached, _CACHED_END).rstrip()


def _exactly(line: dict[str, Any]) -> str:
    """The exact amount, of which the line has its share in whole cents."""
    cost, fee, exact = (_grouped(line[name]) for name in ("cost", "fee", "exact"))
    if "meter" in line:
        return f"fee {exact}"
    if line["key_type"] == "byok":
        return f"fee {exact}; the cost of {cost} is the provider's to bill"
    return f"cost {cost} + fee {fee} = {exact}"


def _row(name: str, figures: Sequence[tuple[str, int]]) -> str:
    return name.ljust(_NAME_COLUMNS) + "".join(figure.rjust(width) for figure, width in figures)


def _at_both_ends(name: str, figure: str) -> Iterator[str]:
    """A name at the left, folded if it is long, and a figure at the right."""
    first, *more = _folded(name, COLUMNS - len(figure) - 2)
    yield _ends(first, figure)
    yield from more


def _folded(name: str, columns: int) -> list[str]:
    """A name in lines, broken behind a slash, a hyphen or a blank where there is one, else anywhere."""
    pieces = re.findall(rf"[^/ -]{{0,{columns - 1}}}[/ -]|[^/ -]{{1,{columns}}}", name)
    lines = [""]
    for piece in pieces:
        if len(lines[-1]) + len(piece.rstrip()) > columns:
            lines.append("")
        lines[-1] += piece
    return [line.rstrip() for line in lines]


def _sums(invoice: dict[str, Any]) -> Iterator[str]:
    yield ""
    for label, field in (("Subtotal", "subtotal"), ("Tax", "tax")):
        yield _at_right(label, _grouped(invoice[field]))
    yield _BESIDE + "-" * _BOTTOM_COLUMNS
    yield _at_right(f"Total {invoice['currency']}", _grouped(invoice["total"]))
    yield _BESIDE + "=" * _BOTTOM_COLUMNS
    yield _at_right("Rounding in the total", _grouped(invoice["rounding"]))


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


def _ends(left: str, right: str, end: int = COLUMNS) -> str:
    """Two texts at the two ends of a row, or on two rows where one is too narrow."""
    gap = end - len(left) - len(right)
    return f"{left}{' ' * gap}{right}" if gap > 0 else f"{left}\n{right:>{end}}"


def _at_right(label: str, figure: str) -> str:
    return _ends(_BESIDE + label, figure)
