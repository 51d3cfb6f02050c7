"""What tiered meters count, and the fees of the months: a second, plain model stands beside it."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.core.configuration import PublishedMeter
from ledger.core.limits import TOTAL_START
from ledger.core.rows import UsageEvent
from ledger.core.tiered_fees import (
    TieredFee,
    event_quantity,
    fees_by_slug,
    fees_by_window,
    first_lifetime_months,
    fold_usage,
    less,
    tiered_fees,
)
from pricing import PICO_PER_UNIT, Meter, MeterTier

OCTOBER, NOVEMBER, DECEMBER = (date(2026, month, 1) for month in (10, 11, 12))
TIERS = (MeterTier(0, "5.00"), MeterTier(1_000_000, "3.00"), MeterTier(10_000_000, "1.00"))
PRO = Meter("pro", 1, "graduated", unit="tokens_1m", tiers=TIERS, period="month")
FOREVER = msgspec.structs.replace(PRO, slug="forever", period="lifetime")
STEPS = (MeterTier(0, "2"), MeterTier(3, "1"))
CALLS = Meter("calls", 1, "volume", unit="requests", tiers=STEPS, period="lifetime")
METERS = {n: PublishedMeter(n, each) for n, each in enumerate((PRO, FOREVER, CALLS), 1)}
OF_DIMENSION = {11: 1, 12: 2, 13: None, 14: 9}
ROW = UsageEvent(
    b"0" * 16, datetime(2026, 10, 31, 23, 59, tzinfo=UTC), 5, 3, 2, 0, 0, 0, 0, 0, 1, 1, 7, 11, 0,
    "usage", 1, 1, 0, None, None, None, None,
)  # fmt: skip
AUDIO = '{"input_seconds":[1500000,null],"reasoning_tokens":[4,5],"input_characters":[6,7]}'
TAKEN_BACK = '{"input_seconds":[-1500000,null],"reasoning_tokens":[-4,-5]}'


def row(**changes: Any) -> UsageEvent:
    """A row of customer 7 in October: 10 tokens by the meter `pro`."""
    return ROW._replace(**changes)


@pytest.mark.parametrize(
    ("unit", "event", "quantity"),
    [
        ("tokens_1m", ROW, 10),
        ("tokens_1m", row(other_units=AUDIO), 14),
        ("tokens_1m", row(uncached_input_tokens=-5, requests=-1, other_units=TAKEN_BACK), -4),
        ("minutes", row(other_units=AUDIO), 1_500_000),
        ("minutes", ROW, 0),
        ("characters_1m", row(other_units=AUDIO), 6),
        ("requests", row(other_units=AUDIO), 1),
        ("requests", row(requests=-1), -1),
    ],
)
def test_a_row_counts_as_its_meter_counts(unit: str, event: UsageEvent, quantity: int) -> None:
    """Tokens of every kind, seconds, characters or the request itself; a reversal counts back."""
    assert event_quantity(Meter("m", 1, "fixed", unit=unit, rate="1"), event) == quantity


def test_usage_is_summed_by_customer_version_and_month() -> None:
    """An hour later is another month; what is unmetered or unrated, or has no tiers, counts nothing."""
    november = datetime(2026, 11, 1, tzinfo=UTC)
    events = [
        row(), row(output_tokens=90), row(occurred_at=november), row(customer=8), row(dimension=12),
        row(revision=0), row(unrated=1), row(unrated=-1, revision=2), row(dimension=13),
        row(dimension=14), row(dimension=15),
    ]  # fmt: skip
    assert fold_usage(events, OF_DIMENSION, METERS) == {
        (7, 1, OCTOBER): 108,
        (7, 1, NOVEMBER): 10,
        (8, 1, OCTOBER): 10,
        (7, 2, OCTOBER): 10,
    }
    assert fold_usage(events, OF_DIMENSION, {}) == {}


def test_what_cancels_out_keeps_its_key() -> None:
    """A month with an event has a row, whatever it sums up to, so that a rebuild finds the same."""
    void = row(
        revision=2, requests=-1, uncached_input_tokens=-5, cached_input_tokens=-3, output_tokens=-2
    )
    assert fold_usage([row(), void], OF_DIMENSION, METERS) == {(7, 1, OCTOBER): 0}


def fees_of(usage: dict[tuple[int, int, date], int]) -> list[tuple[int, str, date, int, str]]:
    """Customer, meter, month, quantity before, and the fee in whole units."""
    return [
        (fee.customer, fee.slug, fee.month, fee.before, str(Fraction(fee.fee_pico, PICO_PER_UNIT)))
        for fee in tiered_fees(usage, METERS)
    ]


def test_tiers_begin_anew_each_month_or_never() -> None:
    """5M tokens in each of two months: 17 and 17, or 17 and then 15 in the tiers above.

    The third million of a cheaper volume tier takes back what the first ones cost: 2 + 2, then 3 - 4.
    """
    million = 1_000_000
    assert fees_of(
        {
            (7, 2, NOVEMBER): 5 * million,
            (7, 2, OCTOBER): 5 * million,
            (7, 1, OCTOBER): 5 * million,
            (7, 1, NOVEMBER): 5 * million,
            (7, 3, NOVEMBER): 1,
            (7, 3, OCTOBER): 2,
            (6, 2, DECEMBER): million,
        }
    ) == [
        (6, "forever", DECEMBER, 0, "5"),
        (7, "pro", OCTOBER, 0, "17"),
        (7, "pro", NOVEMBER, 5 * million, "17"),
        (7, "forever", OCTOBER, 0, "17"),
        (7, "forever", NOVEMBER, 5 * million, "15"),
        (7, "calls", OCTOBER, 0, "4"),
        (7, "calls", NOVEMBER, 2, "-1"),
    ]


def test_versions_of_a_meter_are_priced_apart_and_added_up() -> None:
    """Each version's usage by its own tiers; by meter and by window of a limit they are one sum."""
    second = PublishedMeter(4, msgspec.structs.replace(PRO, version=2, tiers=(MeterTier(0, "1"),)))
    usage = {(7, 1, OCTOBER): 1_000_000, (7, 4, OCTOBER): 1_000_000, (7, 2, NOVEMBER): 1_000_000}
    fees = tiered_fees(usage, METERS | {4: second})
    unit = PICO_PER_UNIT
    assert [fee.fee_pico for fee in fees] == [5 * unit, 5 * unit, 1 * unit]
    assert fees_by_slug(fees) == {(7, "pro", OCTOBER): 6 * unit, (7, "forever", NOVEMBER): 5 * unit}
    assert fees_by_window(fees) == {
        (7, "month", datetime(2026, 10, 1, tzinfo=UTC)): 6 * unit,
        (7, "month", datetime(2026, 11, 1, tzinfo=UTC)): 5 * unit,
        (7, "total", TOTAL_START): 11 * unit,
    }


def test_usage_is_told_without_a_part_of_it() -> None:
    """What a batch added is taken off again; what it did not add is not."""
    usage = {(7, 1, OCTOBER): 10, (7, 1, NOVEMBER): 4}
    assert less(usage, {(7, 1, OCTOBER): 3}) == {(7, 1, OCTOBER): 7, (7, 1, NOVEMBER): 4}


def test_lifetime_fees_move_from_the_earliest_month_on() -> None:
    """One month for each customer and meter, in the order of both; a meter by month has none."""
    usage = {
        (8, 2, DECEMBER): 1, (8, 2, OCTOBER): 1, (8, 3, NOVEMBER): 1, (7, 2, NOVEMBER): 1,
        (7, 1, OCTOBER): 1,
    }  # fmt: skip
    assert list(first_lifetime_months(usage, METERS)) == [
        (7, 2, NOVEMBER),
        (8, 2, OCTOBER),
        (8, 3, NOVEMBER),
    ]


def plain_fee(meter: Meter, quantity: int) -> Fraction:
    """The fee on a quantity of requests, one by one, each at the rate of the tier that it is in."""
    rates = [
        max((tier for tier in meter.tiers if tier.start <= place), key=lambda tier: tier.start).rate
        for place in range(quantity + 1)
    ]
    if meter.kind == "volume":
        return quantity * Fraction(rates[quantity])
    size = meter.package_size or 1
    return sum((Fraction(rate) for rate in rates[:quantity:size]), Fraction())


meters = st.builds(
    lambda kind, size, steps, rates, period: Meter(
        "m", 1, kind, unit="requests", period=period,
        package_size=size if kind == "package" else None,
        tiers=tuple(
            MeterTier(step * (size if kind == "package" else 1), f"{rate}.25")
            for step, rate in zip([0, *sorted(steps)], rates, strict=False)
        ),
    ),
    st.sampled_from(["graduated", "volume", "package"]), st.integers(1, 4),
    st.sets(st.integers(1, 9), max_size=3), st.lists(st.integers(0, 9), min_size=4, max_size=4),
    st.sampled_from(["month", "lifetime"]),
)  # fmt: skip


@given(meters, st.lists(st.integers(0, 20), min_size=1, max_size=5))
def test_a_plain_model_agrees(meter: Meter, months: Sequence[int]) -> None:
    """Whatever the tiers: the fees are those of a model that counts request by request."""
    days = [date(2026, month + 1, 1) for month in range(len(months))]
    usage = {(7, 1, day): quantity for day, quantity in zip(days, months, strict=True)}
    fees: list[TieredFee] = tiered_fees(usage, {1: PublishedMeter(1, meter)})
    expected, so_far = [], 0
    for quantity in months:
        before = so_far if meter.period == "lifetime" else 0
        expected.append(plain_fee(meter, before + quantity) - plain_fee(meter, before))
        so_far += quantity
    assert [Fraction(fee.fee_pico, PICO_PER_UNIT) for fee in fees] == expected
    if meter.period == "lifetime":
        assert sum(expected) == plain_fee(meter, so_far)
