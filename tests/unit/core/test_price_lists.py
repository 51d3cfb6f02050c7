"""Rate tables are shown in the form of rate files, and laid side by side price by price."""

import json

import pytest

from ledger.core.price_lists import (
    PriceKey,
    combination_text,
    compare,
    model_body,
    per_text,
    price_text,
    prices_body,
    prices_of,
)
from pricing import STANDARD, Combination, ModelRates, Rate, RateTable, load_rate_table

HEAD = 'provider: p\nversion: "1"\neffective_from: 2026-01-01T00:00:00Z\ncurrency: USD\nmodels:\n'
BATCH = Combination(is_batch=True)
FULL = """\
  small: {input: "0.9", output: "1.75"}
  large:
    tiers:
      - {start: 0, input: "1"}
      - {start: 200001, input: "2"}
    variants:
      - {when: {batch: true}, input: "0.5"}
      - when: {service_tier: priority, region: us, accelerator: h100}
        tiers:
          - {start: 0, web_search: {price: "10", per: 1K}}
          - {start: 5, audio_input: {price: "0.2", per: minute}}
  machine: {variants: [{when: {accelerator: h100}, gpu: {price: "8", per: hour}}]}
"""


def table(models: str) -> RateTable:
    return load_rate_table(HEAD + models, "f.yaml")


def test_a_table_is_shown_in_the_form_of_its_file() -> None:
    """Every price with what it is for."""
    shown = prices_body(table(FULL))
    per_million = {"per": "1M"}
    assert shown["small"] == {
        "input": {"price": "0.900000000000", **per_million},
        "output": {"price": "1.750000000000", **per_million},
    }
    assert shown["large"] == {
        "tiers": [
            {"start": 0, "input": {"price": "1.000000000000", **per_million}},
            {"start": 200001, "input": {"price": "2.000000000000", **per_million}},
        ],
        "variants": [
            {"when": {"batch": True}, "input": {"price": "0.500000000000", **per_million}},
            {
                "when": {"service_tier": "priority", "region": "us", "accelerator": "h100"},
                "tiers": [
                    {"start": 0, "web_search": {"price": "10.000000000000", "per": "1K"}},
                    {"start": 5, "audio_input": {"price": "0.200000000000", "per": "minute"}},
                ],
            },
        ],
    }
    assert shown["machine"] == {
        "variants": [
            {
                "when": {"accelerator": "h100"},
                "gpu": {"price": "8.000000000000", "per": "hour"},
            }
        ]
    }
    assert model_body(ModelRates({})) == {}


def test_what_is_shown_can_be_read_as_a_rate_file_again() -> None:
    """And means the same."""
    shown = prices_body(table(FULL))
    again = table("".join(f"  {name}: {json.dumps(body)}\n" for name, body in shown.items()))
    assert again.fingerprint == table(FULL).fingerprint


def test_every_single_price_has_a_key_of_its_own() -> None:
    """By model, combination, tier and kind."""
    assert list(prices_of(table(FULL))) == [
        PriceKey("small", STANDARD, 0, "input"),
        PriceKey("small", STANDARD, 0, "output"),
        PriceKey("large", STANDARD, 0, "input"),
        PriceKey("large", STANDARD, 200_001, "input"),
        PriceKey("large", BATCH, 0, "input"),
        PriceKey("large", Combination("priority", False, "us", "h100"), 0, "web_search"),
        PriceKey("large", Combination("priority", False, "us", "h100"), 5, "audio_input"),
        PriceKey("machine", Combination(accelerator="h100"), 0, "gpu"),
    ]


def test_a_comparison_names_what_changed() -> None:
    """By model, usual calls first; prices that mean the same are left out."""
    before = table(
        '  a: {input: "1", output: "2"}\n'
        '  b: {input: "1", variants: [{when: {batch: true}, input: "0.5"}]}\n'
        '  gone: {gpu: {price: "8", per: hour}}\n'
    )
    after = table(
        '  a: {input: {price: "0.001", per: 1K}, output: "2.50"}\n'
        '  b: {input: "1.50", image: "0.04", variants: [{when: {batch: true}, input: "0.75"}]}\n'
        '  came: {tiers: [{start: 0, input: "1"}, {start: 9, input: "2"}]}\n'
    )
    assert [tuple(each) for each in compare(before, after)] == [
        (PriceKey("a", STANDARD, 0, "output"), "2.00 per 1M", "2.50 per 1M"),
        (PriceKey("b", STANDARD, 0, "image"), None, "0.04 per 1"),
        (PriceKey("b", STANDARD, 0, "input"), "1.00 per 1M", "1.50 per 1M"),
        (PriceKey("b", BATCH, 0, "input"), "0.50 per 1M", "0.75 per 1M"),
        (PriceKey("came", STANDARD, 0, "input"), None, "1.00 per 1M"),
        (PriceKey("came", STANDARD, 9, "input"), None, "2.00 per 1M"),
        (PriceKey("gone", STANDARD, 0, "gpu"), "8.00 per hour", None),
    ]
    assert compare(before, before) == []


@pytest.mark.parametrize(
    ("unit", "rate", "price", "per"),
    [
        ("input_tokens", Rate(900_000_000_000, 10**6), "0.90", "1M"),
        ("input_tokens", Rate(10**12, 1000), "1.00", "1K"),
        ("input_tokens", Rate(1, 1), "0.000000000001", "1"),
        ("input_tokens", Rate(0, 10**6), "0.00", "1M"),
        ("input_seconds", Rate(900_000_000, 60_000_000), "0.0009", "minute"),
        ("gpu_seconds", Rate(8 * 10**12, 3_600_000_000), "8.00", "hour"),
        ("images", Rate(1_234_500_000_000, 7), "1.2345", "7"),  # no word for it
    ],
)
def test_a_price_reads_as_in_its_file(unit: str, rate: Rate, price: str, per: str) -> None:
    """Two decimals at least, and the word of rate tables."""
    assert (price_text(rate), per_text(unit, rate)) == (price, per)


@pytest.mark.parametrize(
    ("called", "text"),
    [
        (STANDARD, "plain calls"),
        (BATCH, "batch calls"),
        (Combination("flex"), "service tier flex"),
        (Combination(region="us", accelerator="h100"), "region us, accelerator h100"),
        (
            Combination("priority", True, "us", "h100"),
            "service tier priority, batch calls, region us, accelerator h100",
        ),
    ],
)
def test_a_combination_is_said_in_words(called: Combination, text: str) -> None:
    """Only what is out of the usual."""
    assert combination_text(called) == text
