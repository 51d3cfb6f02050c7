"""What a model costs depends on how it is called and on how much input it is given."""

from typing import Any

import pytest

from pricing.model_rates import (
    STANDARD,
    Combination,
    ModelRates,
    RateTier,
    combination_of,
    flat_rates,
    input_tokens_of,
    output_tokens_of,
)
from pricing.prices import Rate, RateSet
from pricing.quantities import Quantities
from pricing.units import INPUT_PARTS, OUTPUT_PARTS

CHEAP = RateSet({"input_tokens": Rate(1, 1)})
DEAR = RateSet({"input_tokens": Rate(2, 1)})
DEAREST = RateSet({"input_tokens": Rate(3, 1)})
BATCH = Combination(is_batch=True)
PRIORITY = Combination("priority")
MODEL = ModelRates(
    {
        STANDARD: (RateTier(0, CHEAP), RateTier(10, DEAR), RateTier(1000, DEAREST)),
        BATCH: (RateTier(0, DEAR),),
    }
)


@pytest.mark.parametrize(
    ("tier", "call", "combination"),
    [
        (None, {}, STANDARD),
        ("standard", {}, STANDARD),
        ("default", {}, STANDARD),
        ("batch", {}, BATCH),
        ("batch", {"is_batch": True}, BATCH),
        (None, {"is_batch": True}, BATCH),
        ("standard", {"is_batch": True}, BATCH),
        ("priority", {}, PRIORITY),
        ("priority", {"is_batch": True}, Combination("priority", is_batch=True)),
        ("Standard", {}, Combination("Standard")),  # no guess at other spellings
        (None, {"region": "us"}, Combination(region="us")),
        ("default", {"region": "us"}, Combination(region="us")),
        ("batch", {"region": "us"}, Combination(is_batch=True, region="us")),
        (None, {"accelerator": "h100"}, Combination(accelerator="h100")),
        (
            "flex",
            {"region": "us", "accelerator": "h100"},
            Combination("flex", region="us", accelerator="h100"),
        ),
    ],
)
def test_what_is_stated_becomes_a_combination(
    tier: str | None, call: dict[str, Any], combination: Combination
) -> None:
    """Other words for no tier, and a tier that is a batch, are what they mean."""
    assert combination_of(tier, **call) == combination


@pytest.mark.parametrize(
    ("quantities", "rates"),
    [
        (Quantities(), CHEAP),
        (Quantities(9), CHEAP),
        (Quantities(10), DEAR),
        (Quantities(999), DEAR),
        (Quantities(1000), DEAREST),
        (Quantities(10**15), DEAREST),
        (Quantities(5, 5), DEAR),
        (Quantities(0, 10), DEAR),
        (Quantities(0, 0, 10**6), CHEAP),  # output moves no tier
        *((Quantities(9, other={part: 1}), DEAR) for part in INPUT_PARTS[1:]),
        (Quantities(9, other={"reasoning_tokens": 1, "training_tokens": 99}), CHEAP),
    ],
)
def test_the_whole_event_is_priced_by_the_tier_of_its_input(
    quantities: Quantities, rates: RateSet
) -> None:
    """From the first token of a tier on; input of every kind counts, and nothing else."""
    assert MODEL.rates_for(STANDARD, quantities) is rates


def test_no_combination_takes_over_the_prices_of_another() -> None:
    """Batch calls have prices of their own; what is not listed has none."""
    assert MODEL.rates_for(BATCH, Quantities(10**6)) is DEAR
    assert MODEL.rates_for(PRIORITY, Quantities(1)) is None
    assert MODEL.rates_for(Combination(None, True, "us"), Quantities(1)) is None
    assert ModelRates({}).rates_for(STANDARD, Quantities()) is None


def test_tokens_are_summed_over_all_their_kinds() -> None:
    """One of each kind of input and two of each kind of output."""
    other = dict.fromkeys(INPUT_PARTS[1:], 1) | dict.fromkeys(OUTPUT_PARTS, 2)
    everything = Quantities(1, 1, 2, {**other, "images": 7})
    assert input_tokens_of(everything) == 1 + len(INPUT_PARTS)
    assert output_tokens_of(everything) == 2 + 2 * len(OUTPUT_PARTS)
    assert (input_tokens_of(Quantities(3, 4, 5)), output_tokens_of(Quantities(3, 4, 5))) == (7, 5)


def test_plain_prices_mean_what_they_always_meant() -> None:
    """The fingerprints of tables that know nothing but plain prices must not move."""
    assert flat_rates(CHEAP).meaning == {"input_tokens": "1/1"}
    assert flat_rates(CHEAP).rates_for(STANDARD, Quantities(10**12)) is CHEAP


def test_tiers_and_other_combinations_are_part_of_the_meaning() -> None:
    """In one order, whatever the order of the file."""
    tiers = [
        [start, {"input_tokens": f"{price}/1"}] for start, price in ((0, 1), (10, 2), (1000, 3))
    ]
    batch = [None, True, None, None, {"input_tokens": "2/1"}]
    assert MODEL.meaning == {"tiers": tiers, "variants": [batch]}

    flat = (RateTier(0, CHEAP),)
    several = ModelRates({PRIORITY: flat, BATCH: flat})
    backwards = ModelRates({BATCH: flat, PRIORITY: flat})
    assert several.meaning == backwards.meaning
    assert [each[:2] for each in several.meaning["variants"]] == [["priority", False], [None, True]]
