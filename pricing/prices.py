"""Single prices, and sets of them that price an event whole."""

from collections.abc import Mapping
from functools import cached_property
from math import gcd
from types import MappingProxyType

from msgspec import Struct

from pricing.money import divide_half_even
from pricing.units import Unit

# Plain text, because looking up a member of an enum costs more than the multiplication it serves.
INPUT = Unit.INPUT_TOKENS.value
CACHED_INPUT = Unit.CACHED_INPUT_TOKENS.value
OUTPUT = Unit.OUTPUT_TOKENS.value
BILLABLE_REQUESTS = Unit.BILLABLE_REQUESTS.value

# What a unit without a price of its own bills as, since it is the same to its provider. There is no
# other stand-in: what has no price makes an event unrated.
BILLS_AS: Mapping[str, str] = MappingProxyType(
    {
        CACHED_INPUT: INPUT,
        Unit.CACHED_AUDIO_INPUT_TOKENS.value: Unit.AUDIO_INPUT_TOKENS.value,
        Unit.REASONING_TOKENS.value: OUTPUT,
    }
)


class Rate(Struct, frozen=True):
    """One price, as stated: so many pico for so many stored integers of a unit.

    Attributes:
        price_pico: The price of `per_quantity`. It may be wider than an amount, since the price
            of a million can be.
        per_quantity: Stored integers that the price buys: 1,000,000 for "per 1M tokens",
            60,000,000 for "per minute" because seconds are stored in microseconds.
    """

    price_pico: int
    per_quantity: int

    def cost_pico(self, quantity: int) -> int:
        """Price a quantity of stored integers, rounded half-even to a whole pico."""
        return divide_half_even(quantity * self.price_pico, self.per_quantity)

    @property
    def ratio(self) -> str:
        """The price of one stored integer in pico as a reduced fraction, such as `900000/1`."""
        common = gcd(self.price_pico, self.per_quantity)
        return f"{self.price_pico // common}/{self.per_quantity // common}"


class RateSet(Struct, frozen=True, dict=True):
    """The prices that one event is rated with.

    Attributes:
        rates: Each rate by the value of its `Unit`.
    """

    rates: dict[str, Rate]

    def priced_as(self, unit: str) -> str | None:
        """Name the unit whose price counts for a unit: itself, what it bills as, or None."""
        if unit in self.rates:
            return unit
        stand_in = BILLS_AS.get(unit)
        return stand_in if stand_in in self.rates else None

    def rate_for(self, unit: str) -> Rate | None:
        """Give the rate that prices a unit, or None.

        Cached input without a price of its own is priced as input, reasoning as output.
        """
        rate = self.rates.get(unit)
        if rate is None and unit in BILLS_AS:
            return self.rates.get(BILLS_AS[unit])
        return rate

    @cached_property
    def token_prices_pico(self) -> tuple[int, int, int] | None:
        """Pico for one uncached input, cached input and output token.

        None unless all three have a price of whole pico. It spares the writer three divisions
        an event, and is kept once worked out.
        """
        prices = []
        for unit in (INPUT, CACHED_INPUT, OUTPUT):
            rate = self.rate_for(unit)
            if rate is None or rate.price_pico % rate.per_quantity:
                return None
            prices.append(rate.price_pico // rate.per_quantity)
        return prices[0], prices[1], prices[2]

    @property
    def ratios(self) -> dict[str, str]:
        """The ratio of every rate by unit: what the set means, however it is written."""
        return {unit: rate.ratio for unit, rate in self.rates.items()}
