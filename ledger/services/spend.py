"""Answering what was spent."""

from typing import Any

from ledger.clock import Clock
from ledger.core.cuts import format_as_of
from ledger.core.instants import format_instant
from ledger.core.spend import SpendAnswer, SpendFigures, SpendQuery, merge
from ledger.core.usage_objects import SECONDS_FIELDS
from ledger.store.database import Database
from ledger.store.log import read_cut
from ledger.store.spend import read_spend
from pricing import format_amount

_MICROS_PER_SECOND = 1_000_000


async def answer_spend(database: Database, clock: Clock, question: SpendQuery) -> SpendAnswer:
    """Answer a question from one snapshot. What is acknowledged before the call is in it.

    Raises:
        TooManyRows: the answer would have more than 10,000 rows.
    """
    async with database.snapshot() as connection:
        # The cut is read first: it fixes the snapshot that everything after it is read in.
        as_of = format_as_of(clock.now(), await read_cut(connection))
        parts = await read_spend(connection, question)
    return merge(question, parts, as_of)


def spend_body(answer: SpendAnswer, currency: str) -> dict[str, Any]:
    """An answer as the interface shows it."""
    question = answer.query
    return {
        "from": format_instant(question.span.start_at),
        "to": format_instant(question.span.end_at),
        "currency": currency,
        "group_by": list(question.group_by),
        "rows": [
            {**dict(zip(question.group_by, group, strict=True)), **figures_body(figures)}
            for group, figures in answer.rows
        ],
        "totals": figures_body(answer.totals),
        "unrated_requests": answer.totals.unrated,
        "as_of": answer.as_of,
    }


def figures_body(figures: SpendFigures) -> dict[str, Any]:
    """The sums of one group: counts as numbers, amounts as decimal strings, other units if there are any."""
    return {
        "requests": figures.requests,
        "input_tokens": figures.uncached_input_tokens + figures.cached_input_tokens,
        "cached_input_tokens": figures.cached_input_tokens,
        "output_tokens": figures.output_tokens,
        **{
            unit: quantity_body(unit, count)
            for unit, count in sorted(figures.units.items())
            if count
        },
        "cost": format_amount(figures.cost_pico),
        "fee": format_amount(figures.fee_pico),
        "spend": format_amount(figures.spend_pico),
    }


def quantity_body(unit: str, quantity: int) -> int | str:
    """A quantity as it is shown: seconds as a decimal string, everything else as a number."""
    if unit not in SECONDS_FIELDS:
        return quantity
    sign = "-" if quantity < 0 else ""
    whole, micros = divmod(abs(quantity), _MICROS_PER_SECOND)
    return f"{sign}{whole}.{micros:06d}"
