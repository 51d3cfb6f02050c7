"""What an audit of the log computes anew: the amounts of a row from its quantities."""

from collections.abc import Sequence
from typing import Any

import msgspec

from ledger.core.rating import event_fee_pico
from pricing import (
    BILLABLE_REQUESTS,
    STANDARD,
    AmountOutOfRange,
    Combination,
    Meter,
    ModelRates,
    Quantities,
    RateSet,
    counted,
    format_amount,
    rate,
)

# The amounts of an event in pico units: input, cached input, output, other, fee, and other by unit.
Amounts = tuple[int | None, int | None, int | None, int | None, int | None, dict[str, int | None]]

Units = dict[str, tuple[int | None, int | None]]  # {unit: (quantity, amount)}, as stored


class Prices(msgspec.Struct, frozen=True):
    """What the events of a dimension are priced by; `rates` None means that nothing prices them.

    `is_rated` says whether the dimension names a rate table at all.
    """

    is_rated: bool
    rates: ModelRates | None
    meter: Meter | None
    combination: Combination = STANDARD

    def rates_for(self, quantities: Quantities) -> RateSet | None:
        """What prices an event with these quantities."""
        return self.rates.rates_for(self.combination, quantities) if self.rates else None


NO_PRICES = Prices(is_rated=False, rates=None, meter=None)


def amounts_difference(row: Sequence[Any], prices: Prices) -> dict[str, Any] | None:
    """What the amounts of a row of `usage_event` are and what they should be, if that is not the same."""
    (
        _, _, uncached_input_tokens, cached_input_tokens, output_tokens,
        input_pico, cached_input_pico, output_pico, other_pico, event_fee_pico,
        _, _, _, _, _, _, _, requests, unrated, _, other_units, _, _,
    ) = row  # fmt: skip
    if other_units is None and requests == 1 and prices.rates is not None and not unrated:
        # Nearly every row is of tokens and as it should be; that can be seen at half the price.
        used = Quantities(uncached_input_tokens, cached_input_tokens, output_tokens)
        recorded = (input_pico, cached_input_pico, output_pico, other_pico, event_fee_pico)
        if _token_amounts(used, prices) == recorded:
            return None
    try:
        units = msgspec.json.decode(other_units, type=Units) if other_units else {}
    except msgspec.ValidationError as error:
        return {"stored": other_units, "expected": f"{{unit: [quantity, amount]}} ({error})"}
    stored: Amounts = (
        input_pico,
        cached_input_pico,
        output_pico,
        other_pico,
        event_fee_pico,
        {unit: pico for unit, (_, pico) in units.items()},
    )
    expected: Amounts | None
    if requests and not unrated:
        sign = 1 if requests > 0 else -1  # a reversal is the negation of what it reverses
        other = {unit: sign * (quantity or 0) for unit, (quantity, _) in units.items()}
        other.pop(
            BILLABLE_REQUESTS, None
        )  # whether a request is charged for as such, its prices say
        quantities = Quantities(
            sign * uncached_input_tokens,
            sign * cached_input_tokens,
            sign * output_tokens,
            other or None,
        )
        expected = _amounts(quantities, prices, sign)
    else:
        unknown = dict.fromkeys(units)
        expected = None if prices.is_rated else (None, None, None, None, None, unknown)
    if stored == expected:
        return None
    return {"stored": _shown(stored), "expected": expected and _shown(expected)}


def _token_amounts(used: Quantities, prices: Prices) -> tuple[int, int, int, int, int] | None:
    """The amounts of tokens: input, cached input, output, other, fee; None when nothing prices them."""
    rates = prices.rates_for(used)
    try:
        if rates is None or BILLABLE_REQUESTS in rates.rates:
            return None  # then there is more than tokens to it
        costs = rate(used, rates)
        if costs is None:
            return None
        fee = event_fee_pico(prices.meter, costs, used)
    except AmountOutOfRange:
        return None
    return costs.input_pico, costs.cached_input_pico, costs.output_pico, 0, fee


def _amounts(quantities: Quantities, prices: Prices, sign: int) -> Amounts | None:
    """The amounts of quantities; None when nothing prices them."""
    rates = prices.rates_for(quantities)
    try:
        quantities = counted(quantities, rates) if rates else quantities
        costs = rate(quantities, rates) if rates else None
        if costs is None:
            return None
        fee = event_fee_pico(prices.meter, costs, quantities)
    except AmountOutOfRange:
        return None
    others = costs.other_pico or {}
    return (
        sign * costs.input_pico,
        sign * costs.cached_input_pico,
        sign * costs.output_pico,
        sign * sum(others.values()),
        sign * fee,
        {unit: sign * pico for unit, pico in others.items()},
    )


def _shown(amounts: Amounts) -> dict[str, Any]:
    *several, by_unit = amounts
    names = ("input", "cached_input", "output", "other", "fee")
    shown: dict[str, Any] = {
        name: None if pico is None else format_amount(pico)
        for name, pico in zip(names, several, strict=True)
    }
    if by_unit:
        shown["by_unit"] = {
            unit: None if pico is None else format_amount(pico) for unit, pico in by_unit.items()
        }
    return shown
