"""Every price that the product began with has a row that works: from the words of the table to an amount.

USD per 1M tokens unless a test says otherwise. `2025-01-01` is the tutorial, `2026-05-12` the gateway's list
of 20 models, `2026-11-20` the provider's whole list of that day.
"""

from fractions import Fraction

import pytest

from pricing import (
    PICO_PER_UNIT,
    STANDARD,
    Combination,
    Quantities,
    RateTable,
    counted,
    format_amount,
    load_rate_table,
    rate,
    shipped_rate_files,
)

PREFIX = "accounts/fireworks/models/"
TUTORIAL, GATEWAY, NEWEST = "2025-01-01", "2026-05-12", "2026-11-20"
BATCH = Combination(is_batch=True)
MILLION = 1_000_000
TABLES = {
    table.version: table
    for name, text in shipped_rate_files()
    if name.startswith("fireworks/")
    for table in [load_rate_table(text, name)]
}
LISTED = [
    "deepseek-v4-pro", "glm-5p1", "mixtral-8x22b-instruct", "glm-5", "kimi-k2p5-turbo", "kimi-k2p6",
    "llama-v3p3-70b-instruct", "kimi-k2-instruct", "kimi-k2-thinking", "kimi-k2p5", "glm-4p7",
    "deepseek-v3p1", "deepseek-v3p2", "qwen3p6-plus", "minimax-m2p5", "minimax-m2p7", "minimax-m3",
    "qwen3-vl-30b-a3b-thinking", "gpt-oss-120b", "gpt-oss-20b",
]  # fmt: skip


def cost(
    version: str, model: str, quantities: Quantities, combination: Combination = STANDARD
) -> str | None:
    """What a usage costs by a version of the table, as answers show it; None when it has no price."""
    listing = TABLES[version].find(model)
    assert listing is not None, f"{version} does not price {model}"
    rates = listing.rates.rates_for(combination, quantities)
    costs = None if rates is None else rate(counted(quantities, rates), rates)
    return None if costs is None else format_amount(costs.total_pico)


@pytest.mark.parametrize(
    ("version", "model", "quantities", "amount"),
    [
        # The record that is worked by hand: 845 and 412 tokens.
        (TUTORIAL, "llama-v3p3-70b-instruct", Quantities(845, 0, 412), "0.001131300000"),
        (GATEWAY, "llama-v3p3-70b-instruct", Quantities(845, 0, 412), "0.001131300000"),
        (NEWEST, "llama-v3p3-70b-instruct", Quantities(845, 0, 412), "0.001131300000"),
        (TUTORIAL, "llama-v3p1-405b-instruct", Quantities(MILLION, 0, MILLION), "6.000000000000"),
        (TUTORIAL, "mixtral-8x22b-instruct", Quantities(MILLION, 0, MILLION), "1.800000000000"),
        (GATEWAY, "mixtral-8x22b-instruct", Quantities(MILLION, 0, MILLION), "2.400000000000"),
        (GATEWAY, "deepseek-v4-pro", Quantities(MILLION, 0, MILLION), "5.220000000000"),
        (NEWEST, "deepseek-v4-pro", Quantities(MILLION, 0, MILLION), "5.220000000000"),
        (GATEWAY, "kimi-k2p5-turbo", Quantities(1, 0, 1), "0.000005930000"),
    ],
)
def test_text(version: str, model: str, quantities: Quantities, amount: str) -> None:
    """Chat models by input and output token."""
    assert cost(version, PREFIX + model, quantities) == amount


@pytest.mark.parametrize("version", [GATEWAY, NEWEST])
def test_vision(version: str) -> None:
    """Pictures are input tokens like any other: 576 of them and 100 of text, 50 out."""
    model = f"{PREFIX}qwen3-vl-30b-a3b-thinking"
    assert cost(version, model, Quantities(676, 0, 50)) == "0.000131400000"


@pytest.mark.parametrize(
    ("version", "model", "seconds_micro", "amount"),
    [
        (TUTORIAL, "whisper-v3", 60_000_000, "0.200000000000"),
        (TUTORIAL, "whisper-v3", 90_500_000, "0.301666666667"),
        (NEWEST, "whisper-v3-turbo", 60_000_000, "0.000900000000"),
        (NEWEST, f"{PREFIX}whisper-v3-turbo", 3_600_000_000, "0.054000000000"),
    ],
)
def test_whisper_by_the_minute_of_audio(
    version: str, model: str, seconds_micro: int, amount: str
) -> None:
    """Seconds count to the microsecond and are rounded once."""
    assert cost(version, model, Quantities(other={"input_seconds": seconds_micro})) == amount


@pytest.mark.parametrize("version", [TUTORIAL, NEWEST])
def test_embeddings_have_input_only(version: str) -> None:
    """0.008 for a million; output of an embedding would have no price."""
    model = "nomic-ai/nomic-embed-text-v1.5"
    assert cost(version, model, Quantities(MILLION)) == "0.008000000000"
    assert cost(version, model, Quantities(1)) == "0.000000008000"
    assert cost(version, model, Quantities(1, 0, 1)) is None


def newest() -> RateTable:
    return TABLES[NEWEST]


@pytest.mark.parametrize("model", LISTED)
def test_each_listed_model_is_still_priced_and_has_a_batch_at_half(model: str) -> None:
    """Exactly 50 % of input and of output, and the 20 models of the gateway's list are all there."""
    tokens = [Quantities(MILLION), Quantities(0, 0, MILLION)]
    usual = [cost(NEWEST, PREFIX + model, each) for each in tokens]
    halves = [cost(NEWEST, PREFIX + model, each, BATCH) for each in tokens]
    assert [Fraction(half or 0) * 2 for half in halves] == [Fraction(price or 0) for price in usual]
    assert all(usual)


def test_every_batch_price_is_half_of_the_usual_one() -> None:
    """Of whatever the list has a batch for; it has one for most of what it sells by the token."""
    with_batch = [rates for rates in newest().models.values() if BATCH in rates.combinations]
    for rates in with_batch:
        [usual], [batch] = rates.combinations[STANDARD], rates.combinations[BATCH]
        for unit in ("input_tokens", "output_tokens"):
            price, half = usual.rates.rates[unit], batch.rates.rates[unit]
            assert (half.price_pico * 2, half.per_quantity) == (
                price.price_pico,
                price.per_quantity,
            )
    assert len(with_batch) > 50


@pytest.mark.parametrize(
    ("accelerator", "an_hour"),
    [("a100", "3.89"), ("h100", "8.00"), ("h200", "8.00"), ("b200", "13.00"), ("b300", "15.00")],
)
def test_on_demand_deployments_cost_gpu_time(accelerator: str, an_hour: str) -> None:
    """By the second, whatever the deployment is called: an hour, and 90 minutes and a half second."""
    called = Combination(accelerator=accelerator)
    price = Fraction(an_hour)
    for seconds_micro in (3_600_000_000, 5_400_500_000, 1):
        used = Quantities(other={"gpu_seconds": seconds_micro})
        exact = price * seconds_micro / 3_600_000_000
        for model in ("on-demand", "accounts/acme/deployments/mine"):
            amount = cost(NEWEST, model, used, called)
            assert amount is not None
            assert Fraction(amount) == Fraction(round(exact * PICO_PER_UNIT), PICO_PER_UNIT)


def test_gpu_time_without_its_hardware_is_unrated() -> None:
    """Nobody can say what it costs."""
    used = Quantities(other={"gpu_seconds": 1_000_000})
    assert cost(NEWEST, "on-demand", used) is None
    assert cost(NEWEST, "on-demand", used, Combination(accelerator="abacus")) is None
