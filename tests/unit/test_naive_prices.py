"""The prices of the second model against figures worked by hand: it audits, so something must audit it.

One model costs, for 1M tokens: up to 999 input tokens 1.00 in, 0.50 cached and 2.00 out; from 1,000 on 3.00
in and 4.00 out; in batches 0.50 in and 1.00 out; and in batches in the US 7.00 in.
"""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.naive_prices import Table, Terms, called_as, cost_of, fee_of, fits

MODEL: dict[str, Any] = {
    "tiers": [
        {"start": "0", "end": "1000", "input": "1.00", "cached_input": "0.50", "output": "2.00"},
        {"start": "1000", "input": "3.00", "output": "4.00"},
    ],
    "variants": [
        {"when": {"batch": "true"}, "input": "0.50", "output": "1.00"},
        {"when": {"batch": "true", "region": "us"}, "tiers": [{"start": "0", "input": "7.00"}]},
    ],
}
SPEECH: dict[str, Any] = {
    "input": "1.00",
    "output": "2.00",
    "reasoning": "3.00",
    "audio_input_tokens": "8.00",
    "cache_write": {"price": "0.00125", "per": "1K"},
    "audio_input": {"price": "0.20", "per": "minute"},
    "image": "0.04",
    "web_search": "10.00",
    "request": "0.005",
}


@pytest.mark.parametrize(
    ("used", "called", "cost"),
    [
        ({"input_tokens": 999}, {}, "0.000999"),
        ({"input_tokens": 1000}, {}, "0.003"),
        ({"input_tokens": 1000, "output_tokens": 10}, {}, "0.00304"),
        ({"input_tokens": 999, "cached_input_tokens": 99}, {}, "0.0009495"),
        ({"input_tokens": 1000, "cached_input_tokens": 99}, {}, "0.003"),  # billed as input
        ({"output_tokens": 10, "reasoning_tokens": 9}, {}, "0.00002"),  # billed as output
        ({"input_tokens": 5000}, {"batch": True}, "0.0025"),
        ({"input_tokens": 5000}, {"service_tier": "batch"}, "0.0025"),
        ({"input_tokens": 5000}, {"batch": True, "region": "us"}, "0.035"),
        ({"input_tokens": 5000}, {"service_tier": "default", "batch": False}, "0.015"),
        ({"input_tokens": 5000}, {"region": "us"}, None),
        ({"input_tokens": 5000}, {"service_tier": "priority"}, None),
        ({"output_tokens": 1}, {"batch": True, "region": "us"}, None),
        ({"images": 1}, {}, None),
        ({}, {}, "0"),
    ],
)
def test_tiers_and_ways_to_call(
    used: dict[str, int], called: dict[str, Any], cost: str | None
) -> None:
    """The whole request at the prices of its tier; what is not listed has none."""
    told = cost_of(used, MODEL, called_as(called))
    assert told == (None if cost is None else Decimal(cost))


@pytest.mark.parametrize(
    ("used", "cost"),
    [
        ({}, "0.005"),  # the request itself
        ({"input_tokens": 100, "audio_input_tokens": 40}, "0.00538"),  # 60 + 320 millionths
        ({"input_tokens": 100, "cached_audio_input_tokens": 40}, "0.00538"),
        ({"input_tokens": 100, "cache_write_tokens": 100}, "0.005125"),
        ({"output_tokens": 100, "reasoning_tokens": 60}, "0.00526"),  # 80 + 180
        ({"input_seconds": Decimal("0.5")}, "0.006666666667"),
        ({"images": 2, "web_searches": 3}, "0.115"),
        ({"output_tokens": 1, "audio_output_tokens": 1}, None),
    ],
)
def test_units(used: dict[str, int | Decimal], cost: str | None) -> None:
    """Each part at its own price, or at that of what it is to the provider."""
    assert cost_of(used, SPEECH) == (None if cost is None else Decimal(cost))


def test_names() -> None:
    """Its own id, else an alias, else the first pattern that fits."""
    small, large = {"input": "1"}, {"input": "9"}
    models, aliases = {"small": small, "large": large}, {"new": "newer", "newer": "large"}
    fallback = {"s*l*": "small", "*": "large"}
    table = Table("p", datetime(2026, 1, 1, tzinfo=UTC), models, aliases, fallback)
    names = ("small", "new", "s-l", "smallish", "x")
    assert [table.prices_of(name) for name in names] == [small, large, small, small, large]
    assert [table.lists(name) for name in (*names, None)] == [
        True,
        True,
        False,
        False,
        False,
        False,
    ]
    assert table.prices_of(None) is None
    assert not fits("a*b", "ab-")


@pytest.mark.parametrize(
    ("terms", "fee"),
    [
        (Terms(), "0"),
        (Terms(Decimal("12.5")), "0.125"),
        (Terms(Decimal("0.10"), "tokens_1m"), "0.00011"),
        (Terms(Decimal("0.01"), "requests"), "0.01"),
        (Terms(Decimal("0.01"), "minutes"), "0.015"),
        (Terms(Decimal(1), "characters_1m"), "0.000007"),
    ],
)
def test_fees(terms: Terms, fee: str) -> None:
    """Of a request that cost 1.00: 1,100 tokens, parts and all, 90 seconds and 7 characters."""
    used: dict[str, int | Decimal] = {
        "input_tokens": 1000,
        "cached_input_tokens": 300,
        "output_tokens": 90,
        "reasoning_tokens": 90,
        "training_tokens": 10,
        "input_seconds": Decimal("89.5"),
        "output_seconds": Decimal("0.5"),
        "gpu_seconds": 1000,
        "output_characters": 7,
    }
    assert fee_of(terms, Decimal(1), used) == Decimal(fee)


def test_an_amount_has_64_bits() -> None:
    """The largest is 9223372.036854775807; one more is refused."""
    free = {"input": "0"}
    assert cost_of({"input_tokens": 10**12}, free) == 0
    most = {"image": "9223372.036854775807"}
    assert cost_of({"images": 1}, most) == Decimal("9223372.036854775807")
    with pytest.raises(ValueError, match="out_of_range"):
        cost_of({"images": 2}, most)
