"""Rating agrees with plain fractions, and money is conserved."""

from fractions import Fraction
from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from pricing import (
    AMOUNT_PICO_MAX,
    PICO_PER_UNIT,
    AmountOutOfRange,
    Quantities,
    fee_pico,
    format_amount,
    load_rate_table,
    minor_to_pico,
    parse_amount,
    percentage_meter,
    rate,
    round_to_minor_half_up,
    share_by_largest_remainder,
    shipped_rate_files,
)
from pricing.model_rates import STANDARD

SHIPPED = dict(shipped_rate_files())
TABLES = {name: load_rate_table(text, name) for name, text in SHIPPED.items()}
PLAIN: dict[str, dict[str, Any]] = {
    name: yaml.load(text, yaml.CSafeLoader)["models"] for name, text in SHIPPED.items()
}
# Those with prices for the usual call that depend on nothing else; test_shipped_prices has all others too.
MODELS = [
    (name, model)
    for name, models in PLAIN.items()
    for model, prices in models.items()
    if "tiers" not in prices and prices.keys() != {"variants"}
]

tokens = st.integers(0, 10**12)
seconds = st.integers(0, 10**12)
amounts = st.integers(-AMOUNT_PICO_MAX, AMOUNT_PICO_MAX)


def naive_cost(
    prices: dict[str, Any], uncached: int, cached: int, output: int, audio_micro: int
) -> Fraction | None:
    """Price usage from the words of the file, in whole units; None when a price is missing."""
    total = Fraction(0)
    for key, used in (("input", uncached), ("cached_input", cached), ("output", output)):
        stated = prices.get(key, prices.get("input") if key == "cached_input" else None)
        if used and stated is None:
            return None
        total += Fraction(used, 1_000_000) * Fraction(stated or "0")
    if audio_micro and "audio_input" not in prices:
        return None
    if audio_micro:
        seconds_each = {"minute": 60, "hour": 3600}[prices["audio_input"].get("per", "minute")]
        times = Fraction(audio_micro, 10**6 * seconds_each)
        exact = times * Fraction(prices["audio_input"]["price"])
        total += Fraction(round(exact * PICO_PER_UNIT), PICO_PER_UNIT)
    return total


@given(st.sampled_from(MODELS), tokens, tokens, tokens, st.just(0) | seconds)
def test_rating_is_plain_arithmetic_on_the_text_of_the_file(
    listed: tuple[str, str], uncached: int, cached: int, output: int, audio_micro: int
) -> None:
    """For any shipped price, the cost is what fractions make of the words in the YAML."""
    name, model = listed
    other = {"input_seconds": audio_micro} if audio_micro else None
    expected = naive_cost(PLAIN[name][model], uncached, cached, output, audio_micro)
    try:
        costs = rate(
            Quantities(uncached, cached, output, other),
            TABLES[name].models[model].combinations[STANDARD][0].rates,
        )
    except AmountOutOfRange:
        assert expected is not None
        assert expected * PICO_PER_UNIT > AMOUNT_PICO_MAX
        return
    assert (costs and Fraction(costs.total_pico, PICO_PER_UNIT)) == expected


@given(seconds)
def test_audio_is_rounded_once_and_half_even(audio_micro: int) -> None:
    """Time does not divide a price evenly; the one rounding is that of exact fractions."""
    model = TABLES["fireworks/2025-01-01.yaml"].models["whisper-v3"].combinations[STANDARD][0].rates
    costs = rate(Quantities(other={"input_seconds": audio_micro}), model)
    expected = naive_cost({"audio_input": {"price": "0.20"}}, 0, 0, 0, audio_micro)
    assert costs is not None
    assert Fraction(costs.total_pico, PICO_PER_UNIT) == expected


@given(st.integers(0, 10**9), amounts)
def test_a_fee_is_the_exact_share_rounded_once(percentage_micro: int, cost_pico: int) -> None:
    """Percentages with six places are taken as written."""
    percentage = f"{percentage_micro // 10**6}.{percentage_micro % 10**6:06}"
    exact = cost_pico * Fraction(percentage) / 100
    try:
        fee = fee_pico(percentage_meter("standard", 1, percentage), cost_pico)
    except AmountOutOfRange:
        assert abs(round(exact)) > AMOUNT_PICO_MAX
        return
    assert fee == round(exact)


@given(st.lists(amounts, min_size=1), st.sampled_from([0, 2, 3]))
def test_shares_add_up_to_the_rounded_total(exact_pico: list[int], places: int) -> None:
    """No cent is made or lost, and no line moves by a whole minor unit."""
    total_minor = round_to_minor_half_up(sum(exact_pico), places)
    shares = share_by_largest_remainder(exact_pico, total_minor, places)
    assert sum(shares) == total_minor
    minor_pico = minor_to_pico(1, places)
    for share, exact in zip(shares, exact_pico, strict=True):
        assert share - exact // minor_pico in {0, 1}
        assert abs(minor_to_pico(share, places) - exact) < minor_pico


@given(st.lists(amounts, min_size=1), st.integers())
def test_shares_add_up_to_any_total(exact_pico: list[int], total_minor: int) -> None:
    """Even a total that is far from the lines is shared without a remainder."""
    assert sum(share_by_largest_remainder(exact_pico, total_minor, 2)) == total_minor


@given(st.integers(-(10**26), 10**26))
def test_an_amount_survives_being_written_and_read(amount_pico: int) -> None:
    """Text holds every amount exactly, and its digits are those of the fraction."""
    text = format_amount(amount_pico)
    assert parse_amount(text) == amount_pico
    assert Fraction(text) == Fraction(amount_pico, PICO_PER_UNIT)
