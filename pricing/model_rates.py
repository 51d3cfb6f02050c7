"""What a model costs: by the combination it is called in, and by how much input it is given."""

from bisect import bisect_right
from typing import Any, NamedTuple

from msgspec import Struct

from pricing.prices import RateSet
from pricing.quantities import Quantities
from pricing.units import INPUT_PARTS, OUTPUT_PARTS

STANDARD_TIERS = (None, "standard", "default", "standard_only")
BATCH_TIER = "batch"


class Combination(NamedTuple):
    """How a model was called, as far as prices depend on it.

    Attributes:
        service_tier: The tier that the provider bills, such as `priority`; None is the standard.
        is_batch: Whether it was part of a batch job.
        region: The variant of a region, such as `us`; None where it makes no difference.
        accelerator: The hardware of a dedicated deployment, such as `h100`.
    """

    service_tier: str | None = None
    is_batch: bool = False
    region: str | None = None
    accelerator: str | None = None


STANDARD = Combination()


def combination_of(
    service_tier: str | None,
    *,
    is_batch: bool = False,
    region: str | None = None,
    accelerator: str | None = None,
) -> Combination:
    """Bring what a record states into the form that prices are listed by.

    `standard` and the like are other words for no tier, and a tier named `batch` is a batch job.
    """
    if not is_batch and region is None and accelerator is None and service_tier in STANDARD_TIERS:
        return STANDARD
    if service_tier == BATCH_TIER:
        return Combination(None, True, region, accelerator)
    tier = None if service_tier in STANDARD_TIERS else service_tier
    return Combination(tier, is_batch, region, accelerator)


class RateTier(Struct, frozen=True):
    """Prices that count from a number of input tokens on.

    Attributes:
        start: The fewest input tokens of an event, cached and written ones included, that is
            priced by it. The first tier starts at 0.
        rates: The prices of the whole event, not only of what lies beyond the start.
    """

    start: int
    rates: RateSet


class ModelRates(Struct, frozen=True):
    """The prices of one model.

    Attributes:
        combinations: For each combination that has prices its tiers, lowest start first. One that
            is not here has no price; none takes over the prices of another.
    """

    combinations: dict[Combination, tuple[RateTier, ...]]

    def rates_for(self, combination: Combination, quantities: Quantities) -> RateSet | None:
        """Give the prices of an event, or None when its combination has none."""
        tiers = self.combinations.get(combination)
        if tiers is None:
            return None
        if len(tiers) == 1:
            return tiers[0].rates
        starts = [tier.start for tier in tiers]
        return tiers[bisect_right(starts, input_tokens_of(quantities)) - 1].rates

    def rates_of_any_size(self, combination: Combination) -> RateSet | None:
        """Give the prices that count for every event of a combination, or None where its input matters."""
        tiers = self.combinations.get(combination, ())
        return tiers[0].rates if len(tiers) == 1 else None

    @property
    def meaning(self) -> dict[str, Any]:
        """What the prices say, however they are written; plain prices stand by themselves."""
        plain = _tiers_meaning(self.combinations.get(STANDARD, ()))
        others = [
            [*combination, _tiers_meaning(tiers)]
            for combination, tiers in self.combinations.items()
            if combination != STANDARD
        ]
        others.sort(key=str)
        return {**plain, "variants": others} if others else plain


def flat_rates(rates: RateSet) -> ModelRates:
    """Prices of a model that depend on nothing but what is used."""
    return ModelRates({STANDARD: (RateTier(0, rates),)})


def input_tokens_of(quantities: Quantities) -> int:
    """Count all input tokens of an event, of whatever kind."""
    tokens = quantities.uncached_input_tokens + quantities.cached_input_tokens
    if quantities.other is not None:
        tokens += sum(quantities.other.get(part, 0) for part in INPUT_PARTS)
    return tokens


def output_tokens_of(quantities: Quantities) -> int:
    """Count all output tokens of an event, of whatever kind."""
    tokens = quantities.output_tokens
    if quantities.other is not None:
        tokens += sum(quantities.other.get(part, 0) for part in OUTPUT_PARTS)
    return tokens


def _tiers_meaning(tiers: tuple[RateTier, ...]) -> dict[str, Any]:
    """One tier is its prices; several are told apart by their starts."""
    if len(tiers) > 1:
        return {"tiers": [[tier.start, tier.rates.ratios] for tier in tiers]}
    return dict(tiers[0].rates.ratios) if tiers else {}
