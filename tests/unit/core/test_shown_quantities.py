"""Quantities are shown as wholes that include their parts, seconds as decimals."""

import pytest

from ledger.core.shown import quantities_body, quantity_body
from pricing import INPUT_PARTS, OUTPUT_PARTS, Unit


def test_wholes_include_their_parts() -> None:
    """As the sender stated them: 100 in, of which 40 cached and 30 written; 50 out, 20 of it reasoning."""
    units = {"cache_write_tokens": 30, "reasoning_tokens": 20}
    assert quantities_body(30, 40, 30, units) == {
        "input_tokens": 100,
        "cached_input_tokens": 40,
        "output_tokens": 50,
        "cache_write_tokens": 30,
        "reasoning_tokens": 20,
    }


@pytest.mark.parametrize("unit", [each.value for each in Unit][3:])
def test_only_parts_of_the_tokens_are_added_to_them(unit: str) -> None:
    """Every other unit stands by itself."""
    body = quantities_body(1, 2, 4, {unit: 8_000_000})
    assert body["input_tokens"] == 3 + 8_000_000 * (unit in INPUT_PARTS)
    assert body["output_tokens"] == 4 + 8_000_000 * (unit in OUTPUT_PARTS)
    assert body["cached_input_tokens"] == 2
    seconds = {"input_seconds", "output_seconds", "gpu_seconds"}
    assert body[unit] == ("8.000000" if unit in seconds else 8_000_000)


def test_what_is_zero_is_left_out_and_the_rest_is_in_order() -> None:
    """But tokens are always told."""
    assert list(quantities_body(0, 0, 0, {"images": 1, "gpu_seconds": -1, "image_steps": 0})) == [
        *("input_tokens", "cached_input_tokens", "output_tokens"),
        *("gpu_seconds", "images"),
    ]
    assert quantities_body(0, 0, 0, {}) == {
        "input_tokens": 0, "cached_input_tokens": 0, "output_tokens": 0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("quantity", "shown"),
    [
        (0, "0.000000"),
        (1, "0.000001"),
        (-1, "-0.000001"),
        (60_000_000, "60.000000"),
        (-1_500_000, "-1.500000"),
        (10**18, "1000000000000.000000"),
    ],
)
def test_seconds_are_exact_decimals(quantity: int, shown: str) -> None:
    """A reversal's are negative."""
    assert quantity_body("input_seconds", quantity) == shown
    assert quantity_body("images", quantity) == quantity
