"""Rating: usage times rate is cost."""

from pricing.money import check_amount
from pricing.prices import BILLABLE_REQUESTS, CACHED_INPUT, INPUT, OUTPUT, Rate, RateSet
from pricing.quantities import Costs, Quantities


def counted(quantities: Quantities, rates: RateSet) -> Quantities:
    """Give the usage of one event with the request itself counted, where that has a price."""
    if BILLABLE_REQUESTS not in rates.rates:
        return quantities
    other = {**(quantities.other or {}), BILLABLE_REQUESTS: 1}
    return Quantities(
        quantities.uncached_input_tokens,
        quantities.cached_input_tokens,
        quantities.output_tokens,
        other,
    )


def rate(quantities: Quantities, rates: RateSet) -> Costs | None:
    """Price the usage of one event.

    Each kind is priced by itself and rounded half-even at most once. Cached input without a price
    of its own costs as much as input, reasoning as much as output.

    Returns:
        The cost by kind in pico, or None when some quantity has no price (the event is unrated).

    Raises:
        AmountOutOfRange: A part or the total does not fit an amount.
    """
    prices_pico = rates.token_prices_pico
    if prices_pico is None or quantities.other is not None:
        costs = _rate_kind_by_kind(quantities, rates)
    else:
        costs = Costs(
            quantities.uncached_input_tokens * prices_pico[0],
            quantities.cached_input_tokens * prices_pico[1],
            quantities.output_tokens * prices_pico[2],
        )
    if costs is not None:
        # No part is negative, so a total that fits means that every part fits.
        check_amount(costs.total_pico)
    return costs


def _rate_kind_by_kind(quantities: Quantities, rates: RateSet) -> Costs | None:
    """Price usage where a kind is not a token or has no price of whole pico."""
    used = {
        INPUT: quantities.uncached_input_tokens,
        CACHED_INPUT: quantities.cached_input_tokens,
        OUTPUT: quantities.output_tokens,
        **(quantities.other or {}),
    }
    parts_pico = {}
    for unit, quantity in used.items():
        part_pico = _part_pico(quantity, rates.rate_for(unit))
        if part_pico is None:
            return None
        parts_pico[unit] = part_pico
    return Costs(
        parts_pico.pop(INPUT),
        parts_pico.pop(CACHED_INPUT),
        parts_pico.pop(OUTPUT),
        parts_pico or None,
    )


def _part_pico(quantity: int, rate: Rate | None) -> int | None:
    """Price one kind; None when there is something to price and no price."""
    if quantity == 0:
        return 0
    return None if rate is None else rate.cost_pico(quantity)
