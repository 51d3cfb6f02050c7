"""What a meter counts of the usage of an event, and of sums of usage."""

from collections.abc import Mapping

from pricing.meters.meter import Meter
from pricing.quantities import Quantities
from pricing.units import Unit

_INPUT_TOKENS = Unit.INPUT_TOKENS.value


def metered_units(meter: Meter) -> frozenset[str]:
    """Give the values of the `Unit`s that a meter counts; empty for one that counts requests."""
    return frozenset() if meter.counting is None else meter.counting.units


def metered_quantity(meter: Meter, quantities: Quantities) -> int:
    """Give what a meter counts of one event, in stored integers; 0 when it counts nothing."""
    if meter.counting is None:
        return 0
    quantity = metered_sum(meter, quantities.other or {}, requests=1)
    if _INPUT_TOKENS in meter.counting.units:
        quantity += quantities.uncached_input_tokens + quantities.cached_input_tokens
        quantity += quantities.output_tokens
    return quantity


def metered_sum(meter: Meter, sums: Mapping[str, int], requests: int) -> int:
    """Give what a meter counts of many events, in stored integers; 0 when it counts nothing.

    Args:
        meter: The schedule.
        sums: What the events used, by the value of each `Unit`. No part overlaps another: input
            tokens are those that no other unit counts.
        requests: How many events there are.
    """
    if meter.counting is None:
        return 0
    if meter.counting.counts_requests:
        return requests
    units = meter.counting.units
    return sum(quantity for unit, quantity in sums.items() if unit in units)
