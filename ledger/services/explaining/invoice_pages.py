"""The explanations of an invoice and of one of its lines as pages of plain text."""

from collections.abc import Iterator, Sequence
from shlex import quote
from textwrap import wrap
from typing import Any

from ledger.core.visible import visible
from ledger.services.explaining.fee_pages import fee_page
from ledger.services.explaining.request_pages import equations, labelled, wrong
from ledger.services.explaining.tables import table
from ledger.services.invoice_text import COLUMNS

_FIGURE_COLUMNS = 21
_AMOUNTS = ("cost", "fee", "exact")
_COUNTS = ("requests", "input_tokens", "cached_input_tokens", "output_tokens")
_METHOD = (
    "The exact amounts are summed up and rounded once, half up. Every line is rounded down; what the lines"
    " then lack goes, one smallest unit each, to the lines with the largest remainders, the earlier first."
)
_AGREES = "Every figure equals what is worked out here."
_DIFFERS = "NOT EVERY FIGURE EQUALS WHAT IS WORKED OUT HERE: see WRONG."
_NOT_TOLD = (
    "Which records it billed is not told: this invoice or the one before it was drafted before cuts were"
    " kept."
)


def render_invoice_explanation(explanation: dict[str, Any]) -> str:
    """Write what `explain_invoice` gives as plain text."""
    number = explanation["number"]
    return "\n".join(
        (
            f"{_title(explanation)}, total {explanation['total']}",
            *_period("Billing period", explanation),
            "",
            *_shares(explanation["lines"]),
            "",
            *_sharing(explanation),
            "",
            f"What a line billed: ledger explain {number} --line 1",
            *_verdict(explanation),
            "",
        )
    )


def render_line_explanation(explanation: dict[str, Any]) -> str:
    """Write what `explain_invoice_line` gives as plain text."""
    return "\n".join(
        (
            f"{_title(explanation)}, line {explanation['line']} of {explanation['lines']}",
            visible(_kind(explanation)),
            *_period("Service period", explanation),
            "",
            *_figures(explanation),
            "",
            *_share(explanation),
            "",
            *_usage(explanation),
            "",
        )
    )


def _title(explanation: dict[str, Any]) -> str:
    return visible(
        f"Invoice {explanation['number']} of {explanation['customer_id']} in {explanation['currency']}"
    )


def _kind(line: dict[str, Any]) -> str:
    """What a line is for."""
    if "meter" in line:
        return f"tiered fee of the meter {line['meter']}"
    provider, model = line["provider"] or "unknown provider", line["model"] or "unknown model"
    return f"{provider}, {model}, {line['key_type']} key"


def _period(label: str, period: dict[str, Any]) -> Iterator[str]:
    yield f"{label} from {period['period_start']} to before {period['period_end']}, UTC"


def _shares(lines: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Each line with its exact amount, what is left of that when it is rounded down, and its share."""
    rows = [("line", "exact", "floor", "remainder", "given", "amount")]
    for line in lines:
        share = line["share"]
        parts = (share[name] for name in ("exact", "rounded_down", "remainder", "given"))
        rows.append((str(line["line"]), *parts, line["amount"]))
    heading, *shown = table(rows)
    yield heading
    for line, row in zip(lines, shown, strict=True):
        yield row
        yield from labelled("", f"{_kind(line)}, {line['period_start'][:7]}", 4)


def _sharing(explanation: dict[str, Any]) -> Iterator[str]:
    sharing = explanation["sharing"]
    yield from equations(
        [
            ("exact", "the sum of the lines", sharing["exact"]),
            ("total", "exact, rounded half up", sharing["total"]),
            ("rounding", "total - exact", sharing["rounding"]),
            ("floors", "the sum of the lines", sharing["rounded_down"]),
            ("lacking", "total - floors", sharing["lacking"]),
        ]
    )
    if sharing["given"]:
        yield from labelled("given to", "line " + ", ".join(map(str, sharing["given"])))
    yield ""
    yield from wrap(_METHOD, COLUMNS)


def _figures(line: dict[str, Any]) -> Iterator[str]:
    yield "What it says"
    figures = [(name, f"{line[name]:,}") for name in _COUNTS]
    figures += [(name, line[name]) for name in _AMOUNTS]
    yield from equations([(name, "", figure) for name, figure in figures], _FIGURE_COLUMNS)
    yield from labelled("exact is", line["spend_rule"], _FIGURE_COLUMNS)


def _share(explanation: dict[str, Any]) -> Iterator[str]:
    share, sharing = explanation["share"], explanation["sharing"]
    yield f"Its share of the total {sharing['total']}, which is {sharing['exact']} rounded half up"
    yield from equations(
        [
            ("floor", "exact, rounded down", share["rounded_down"]),
            ("remainder", "exact - floor", share["remainder"]),
            ("given", f"of {sharing['lacking']} that all floors lack", share["given"]),
            ("amount", "floor + given", share["amount"]),
        ]
    )


def _usage(explanation: dict[str, Any]) -> Iterator[str]:
    """The days and the first records, or why they are not told; of a tiered fee, its tiers."""
    if "versions" in explanation:
        yield from fee_page(explanation)
    elif explanation["sums"] is None:
        yield from labelled("", _NOT_TOLD, 0)
    else:
        yield from _days(explanation)
        yield ""
        yield from _records(explanation)
    if explanation["agrees"] is not None:
        yield ""
        yield from _verdict(explanation)


def _days(explanation: dict[str, Any]) -> Iterator[str]:
    previous = explanation["previous"]
    after = (
        "" if previous is None else f"after the cut {previous['cut']} of {previous['number']} and "
    )
    text = f"What it billed, by UTC day: {after}up to the cut {explanation['cut']}"
    yield from wrap(text, COLUMNS)
    rows = [("day", "requests", *_AMOUNTS)]
    sums = {**explanation["sums"], "day": "sum"}
    for bucket in (*explanation["buckets"], sums):
        amounts = (bucket[name] for name in _AMOUNTS)
        rows.append((bucket["day"], f"{bucket['requests']:,}", *amounts))
    yield from table(rows)


def _records(explanation: dict[str, Any]) -> Iterator[str]:
    """The records, each with its id at the end, where a long one does no harm."""
    records, count = explanation["records"], explanation["record_count"]
    shown = "" if len(records) == count else f"; the first {len(records)} by time"
    yield f"{count:,} record{'' if count == 1 else 's'}{shown}"
    if not records:
        return
    rows = [("second", "revision", "exact")]
    rows += [
        (f"{each['timestamp'][:19]}Z", str(each["revision"]), each["exact"] or "unrated")
        for each in records
    ]
    names = ["request", *(visible(each["request_id"]) for each in records)]
    for row, name in zip(table(rows), names, strict=True):
        yield f"{row}  {name}"
    customer = visible(quote(explanation["customer_id"]))
    yield f"Each in full: ledger explain REQUEST --customer {customer}"


def _verdict(explanation: dict[str, Any]) -> Iterator[str]:
    """Each figure that is not what it should be, and whether there is one."""
    yield from wrong(_difference_words(each) for each in explanation["differences"])
    yield _AGREES if explanation["agrees"] else _DIFFERS


def _difference_words(difference: dict[str, str]) -> str:
    field, recorded, computed = (difference[name] for name in ("field", "recorded", "computed"))
    if field in _COUNTS:
        return f"{field}: the line says {int(recorded):,}, its records {int(computed):,}"
    if field in _AMOUNTS:
        return f"{field}: the line says {recorded}, its records {computed}"
    return f"{field}: recorded {recorded}, worked out {computed}"
