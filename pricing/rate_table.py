"""A provider's prices as values: one rate, one model's rates, one version of the whole table."""

from datetime import datetime
from functools import cached_property
from hashlib import sha256
from math import gcd

import msgspec
from msgspec import Struct

from pricing.money import divide_half_even
from pricing.units import Unit

# Plain text, because looking up a member of an enum costs more than the multiplication it serves.
INPUT = Unit.INPUT_TOKENS.value
CACHED_INPUT = Unit.CACHED_INPUT_TOKENS.value
OUTPUT = Unit.OUTPUT_TOKENS.value


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


class ModelRates(Struct, frozen=True, dict=True):
    """The prices of one model.

    Attributes:
        rates: Each rate by the value of its `Unit`.
    """

    rates: dict[str, Rate]

    def rate_for(self, unit: str) -> Rate | None:
        """Give the rate that prices a unit, or None.

        Cached input tokens without a price of their own are priced as input tokens.
        """
        rate = self.rates.get(unit)
        if rate is None and unit == CACHED_INPUT:
            return self.rates.get(INPUT)
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


class RateTable(Struct, frozen=True, dict=True):
    """One whole version of one provider's prices.

    Attributes:
        provider: Who charges these prices.
        version: The name of this version, unique for the provider.
        effective_from: The instant in UTC from which the prices count.
        currency: ISO 4217 code of every price.
        source: Where the prices come from and what is assumed, in words; may be empty.
        models: The rates of each model, by its exact id.
    """

    provider: str
    version: str
    effective_from: datetime
    currency: str
    source: str
    models: dict[str, ModelRates]

    @cached_property
    def fingerprint(self) -> str:
        """Hex SHA-256 over what the table means.

        Tables with equal fingerprints price everything alike and say the same about themselves,
        however their files are written: `"0.90"` is `"0.9"`, and `per: 1M` can be `per: 1K`.
        """
        meaning = {
            "provider": self.provider,
            "version": self.version,
            "effective_from": self.effective_from.isoformat(),
            "currency": self.currency,
            "source": self.source,
            "models": {
                model: {unit: rate.ratio for unit, rate in model_rates.rates.items()}
                for model, model_rates in self.models.items()
            },
        }
        return sha256(msgspec.json.encode(meaning, order="deterministic")).hexdigest()
