"""Rate tables as price lists: to read, and to lay side by side."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from pricing import (
    STANDARD,
    Combination,
    ModelRates,
    Rate,
    RateSet,
    RateTable,
    RateTier,
    Unit,
    format_amount,
)

PLAIN = "plain calls"
_FEWEST_PLACES = 2


class PriceKey(NamedTuple):
    """What one price is for. `start` is the fewest input tokens from which it counts."""

    model: str
    combination: Combination
    start: int
    rate_key: str


class Difference(NamedTuple):
    """A price that two tables state differently; None where one does not state it."""

    key: PriceKey
    before: str | None
    after: str | None


def price_text(rate: Rate) -> str:
    """The price of a rate with as few decimals as it needs, two at least: `0.90`."""
    whole, _, places = format_amount(rate.price_pico).partition(".")
    return f"{whole}.{places.rstrip('0').ljust(_FEWEST_PLACES, '0')}"


def per_text(unit: str, rate: Rate) -> str:
    """What a price is for, in the words of rate tables: `1M`, `minute`."""
    known = Unit(unit)
    count = rate.per_quantity // known.scale
    return next((word for word, units in known.per_counts.items() if units == count), str(count))


def combination_text(called: Combination) -> str:
    """How a model is called, as far as prices depend on it: `service tier priority, batch calls`."""
    parts = [
        called.service_tier and f"service tier {called.service_tier}",
        called.is_batch and "batch calls",
        called.region and f"region {called.region}",
        called.accelerator and f"accelerator {called.accelerator}",
    ]
    return ", ".join(part for part in parts if part) or PLAIN


def prices_body(table: RateTable) -> dict[str, Any]:
    """The prices of a table by model and rate key, each with what it is for."""
    return {model: model_body(rates) for model, rates in table.models.items()}


def model_body(rates: ModelRates) -> dict[str, Any]:
    """The prices of one model, in the form of rate files."""
    body = _tiers_body(rates.combinations.get(STANDARD, ()))
    variants = [
        {"when": _when_body(combination), **_tiers_body(tiers)}
        for combination, tiers in rates.combinations.items()
        if combination != STANDARD
    ]
    return {**body, "variants": variants} if variants else body


def prices_of(table: RateTable) -> dict[PriceKey, Rate]:
    """Every single price of a table."""
    return {key: rate for model in table.models for key, rate in _prices_of(table, model)}


def compare(before: RateTable, after: RateTable) -> list[Difference]:
    """The prices that two tables do not have in common, by model."""
    old, new = prices_of(before), prices_of(after)
    return [
        Difference(key, _price_words(key, old.get(key)), _price_words(key, new.get(key)))
        for key in sorted(old.keys() | new.keys(), key=_in_order)
        if _ratio(old.get(key)) != _ratio(new.get(key))
    ]


def _prices_of(table: RateTable, model: str) -> Iterator[tuple[PriceKey, Rate]]:
    for combination, tiers in table.models[model].combinations.items():
        for tier in tiers:
            for unit, rate in tier.rates.rates.items():
                yield PriceKey(model, combination, tier.start, Unit(unit).rate_key), rate


def _in_order(key: PriceKey) -> tuple[Any, ...]:
    return key.model, key.combination != STANDARD, str(key.combination), key.start, key.rate_key


def _ratio(rate: Rate | None) -> str | None:
    return None if rate is None else rate.ratio


def _price_words(key: PriceKey, rate: Rate | None) -> str | None:
    if rate is None:
        return None
    unit = next(unit for unit in Unit if unit.rate_key == key.rate_key)
    return f"{price_text(rate)} per {per_text(unit.value, rate)}"


def _tiers_body(tiers: tuple[RateTier, ...]) -> dict[str, Any]:
    if len(tiers) > 1:
        return {"tiers": [{"start": tier.start, **_rates_body(tier.rates)} for tier in tiers]}
    return _rates_body(tiers[0].rates) if tiers else {}


def _rates_body(rates: RateSet) -> dict[str, dict[str, str]]:
    return {
        Unit(unit).rate_key: {
            "price": format_amount(rate.price_pico),
            "per": per_text(unit, rate),
        }
        for unit, rate in rates.rates.items()
    }


def _when_body(combination: Combination) -> dict[str, Any]:
    when = {
        "service_tier": combination.service_tier,
        "batch": combination.is_batch or None,
        "region": combination.region,
        "accelerator": combination.accelerator,
    }
    return {name: value for name, value in when.items() if value is not None}
