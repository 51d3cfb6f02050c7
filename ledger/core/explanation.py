"""The arithmetic behind an amount, as steps that a pocket calculator can follow.

Every amount is worked out anew by `pricing`; nothing here rounds or multiplies money itself. What stands
beside an amount is the text of how it came about.
"""

from datetime import datetime

import msgspec

from ledger.core.price_lists import combination_text, per_text, price_text
from ledger.core.rating import combination_for
from ledger.core.rows import Dimension
from ledger.core.usage.stated import SECONDS_FIELDS
from pricing import (
    AmountOutOfRange,
    Meter,
    MeterUnit,
    PublishedTable,
    Quantities,
    RateBook,
    RateSet,
    Unit,
    fee_pico,
    format_amount,
    metered_quantity,
    rate,
)

INPUT = Unit.INPUT_TOKENS.value
CACHED_INPUT = Unit.CACHED_INPUT_TOKENS.value
OUTPUT = Unit.OUTPUT_TOKENS.value
MOST_PLACES_BEYOND = 12  # decimals of an unrounded value that are shown after those of an amount

_PER_CENT_MICRO = 100 * 1_000_000  # a percentage is kept in millionths of a percent


class Step(msgspec.Struct, frozen=True):
    """What one quantity costs. `exact` is the unrounded value, where there was something to round.

    `priced_as` names the unit whose price counts: cached input without a price of its own is input, and
    reasoning is output.
    """

    unit: str
    quantity: str
    price: str
    per: str
    priced_as: str
    arithmetic: str
    exact: str | None
    amount_pico: int


class Fee(msgspec.Struct, frozen=True):
    """What the meter adds, and how; `exact` as in `Step`."""

    arithmetic: str
    exact: str | None
    amount_pico: int


class Arithmetic(msgspec.Struct, frozen=True):
    """How the cost and the fee of one statement come about, in pico units."""

    steps: tuple[Step, ...]
    cost_pico: int
    fee: Fee


def work_out(quantities: Quantities, rates: RateSet, meter: Meter | None) -> Arithmetic | None:
    """Price a statement and say how; None when some quantity has no price or an amount is out of range."""
    try:
        costs = rate(quantities, rates)
        if costs is None:
            return None
        fee = _fee(meter, costs.total_pico, quantities)
    except AmountOutOfRange:
        return None
    amounts = {
        INPUT: costs.input_pico,
        CACHED_INPUT: costs.cached_input_pico,
        OUTPUT: costs.output_pico,
        **(costs.other_pico or {}),
    }
    steps = tuple(
        _step(unit, quantity, rates, amounts[unit])
        for unit, quantity in by_unit(quantities).items()
        if quantity
    )
    return Arithmetic(steps, costs.total_pico, fee)


def by_unit(quantities: Quantities) -> dict[str, int]:
    """The stored integers of a statement by unit, tokens first; `input_tokens` are the uncached ones."""
    return {
        INPUT: quantities.uncached_input_tokens,
        CACHED_INPUT: quantities.cached_input_tokens,
        OUTPUT: quantities.output_tokens,
        **dict(sorted((quantities.other or {}).items())),
    }


def quantity_text(unit: str, quantity: int) -> str:
    """A stored quantity in natural units: `1,234` tokens, `12.5` seconds."""
    whole, micros = divmod(abs(quantity), Unit(unit).scale)
    sign = "-" if quantity < 0 else ""
    fraction = f".{micros:06d}".rstrip("0") if unit in SECONDS_FIELDS and micros else ""
    return f"{sign}{whole:,}{fraction}"


def counted_text(counting: MeterUnit, quantity: int) -> str:
    """A stored quantity in what a meter counts, as its tiers are stated: tokens, seconds, requests."""
    is_time = counting is MeterUnit.MINUTES
    return quantity_text(Unit.INPUT_SECONDS if is_time else Unit.INPUT_TOKENS, quantity)


def price_words(rates: RateSet) -> str:
    """The prices of a model as a rate table lists them: `input 0.90 per 1M, output 0.90 per 1M`."""
    return ", ".join(
        f"{Unit(unit).rate_key} {price_text(rate)} per {per_text(unit, rate)}"
        for unit, rate in rates.rates.items()
    )


def unrated_reason(
    dimension: Dimension, quantities: Quantities, table: PublishedTable | None
) -> str:
    """Why a statement has no price, going by the table that would price it and is known now."""
    if dimension.model is None:
        return "it names no model"
    if dimension.provider is None:
        return "no provider is stated, and when it came no single provider's table in force listed the model"
    if table is None:
        return f"no rate table of {dimension.provider} is in force at that time"
    return _lack(dimension, dimension.model, quantities, table)


def table_for(
    book: RateBook, provider: str | None, at: datetime, replaced: int | None
) -> PublishedTable | None:
    """The table that would price a statement: that of what it replaces, else the one in force."""
    if replaced is not None:
        return book.published(replaced)
    return None if provider is None else book.in_force(provider, at)


def _lack(
    dimension: Dimension, model: str, quantities: Quantities, published: PublishedTable
) -> str:
    """What a table does not price in a statement."""
    name = f"the rate table {published.table.provider} {published.table.version}"
    listing = published.table.find(model)
    if listing is None:
        return f"{name} does not list the model"
    rates = listing.rates.rates_for(combination_for(dimension), quantities)
    if rates is None:
        return (
            f"{name} has no prices of the model for {combination_text(combination_for(dimension))}"
        )
    used = by_unit(quantities)
    missing = [unit for unit in used if used[unit] and rates.rate_for(unit) is None]
    if missing:
        return f"{name} has no price of the model for {', '.join(missing)}"
    return f"no price was known when it came; {name} has one now"


def _step(unit: str, quantity: int, rates: RateSet, amount_pico: int) -> Step:
    priced_as = rates.priced_as(unit) or unit
    rate = rates.rates[priced_as]
    count = rate.per_quantity // Unit(unit).scale
    shown = quantity_text(unit, quantity)
    price = price_text(rate)
    return Step(
        unit=unit,
        quantity=shown,
        price=price,
        per=per_text(unit, rate),
        priced_as=priced_as,
        arithmetic=f"{shown} x {price}" + (f" / {count:,}" if count > 1 else ""),
        exact=_unrounded(quantity * rate.price_pico, rate.per_quantity),
        amount_pico=amount_pico,
    )


def _fee(meter: Meter | None, cost_pico: int, quantities: Quantities) -> Fee:
    if meter is None:
        return Fee("no meter, no fee", None, 0)
    quantity = metered_quantity(meter, quantities)
    amount_pico = fee_pico(meter, cost_pico, quantity)
    if meter.is_tiered:
        return Fee("none of its own: the fee is on the month's whole use, by tiers", None, 0)
    if meter.fixed_rate is not None and meter.counting is not None:
        count = meter.counting.per_quantity // meter.counting.scale
        words = f"{counted_text(meter.counting, quantity)} x {meter.rate}"
        return Fee(
            words + (f" / {count:,}" if count > 1 else ""),
            _unrounded(quantity * meter.fixed_rate.price_pico, meter.fixed_rate.per_quantity),
            amount_pico,
        )
    if meter.percentage is None:
        return Fee("the meter charges nothing", None, amount_pico)
    return Fee(
        f"{format_amount(cost_pico)} x {meter.percentage} / 100",
        _unrounded(cost_pico * meter.percentage_micro, _PER_CENT_MICRO),
        amount_pico,
    )


def _unrounded(numerator: int, denominator: int) -> str | None:
    """A fraction of pico units as a decimal beyond their 12 places; None when it is a whole number of them.

    Ends in `...` where the decimals go on.
    """
    whole, rest = divmod(numerator, denominator)
    if not rest:
        return None
    digits = ""
    while rest and len(digits) < MOST_PLACES_BEYOND:
        digit, rest = divmod(10 * rest, denominator)
        digits += str(digit)
    return f"{format_amount(whole)}{digits}{'...' if rest else ''}"
