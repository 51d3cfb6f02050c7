"""The explanation of a request as one page of plain text, to be followed with a pocket calculator.

Fits 80 columns where names do; no figure is ever cut.
"""

from collections.abc import Iterable, Iterator, Sequence
from textwrap import wrap
from typing import Any

from ledger.core.price_lists import PLAIN
from ledger.core.visible import visible
from ledger.services.invoice_text import COLUMNS

_INDENT = "  "
_LABELS = {
    "uncached_input_tokens": "uncached",
    "cached_input_tokens": "cached",
    "output_tokens": "output",
}
_LABEL_COLUMNS = 10
_TABLE_COLUMNS = 12
_UNMETERED = {
    "pending": "counts nothing: the request had not completed",
    "error": "counts nothing: the request failed",
}
_AGREES = "Every recorded amount equals what is worked out here."
_DIFFERS = "NOT EVERY RECORDED AMOUNT EQUALS WHAT IS WORKED OUT HERE: see WRONG."

Term = tuple[str, str, str]  # a label, how a figure comes about, the figure


def render_request(explanation: dict[str, Any]) -> str:
    """Write what `ledger.services.explaining.explain_request` gives as plain text."""
    revisions = explanation["revisions"]
    return "\n".join(
        (
            *_head(explanation),
            *(line for revision in revisions for line in _revision(revision)),
            *_total(explanation),
            *_tables(revisions),
            "",
            _AGREES if explanation["agrees"] else _DIFFERS,
            "",
        )
    )


def labelled(label: str, text: str, columns: int = _LABEL_COLUMNS) -> list[str]:
    """A text beside its label, wrapped within 80 columns."""
    start = _INDENT + label.ljust(columns)
    more = " " * len(start)
    return wrap(
        visible(text),
        COLUMNS,
        initial_indent=start,
        subsequent_indent=more,
        break_on_hyphens=False,
    )


def equations(terms: Sequence[Term], columns: int = _LABEL_COLUMNS) -> Iterator[str]:
    """Terms below each other, with the equals signs and the ends of the figures in one column."""
    widest = max(len(how) for _, how, _ in terms)
    longest = max(len(figure) for *_, figure in terms)
    for label, how, figure in terms:
        middle = f"{how.ljust(widest)} = " if widest else ""
        yield f"{_INDENT}{label.ljust(columns)}{middle}{figure.rjust(longest)}"


def wrong(texts: Iterable[str]) -> Iterator[str]:
    """What is said about each figure that is recorded otherwise than it was worked out."""
    for text in texts:
        yield from labelled("WRONG", text)


def _head(explanation: dict[str, Any]) -> Iterator[str]:
    name = f"Request {explanation['request_id']} of {explanation['customer_id']}"
    yield f"{visible(name)}, {explanation['timestamp']}"
    model = explanation["model"] or "no model"
    yield visible(f"{explanation['provider'] or 'unknown provider'}, {model}")
    words = [explanation["status"], f"{explanation['key_type']} key"]
    if explanation["service_tier"] is not None:
        words.append(f"service tier {explanation['service_tier']}")
    if explanation["batch"]:
        words.append("batch call")
    yield visible(", ".join(words))


def _revision(revision: dict[str, Any]) -> Iterator[str]:
    yield ""
    yield (
        f"Revision {revision['revision']}, {revision['kind']}, recorded {revision['recorded_at']}"
        f" in batch {revision['lane']}-{revision['batch']}"
    )
    if revision["decided_by"] is not None:
        yield from labelled("decided", _decision_words(revision))
    if revision["rerated"] is not None:
        yield from labelled("re-rated", _rerating_words(revision["rerated"]))
    if revision["kind"] in _UNMETERED:
        yield from labelled("", _UNMETERED[revision["kind"]])
    elif revision["negates"] is not None:
        yield from _reversal(revision)
    elif revision["cost"]["amount"] is None:
        yield from _unrated(revision)
    else:
        yield from _rated(revision)
    yield from wrong(_difference_words(each) for each in revision["differences"])
    if revision["digest"] is not None:
        yield from labelled("digest", revision["digest"])
    yield from labelled("invoiced", _invoiced(revision["invoice"]))


def _decision_words(revision: dict[str, Any]) -> str:
    words = f"by {revision['decided_by']}"
    if revision["reason"] is not None:
        words += f": {revision['reason']}"
    if revision["idempotency_key"] is not None:
        words += f" (key {revision['idempotency_key']})"
    return words


def _rerating_words(rerated: dict[str, Any]) -> str:
    before = rerated["from"] or "no price"
    return f"from {before}" if rerated["to"] is None else f"from {before} to {rerated['to']}"


def _rated(revision: dict[str, Any]) -> Iterator[str]:
    """A statement with its arithmetic."""
    steps, fee, spend = revision["steps"], revision["fee"], revision["spend"]
    terms = [(_label(step, revision), step["arithmetic"], step["amount"]) for step in steps]
    terms.append(("cost", "the sum", revision["cost"]["amount"]))
    terms.append(("fee", _fee_words(revision), fee["amount"]))
    terms.append(("spend", spend["rule"], spend["amount"]))
    columns = max(_LABEL_COLUMNS, *(len(label) + 1 for label, *_ in terms))
    yield from equations(terms, columns)
    for step in steps:
        if step["rounded"]:
            label = _label(step, revision)
            yield from labelled("rounded", f"{label}, half to even, from {step['exact']}")
        if step["priced_as"] != step["unit"] and step["unit"] == "cached_input_tokens":
            yield from labelled("price", "cached input has none of its own and is priced as input")
    if fee["rounded"]:
        yield from labelled("rounded", f"fee, half to even, from {fee['exact']}")
    rates = revision["rates"]
    yield from labelled("rates", f"{rates['provider']} {rates['version']}, file {rates['file']}")
    if rates["billed_as"] is not None:
        yield from labelled("billed as", rates["billed_as"])
    if rates["called_as"] != PLAIN:
        yield from labelled("called as", rates["called_as"])
    if revision["meter"] is not None:
        yield from labelled("meter", _meter_words(revision["meter"]))


def _reversal(revision: dict[str, Any]) -> Iterator[str]:
    yield from labelled("negates", f"revision {revision['negates']}, in every figure")
    yield from labelled("counts", _counts(revision))
    if revision["cost"]["amount"] is None:
        yield from labelled("unrated", "as that was")
        return
    yield from equations(
        [(name, "", revision[name]["amount"]) for name in ("cost", "fee", "spend")]
    )


def _unrated(revision: dict[str, Any]) -> Iterator[str]:
    yield from labelled("counts", _counts(revision))
    yield from labelled("unrated", "cost, fee and spend are unknown and count 0")
    if revision["unrated_reason"] is not None:
        yield from labelled("why", f"by the tables known now: {revision['unrated_reason']}")


def _counts(revision: dict[str, Any]) -> str:
    figures = {"requests": revision["requests"], **revision["quantities"]}
    return ", ".join(f"{name} {figure}" for name, figure in figures.items() if figure)


def _difference_words(difference: dict[str, Any]) -> str:
    recorded, computed = difference["recorded"], difference["computed"]
    return f"{difference['field']}: recorded {recorded}, worked out {computed}"


def _label(step: dict[str, Any], revision: dict[str, Any]) -> str:
    unit: str = step["unit"]
    if unit == "uncached_input_tokens" and not revision["quantities"]["cached_input_tokens"]:
        return "input"
    return _LABELS.get(unit, unit)


def _fee_words(revision: dict[str, Any]) -> str:
    meter = revision["meter"]
    if meter is None or meter["percentage"] is None:
        arithmetic: str = revision["fee"]["arithmetic"]
        return arithmetic
    return f"{meter['percentage']}% of cost"


def _meter_words(meter: dict[str, Any]) -> str:
    return f"{meter['slug']}, version {meter['version']}: {_charge(meter)}"


def _charge(meter: dict[str, Any]) -> str:
    if meter["percentage"] is not None:
        return f"{meter['percentage']}% of cost"
    if meter["rate"] is not None:
        return f"{meter['rate']} for each of {meter['unit']}"
    return "no fee" if meter["kind"] == "none" else f"{meter['kind']} tiers of its month's use"


def _invoiced(invoice: dict[str, Any]) -> str:
    number, line = invoice["number"], invoice["line"]
    if invoice["state"] == "invoiced":
        return f"{number}, line {line}"
    if invoice["state"] == "came_to_nothing":
        return f"settled by {number}, where it came to nothing"
    if invoice["state"] == "uncertain":
        return f"{number} or the one after it: {number} was drafted before cuts were kept"
    return "not: it counts nothing" if invoice["state"] == "unmetered" else "not yet"


def _total(explanation: dict[str, Any]) -> Iterator[str]:
    total = explanation["total"]
    yield ""
    yield "Total of all revisions, as recorded"
    requests = f"{total['requests']}"
    if total["unrated_requests"]:
        requests += f", of which unrated {total['unrated_requests']}"
    yield from labelled("requests", requests)
    yield from equations([(name, "", total[name]) for name in ("cost", "fee", "spend")])


def _tables(revisions: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Each rate table and price that was used, once."""
    used = {
        (each["rates"]["fingerprint"], each["model"], each["rates"]["prices"]): each["rates"]
        for each in revisions
        if each["rates"]
    }
    for rates in used.values():
        yield ""
        yield f"Rate table {rates['provider']} {rates['version']}, in {rates['currency']}"
        for label, text in (
            ("in force", f"from {rates['effective_from']}"),
            ("published", rates["published_at"] or "not known"),
            ("file", rates["file"]),
            ("fingerprint", rates["fingerprint"]),
            ("prices", rates["prices"] or "none for this model"),
            ("source", rates["source"]),
        ):
            yield from labelled(label, text, _TABLE_COLUMNS)
