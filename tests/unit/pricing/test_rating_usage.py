"""Usage times rate is cost."""

import pytest

from pricing.files.rate_files import load_rate_table
from pricing.files.shipped import shipped_rate_files
from pricing.meters.meter import fee_pico, percentage_meter
from pricing.model_rates import STANDARD
from pricing.money import AMOUNT_PICO_MAX, AmountOutOfRange, format_amount
from pricing.prices import Rate, RateSet
from pricing.quantities import Costs, Quantities
from pricing.rating import counted, rate

TOKENS = RateSet({"input_tokens": Rate(9, 1), "output_tokens": Rate(5, 1)})
AUDIO = RateSet({"input_seconds": Rate(200_000_000_000, 60_000_000)})
EMBEDDING = RateSet({"input_tokens": Rate(8_000, 1)})


def test_the_record_worked_by_hand_costs_what_it_says() -> None:
    """845 input and 412 output tokens at 0.90 per 1M, with a meter of 10%."""
    text = dict(shipped_rate_files())["fireworks/2026-05-12.yaml"]
    models = load_rate_table(text, "shipped").models
    costs = rate(
        Quantities(845, 0, 412),
        models["accounts/fireworks/models/llama-v3p3-70b-instruct"].combinations[STANDARD][0].rates,
    )
    assert costs is not None
    assert format_amount(costs.input_pico) == "0.000760500000"
    assert format_amount(costs.output_pico) == "0.000370800000"
    assert format_amount(costs.total_pico) == "0.001131300000"
    fee = fee_pico(percentage_meter("standard", 1, "10"), costs.total_pico)
    assert format_amount(fee) == "0.000113130000"
    assert format_amount(costs.total_pico + fee) == "0.001244430000"


@pytest.mark.parametrize(
    ("rates", "quantities", "costs"),
    [
        (TOKENS, Quantities(), Costs(0, 0, 0)),
        (TOKENS, Quantities(1, 2, 3), Costs(9, 18, 15)),
        (EMBEDDING, Quantities(10), Costs(80_000, 0, 0)),
        (EMBEDDING, Quantities(10, 2), Costs(80_000, 16_000, 0)),
        (AUDIO, Quantities(other={"input_seconds": 1}), Costs(0, 0, 0, {"input_seconds": 3_333})),
        (AUDIO, Quantities(), Costs(0, 0, 0)),
        (
            RateSet({**TOKENS.rates, "images": Rate(7, 1)}),
            Quantities(1, 0, 1, {"images": 2}),
            Costs(9, 0, 5, {"images": 14}),
        ),
    ],
)
def test_each_kind_is_priced_by_itself(
    rates: RateSet, quantities: Quantities, costs: Costs
) -> None:
    """A cost stands beside each quantity; cached tokens borrow the input price."""
    assert rate(quantities, rates) == costs


@pytest.mark.parametrize(
    ("rates", "quantities"),
    [
        (EMBEDDING, Quantities(10, 0, 1)),
        (AUDIO, Quantities(1)),
        (AUDIO, Quantities(0, 1)),
        (TOKENS, Quantities(1, 0, 1, {"images": 1})),
        (RateSet({"cached_input_tokens": Rate(1, 1)}), Quantities(1, 1)),
    ],
)
def test_usage_without_a_price_is_unrated_and_never_free(
    rates: RateSet, quantities: Quantities
) -> None:
    """One quantity above zero without a price leaves the whole event without a cost."""
    assert rate(quantities, rates) is None


@pytest.mark.parametrize(
    "rates",
    [
        RateSet({"input_tokens": Rate(AMOUNT_PICO_MAX, 1), "output_tokens": Rate(1, 1)}),
        RateSet({"input_tokens": Rate(2 * AMOUNT_PICO_MAX, 2)}),
    ],
)
def test_a_cost_beyond_an_amount_is_refused_by_name(rates: RateSet) -> None:
    """The largest amount is priced; one pico more, in a part or in the sum, is refused."""
    largest = rate(Quantities(1), rates)
    assert largest is not None
    assert largest.total_pico == AMOUNT_PICO_MAX
    with pytest.raises(AmountOutOfRange):
        rate(Quantities(1, 1), rates)


def test_many_small_parts_are_held_to_the_range_as_a_sum() -> None:
    """Parts that fit may still have a sum that does not."""
    rates = RateSet({"input_tokens": Rate(AMOUNT_PICO_MAX, 1), "output_tokens": Rate(1, 1)})
    with pytest.raises(AmountOutOfRange):
        rate(Quantities(1, 0, 1), rates)


REASONING = RateSet({**TOKENS.rates, "reasoning_tokens": Rate(7, 1)})
SPEECH = RateSet({**TOKENS.rates, "audio_input_tokens": Rate(20, 1)})
CHARGED = RateSet({**TOKENS.rates, "billable_requests": Rate(1_000, 1)})


@pytest.mark.parametrize(
    ("rates", "other", "cost_pico"),
    [
        (TOKENS, {"reasoning_tokens": 3}, 3 * 5),
        (REASONING, {"reasoning_tokens": 3}, 3 * 7),
        (SPEECH, {"audio_input_tokens": 3}, 3 * 20),
        (SPEECH, {"cached_audio_input_tokens": 3}, 3 * 20),
        (
            RateSet({**SPEECH.rates, "cached_audio_input_tokens": Rate(2, 1)}),
            {"cached_audio_input_tokens": 3},
            3 * 2,
        ),
    ],
)
def test_what_is_the_same_to_the_provider_borrows_a_price(
    rates: RateSet, other: dict[str, int], cost_pico: int
) -> None:
    """Reasoning is output and cached audio is audio, unless they have prices of their own."""
    costs = rate(Quantities(other=other), rates)
    assert costs is not None
    assert costs.total_pico == cost_pico


@pytest.mark.parametrize(
    "unit",
    ["cache_write_tokens", "cache_write_1h_tokens", "audio_input_tokens", "cached_audio_input_tokens",
     "audio_output_tokens", "image_input_tokens", "image_output_tokens", "web_searches"],
)  # fmt: skip
def test_nothing_else_borrows_a_price(unit: str) -> None:
    """Writing to a cache often costs more than input; without a price it is unrated."""
    assert rate(Quantities(1, 1, 1, {unit: 1}), TOKENS) is None


def test_a_price_of_a_part_never_prices_its_whole() -> None:
    """Output does not borrow from reasoning."""
    rates = RateSet({"reasoning_tokens": Rate(7, 1)})
    assert rate(Quantities(output_tokens=1), rates) is None


def test_a_request_is_counted_where_it_has_a_price() -> None:
    """Once an event, beside whatever else it used; elsewhere nothing is added."""
    used = Quantities(1, 2, 3, {"images": 4})
    assert counted(used, TOKENS) is used
    assert counted(used, CHARGED) == Quantities(1, 2, 3, {"images": 4, "billable_requests": 1})
    assert counted(Quantities(), CHARGED) == Quantities(other={"billable_requests": 1})
    assert rate(counted(Quantities(), CHARGED), CHARGED) == Costs(
        0, 0, 0, {"billable_requests": 1_000}
    )


def test_the_unit_whose_price_counts_is_named() -> None:
    """Itself, what it bills as, or none."""
    assert SPEECH.priced_as("audio_input_tokens") == "audio_input_tokens"
    assert SPEECH.priced_as("cached_audio_input_tokens") == "audio_input_tokens"
    assert SPEECH.priced_as("reasoning_tokens") == "output_tokens"
    assert AUDIO.priced_as("reasoning_tokens") is None
    assert TOKENS.priced_as("images") is None
