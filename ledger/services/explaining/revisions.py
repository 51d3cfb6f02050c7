"""One revision of a request, explained: its quantities, prices and arithmetic, and whether it says the same.

Amounts are worked out anew from the prices and compared with what is recorded; `differences` names every
figure that is not the same.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from ledger.core.explanation import (
    INPUT,
    Arithmetic,
    Fee,
    Step,
    price_words,
    table_for,
    unrated_reason,
    work_out,
)
from ledger.core.instants import format_instant
from ledger.core.price_lists import combination_text
from ledger.core.rating import combination_for
from ledger.core.rows import Dimension
from ledger.services.explaining.rows import (
    FEE,
    OTHER,
    Amounts,
    Row,
    amounts_of,
    cost_of,
    counts_of,
    quantities_body,
    quantities_of,
    spend_of,
)
from ledger.store.meters import read_meter
from pricing import Quantities, RateBook, RateSet, RateTable, format_amount

SPEND_RULES = {"managed": "managed: cost + fee", "byok": "byok: fee only, cost is a memo"}
TOKENS = ("input_tokens", "cached_input_tokens", "output_tokens")


class Known(msgspec.Struct, frozen=True):
    """The rate tables that revisions are explained by, and what is published about those they name."""

    book: RateBook
    tables: Mapping[int, Row]


def revision_body(row: Row, before: Sequence[Row], known: Known) -> dict[str, Any]:
    """One revision; `before` are those that it follows."""
    version = row["rate_version"]
    table = None if version is None else known.book.published(version).table
    work = _work(row, table)
    differences = _differences(row, before, work)
    if table is not None:
        differences += _altered(table, known.tables[version])
    return {
        "revision": row["revision"],
        "kind": row["kind"],
        "recorded_at": format_instant(row["recorded_at"]),
        "lane": row["lane"],
        "batch": row["batch"],
        "digest": row["digest"],
        "decided_by": row["actor"],
        "reason": row["reason"],
        "idempotency_key": row["idempotency_key"],
        "rerated": _rerated(row, before, known),
        "negates": row["revision"] - 1 if row["requests"] < 0 else None,
        "provider": row["provider"],
        "model": row["model"],
        "requests": row["requests"],
        "quantities": quantities_body(row),
        "unrated_reason": _unrated_reason(row, before, known.book),
        **_amounts(row, work),
        "rates": None if table is None else _rates(table, row, known.tables[version]),
        "meter": _meter_body(row),
        "agrees": not differences,
        "differences": differences,
    }


def _rerated(row: Row, before: Sequence[Row], known: Known) -> dict[str, str | None] | None:
    """From which version of a rate table to which a row was rated again, and by which job.

    None where that is not why it is there; a version is None where there was no price, and `to` on the
    negation, which the new statement follows.
    """
    if row["job"] is None:
        return None
    is_negation = row["requests"] < 0
    return {
        "job": row["job"],
        "from": _version(row if is_negation or not before else before[-1], known),
        "to": None if is_negation else _version(row, known),
    }


def _version(row: Row, known: Known) -> str | None:
    """The name of the version of a rate table that priced a row."""
    version = row["rate_version"]
    if version is None:
        return None
    table = known.book.published(version).table
    return f"{table.provider} {table.version}"


def _work(row: Row, table: RateTable | None) -> Arithmetic | None:
    """The arithmetic of a statement that was rated; None for every other row, and if nothing prices it."""
    if table is None or row["requests"] <= 0 or row["unrated"]:
        return None
    quantities = quantities_of(row)
    rates = _rate_set(table, row, quantities)
    return work_out(quantities, rates, read_meter(row)) if rates else None


def _rate_set(table: RateTable, row: Row, quantities: Quantities) -> RateSet | None:
    """The prices of a table that count for a row."""
    listing = table.find(row["model"])
    if listing is None:
        return None
    return listing.rates.rates_for(combination_for(_dimension(row)), quantities)


def _dimension(row: Row) -> Dimension:
    return Dimension(*(row[name] for name in Dimension._fields))


def _unrated_reason(row: Row, before: Sequence[Row], book: RateBook) -> str | None:
    """Why a statement has no rate, by the tables known now; a replacement is asked for in the same table."""
    if row["requests"] <= 0 or not row["unrated"]:
        return None
    replaced = before[-1]["rate_version"] if before else None
    dimension = _dimension(row)
    table = table_for(book, dimension.provider, row["occurred_at"], replaced)
    return unrated_reason(dimension, quantities_of(row), table)


def _amounts(row: Row, work: Arithmetic | None) -> dict[str, Any]:
    """The arithmetic of a row; where there is none of its own, the recorded amounts alone."""
    is_rated = work is not None or row["fee_pico"] is not None
    work = work or Arithmetic((), cost_of(row) or 0, Fee("", None, row["fee_pico"] or 0))
    parts = [format_amount(work.cost_pico), format_amount(work.fee.amount_pico)]
    owed = parts if row["key_type"] == "managed" else parts[1:]
    spend_pico = spend_of(row["key_type"], work.cost_pico, work.fee.amount_pico)
    return {
        "steps": [_step_body(step) for step in work.steps],
        "cost": {
            "arithmetic": " + ".join(format_amount(step.amount_pico) for step in work.steps),
            "amount": parts[0] if is_rated else None,
        },
        "fee": {
            "arithmetic": work.fee.arithmetic,
            "exact": work.fee.exact,
            "amount": parts[1] if is_rated else None,
            "rounded": work.fee.exact is not None,
        },
        "spend": {
            "rule": SPEND_RULES[row["key_type"]],
            "arithmetic": " + ".join(owed) if work.steps else "",
            "amount": format_amount(spend_pico) if is_rated else None,
        },
    }


def _step_body(step: Step) -> dict[str, Any]:
    return {
        "unit": _unit_name(step.unit),
        "quantity": step.quantity,
        "price": step.price,
        "per": step.per,
        "priced_as": step.priced_as,
        "arithmetic": step.arithmetic,
        "exact": step.exact,
        "amount": format_amount(step.amount_pico),
        "rounded": step.exact is not None,
    }


def _differences(
    row: Row, before: Sequence[Row], work: Arithmetic | None
) -> list[dict[str, str | None]]:
    """Every figure that is recorded otherwise than it follows from the prices, or from what is negated."""
    if row["requests"] < 0 and before:
        negated = {name: -count for name, count in counts_of(before[-1]).items()}
        amounts = {name: None if it is None else -it for name, it in amounts_of(before[-1]).items()}
        return [
            *_unequal(counts_of(row), negated, str),
            *_unequal_amounts(amounts_of(row), amounts),
        ]
    return _unequal_amounts(amounts_of(row), _computed(row, work))


def _altered(table: RateTable, published: Row) -> list[dict[str, str | None]]:
    """Whether a table says today what its fingerprint was taken of."""
    names = {"recorded": published["fingerprint"], "computed": table.fingerprint}
    return [] if len(set(names.values())) == 1 else [{"field": "rate table fingerprint", **names}]


def _computed(row: Row, work: Arithmetic | None) -> Amounts:
    """The amounts that a row should have."""
    if work is None:
        return dict.fromkeys(amounts_of(row))
    steps = {step.unit: step.amount_pico for step in work.steps}
    other = sum(amount for unit, amount in steps.items() if unit not in TOKENS)
    return {**dict.fromkeys(amounts_of(row), 0), **steps, OTHER: other, FEE: work.fee.amount_pico}


def _unequal_amounts(recorded: Amounts, computed: Amounts) -> list[dict[str, str | None]]:
    """Amounts by names that cannot be taken for those of the quantities."""
    return _unequal(_named(recorded), _named(computed), format_amount)


def _named(amounts: Amounts) -> Amounts:
    return {_amount_name(unit): it for unit, it in amounts.items()}


def _amount_name(unit: str) -> str:
    if unit == FEE:
        return FEE
    return "amount of other units" if unit == OTHER else f"amount of {_unit_name(unit)}"


def _unit_name(unit: str) -> str:
    """What the price of input is multiplied with: cached input stands beside it."""
    return "uncached_input_tokens" if unit == INPUT else unit


def _unequal(
    recorded: Mapping[str, int | None],
    computed: Mapping[str, int | None],
    text: Callable[[int], str],
) -> list[dict[str, str | None]]:
    pairs = {name: (recorded.get(name), computed.get(name)) for name in {**recorded, **computed}}
    return [
        {
            "field": name,
            "recorded": None if was is None else text(was),
            "computed": None if should is None else text(should),
        }
        for name, (was, should) in pairs.items()
        if was != should
    ]


def _rates(table: RateTable, row: Row, published: Row) -> dict[str, Any]:
    rates = _rate_set(table, row, quantities_of(row))
    return {
        "provider": table.provider,
        "version": table.version,
        "file": published["file"],
        "source": published["source"],
        "currency": published["currency"],
        "effective_from": format_instant(published["effective_from"]),
        "published_at": published["published_at"] and format_instant(published["published_at"]),
        "fingerprint": published["fingerprint"],
        "called_as": combination_text(combination_for(_dimension(row))),
        "billed_as": row["billed_as"],
        "prices": rates and price_words(rates),
    }


def _meter_body(row: Row) -> dict[str, Any] | None:
    if row["meter_slug"] is None:
        return None
    terms = msgspec.json.decode(row["terms"]) if row["terms"] else {}
    return {
        "slug": row["meter_slug"],
        "version": row["meter_number"],
        "kind": row["meter_kind"],
        "percentage": row["percentage"],
        "unit": terms.get("unit"),
        "rate": terms.get("rate"),
    }
