"""Rates, model rates and the fingerprint of a table."""

from datetime import UTC, datetime

import pytest

from pricing.files.rate_files import load_rate_table
from pricing.model_rates import flat_rates
from pricing.prices import Rate, RateSet
from pricing.rate_table import RateTable

TABLE = """
provider: fireworks
version: "1"
effective_from: 2026-05-12T00:00:00Z
currency: USD
source: a price list
models:
  small: {input: "0.90", output: "1.8"}
  large: {input: "3"}
"""


def test_a_rate_prices_stored_integers_and_rounds_half_even() -> None:
    """A price of 5 pico for 2 makes 2 of one (2.5) and 8 of three (7.5)."""
    rate = Rate(price_pico=5, per_quantity=2)
    assert [rate.cost_pico(quantity) for quantity in range(5)] == [0, 2, 5, 8, 10]


def test_cached_tokens_fall_back_on_the_input_price_and_nothing_else_does() -> None:
    """Only cached input borrows a price, and its own price comes first."""
    input_rate, cached_rate = Rate(9, 1), Rate(2, 1)
    assert RateSet({"input_tokens": input_rate}).rate_for("cached_input_tokens") == input_rate
    assert RateSet({"input_tokens": input_rate}).rate_for("output_tokens") is None
    assert RateSet({}).rate_for("cached_input_tokens") is None
    both = RateSet({"input_tokens": input_rate, "cached_input_tokens": cached_rate})
    assert both.rate_for("cached_input_tokens") == cached_rate


@pytest.mark.parametrize(
    ("rates", "prices_pico"),
    [
        ({"input_tokens": Rate(18, 2), "output_tokens": Rate(5, 1)}, (9, 9, 5)),
        ({"input_tokens": Rate(18, 2)}, None),
        ({"input_tokens": Rate(1, 2), "output_tokens": Rate(5, 1)}, None),
    ],
)
def test_whole_token_prices_are_worked_out_once(
    rates: dict[str, Rate], prices_pico: tuple[int, int, int] | None
) -> None:
    """Prices are kept for one token each, unless one is missing or not whole."""
    assert RateSet(rates).token_prices_pico == prices_pico


def edited(old: str, new: str) -> RateTable:
    """Load the table with one part of its text replaced."""
    assert old in TABLE
    return load_rate_table(TABLE.replace(old, new), "table.yaml")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"0.90"', "'0.9'"),
        ('"0.90"', '{price: "0.00090", per: 1K}'),
        ('{input: "0.90", output: "1.8"}', '{output: "1.80", input: "0.90"}  # a comment'),
        ("00:00:00Z", "02:00:00+02:00"),
        ("a price list", "|\n  a\n  price   list"),
        ("currency: USD\nsource: a price list", "source: a price list\ncurrency: USD"),
    ],
)
def test_the_way_a_file_is_written_does_not_change_its_fingerprint(old: str, new: str) -> None:
    """Order, spacing, comments, quotes and trailing zeros say nothing about prices."""
    assert edited(old, new).fingerprint == edited("", "").fingerprint


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"0.90"', '"0.91"'),
        ("fireworks", "other"),
        ('version: "1"', 'version: "2"'),
        ("2026-05-12T", "2026-05-13T"),
        ("a price list", "another price list"),
        ("small", "tiny"),
        ("{input: ", "{cached_input: "),
    ],
)
def test_what_a_file_says_is_in_its_fingerprint(old: str, new: str) -> None:
    """Any other price, name, date, source or kind makes another fingerprint."""
    assert edited(old, new).fingerprint != edited("", "").fingerprint


def test_a_fingerprint_is_the_same_for_ever() -> None:
    """Stored fingerprints are compared with new ones, so this figure must never change."""
    table = RateTable(
        provider="p",
        version="1",
        effective_from=datetime(2026, 1, 1, tzinfo=UTC),
        currency="USD",
        source="",
        models={"m": flat_rates(RateSet({"input_tokens": Rate(900_000_000_000, 1_000_000)}))},
    )
    assert table.fingerprint == "910be1d5af7442457b76403e3ec6663098ea75cf9b42a237c30bf101a34d4bd7"
