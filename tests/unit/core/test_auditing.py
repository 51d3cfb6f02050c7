"""An audit prices a row anew and says what differs."""

from datetime import UTC, datetime
from typing import Any

import pytest

from ledger.core.auditing import NO_PRICES, Prices, amounts_difference
from ledger.core.rows import UsageEvent
from pricing import (
    STANDARD,
    Combination,
    Meter,
    ModelRates,
    Rate,
    RateSet,
    RateTier,
    flat_rates,
    percentage_meter,
)

PER_MILLION = 10**6
RATES = RateSet(
    {
        "input_tokens": Rate(2 * 10**12, PER_MILLION),
        "output_tokens": Rate(3 * 10**12, PER_MILLION),
        "images": Rate(5 * 10**12, 1),
    }
)
PRICES = Prices(is_rated=True, rates=flat_rates(RATES), meter=percentage_meter("ten", 1, "10"))
HUGE = Prices(
    is_rated=True, rates=flat_rates(RateSet({"input_tokens": Rate(10**18, 1)})), meter=None
)
# 10 in (4 of them cached, at the price of input), 1 out: 20 + 3 = 23 millionths, 10% of it as the fee.
EVENT = UsageEvent(
    request_id=bytes(16), occurred_at=datetime(2026, 5, 1, tzinfo=UTC), uncached_input_tokens=6,
    cached_input_tokens=4, output_tokens=1, input_pico=12 * 10**6, cached_input_pico=8 * 10**6,
    output_pico=3 * 10**6, other_pico=0, fee_pico=2_300_000, batch=1, lane=1, customer=1, dimension=1,
    stated=0, kind="usage", revision=1, requests=1, unrated=0, opaque_id=None, other_units=None,
    reported_cost=None, text_digest=None,
)  # fmt: skip
IMAGES = {
    "other_units": '{"images":[2,10000000000000]}',
    "other_pico": 10**13,
    "fee_pico": 10**12 + 2_300_000,
}


def difference(prices: Prices = PRICES, **columns: Any) -> dict[str, Any] | None:
    """What an audit says of an event that differs in some columns."""
    return amounts_difference(EVENT._replace(**columns), prices)


@pytest.mark.parametrize("columns", [{}, IMAGES], ids=["tokens", "images too"])
def test_what_is_priced_right_agrees(columns: dict[str, Any]) -> None:
    """And so does its exact negation."""
    assert difference(**columns) is None
    negated: dict[str, Any] = {
        name: -value
        for name, value in (EVENT._asdict() | columns).items()
        if isinstance(value, int)
        and name not in ("batch", "lane", "customer", "dimension", "stated")
    }
    units = {"other_units": '{"images":[-2,-10000000000000]}'} if columns else {}
    assert difference(**(negated | units | {"revision": 2, "kind": "reversal"})) is None


@pytest.mark.parametrize(
    "name", ["input_pico", "cached_input_pico", "output_pico", "other_pico", "fee_pico"]
)
def test_every_amount_is_compared(name: str) -> None:
    """One pico more shows as that amount and no other."""
    found = difference(**{name: getattr(EVENT, name) + 1})

    assert found is not None
    field = name.removesuffix("_pico")
    assert {key for key in found["stored"] if found["stored"][key] != found["expected"][key]} == {
        field
    }


def test_a_unit_is_shown_by_its_name() -> None:
    """What two images cost as recorded, and as it should be."""
    wrong: dict[str, Any] = IMAGES | {"other_units": '{"images":[2,7]}'}
    found = difference(**wrong)

    assert found is not None
    assert found["stored"]["by_unit"] == {"images": "0.000000000007"}
    assert found["expected"]["by_unit"] == {"images": "10.000000000000"}


@pytest.mark.parametrize("columns", [{}, IMAGES], ids=["tokens", "images too"])
def test_what_nothing_prices_must_not_have_a_price(columns: dict[str, Any]) -> None:
    """No table, a table without the model or without the unit, or an amount beyond all range."""
    without_output = Prices(
        is_rated=True,
        rates=flat_rates(RateSet({"input_tokens": RATES.rates["input_tokens"]})),
        meter=None,
    )
    for prices in (NO_PRICES, Prices(is_rated=True, rates=None, meter=None), without_output, HUGE):
        found = difference(prices, **columns)
        assert found is not None
        assert found["expected"] is None


def test_an_unrated_row_has_no_amounts() -> None:
    """Under a dimension without a table that is right; under one with a table it cannot be."""
    amounts = dict.fromkeys(
        ("input_pico", "cached_input_pico", "output_pico", "other_pico", "fee_pico")
    )
    unrated = amounts | {"unrated": 1, "other_units": '{"images":[2,null]}'}
    assert difference(NO_PRICES, **unrated) is None
    found = difference(PRICES, **unrated)
    assert found is not None
    assert found["stored"]["by_unit"] == {"images": None}


def test_a_row_is_audited_by_the_prices_of_its_combination_and_its_tier() -> None:
    """Of a model with two tiers and batches of its own, 10 tokens fall into the second tier."""
    cheap = RateSet({"input_tokens": Rate(1, 1), "output_tokens": Rate(1, 1)})
    tiers = (RateTier(0, cheap), RateTier(10, RATES))
    model = ModelRates({STANDARD: tiers, Combination(is_batch=True): (RateTier(0, cheap),)})
    meter = percentage_meter("ten", 1, "10")
    assert difference(Prices(is_rated=True, rates=model, meter=meter)) is None
    batch = Combination(is_batch=True)
    found = difference(Prices(is_rated=True, rates=model, meter=meter, combination=batch))
    assert found is not None
    assert found["expected"]["output"] == "0.000000000001"
    flex = Prices(is_rated=True, rates=model, meter=meter, combination=Combination("flex"))
    unpriced = difference(flex)
    assert unpriced is not None
    assert unpriced["expected"] is None


def test_a_fixed_fee_is_audited_by_what_the_meter_counts() -> None:
    """11 tokens at 0.10 a million, and a cent a request; of a reversal, the same taken back."""
    tokens = Meter("t", 1, "fixed", unit="tokens_1m", rate="0.10")
    each = Meter("r", 1, "fixed", unit="requests", rate="0.01")
    rates = flat_rates(RATES)
    assert difference(Prices(True, rates, tokens), fee_pico=1_100_000) is None
    assert difference(Prices(True, rates, each), fee_pico=10**10) is None
    assert difference(Prices(True, rates, each)) is not None


def test_a_fee_out_of_range_is_what_nothing_charges() -> None:
    """The cost fits an amount and ten times of it does not: no such row can be right."""
    dear = flat_rates(RateSet({"input_tokens": Rate(10**17, 1), "output_tokens": Rate(1, 1)}))
    tenfold = Prices(is_rated=True, rates=dear, meter=percentage_meter("x", 1, "1000"))
    found = difference(tenfold)
    assert found is not None
    assert found["expected"] is None


def test_a_request_that_is_charged_for_must_have_been_counted() -> None:
    """Once: with a price for each request a row without one, or with two, is not what it should be."""
    charged = RateSet({**RATES.rates, "billable_requests": Rate(10**12, 1)})
    prices = Prices(is_rated=True, rates=flat_rates(charged), meter=None)
    once: dict[str, Any] = {
        "other_units": '{"billable_requests":[1,1000000000000]}',
        "other_pico": 10**12,
        "fee_pico": 0,
    }
    twice = {"other_units": '{"billable_requests":[2,2000000000000]}', "other_pico": 2 * 10**12}
    assert difference(prices, **once) is None
    assert difference(prices, fee_pico=0) is not None
    assert difference(prices, **once | twice) is not None


@pytest.mark.parametrize("units", ['{"images":2}', "[]", '{"images":[2,1,1]}'])
def test_units_that_do_not_read_are_shown_as_they_are(units: str) -> None:
    """Somebody wrote over them; what was there cannot be told."""
    found = difference(other_units=units)
    assert found is not None
    assert found["stored"] == units
    assert found["expected"].startswith("{unit: [quantity, amount]}")
