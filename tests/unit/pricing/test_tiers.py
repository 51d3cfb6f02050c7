"""The fee of a period: each kind of tiers against plain fractions, and by hand at every boundary."""

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing.meters.fees import TierShare, period_fee_pico, tier_shares, tiered_fee_pico
from pricing.meters.meter import Meter, percentage_meter
from pricing.meters.tiers import MeterTier

PICO = 10**12
LADDER = ((0, "5.00"), (1_000_000, "3.00"), (10_000_000, "1.00"))
# Stored integers in one of what starts count, and in what a rate buys; written out once more.
SCALES = {
    "tokens_1m": (1, 1_000_000),
    "characters_1m": (1, 1_000_000),
    "minutes": (1_000_000, 60_000_000),
    "requests": (1, 1),
}


def meter(
    kind: str,
    *tiers: tuple[int, str],
    unit: str = "tokens_1m",
    package_size: int | None = None,
    period: str = "month",
) -> Meter:
    """Make a tiered meter from pairs of start and rate."""
    made = tuple(MeterTier(start, rate) for start, rate in tiers)
    return Meter("pro", 1, kind, unit=unit, tiers=made, package_size=package_size, period=period)


def naive_fee_pico(schedule: Meter, quantity: int) -> int:
    """Work out a fee from the words of a meter, in whole units and fractions."""
    scale, per_rate = SCALES[str(schedule.unit)]
    counted = Fraction(max(quantity, 0), scale)
    starts = [Fraction(tier.start) for tier in schedule.tiers]
    rates_pico = [Fraction(tier.rate) * PICO for tier in schedule.tiers]
    if schedule.kind == "volume":
        reached = [rate for start, rate in zip(starts, rates_pico, strict=True) if start <= counted]
        return round(counted * scale / per_rate * reached[-1])
    if schedule.kind == "package":
        fee, begun = Fraction(0), 0
        while begun < counted:
            fee += [r for s, r in zip(starts, rates_pico, strict=True) if s <= begun][-1]
            begun += schedule.package_size or 0
        return int(fee)
    parts = [
        min(counted, end) - start
        for start, end in pairwise([*starts, max(counted, *starts)])
        if counted > start
    ]
    return sum(
        round(part * scale / per_rate * rate) for part, rate in zip(parts, rates_pico, strict=False)
    )


rates = st.integers(0, 10**15).map(lambda pico: f"{pico // PICO}.{pico % PICO:012}")


@st.composite
def schedules(draw: st.DrawFn, *, period: str = "month") -> Meter:
    """Draw any tiered meter with small numbers, so that boundaries are met often."""
    kind = draw(st.sampled_from(["graduated", "volume", "package"]))
    package_size = draw(st.integers(1, 7)) if kind == "package" else None
    starts = draw(st.sets(st.integers(1, 30), max_size=4))
    tiers = [(start * (package_size or 1), draw(rates)) for start in (0, *sorted(starts))]
    unit = draw(st.sampled_from(list(SCALES)))
    return meter(kind, *tiers, unit=unit, package_size=package_size, period=period)


@st.composite
def used(draw: st.DrawFn, schedule: Meter) -> int:
    """Draw stored integers at, beside and between the starts of a meter."""
    scale, _ = SCALES[str(schedule.unit)]
    return draw(st.integers(-1, 250)) * scale + draw(st.integers(-1, 1))


@given(st.data())
def test_every_kind_is_what_its_words_say(data: st.DataObject) -> None:
    """A model in fractions that goes by the definition of each kind finds the same fee."""
    schedule = data.draw(schedules())
    quantity = data.draw(used(schedule))
    assert tiered_fee_pico(schedule, quantity) == naive_fee_pico(schedule, quantity)


@given(st.data())
def test_shares_cover_the_quantity_once(data: st.DataObject) -> None:
    """The shares add up to what was used and to the fee, and none of them is empty."""
    schedule = data.draw(schedules())
    quantity = data.draw(used(schedule))
    shares = tier_shares(schedule, quantity)
    assert sum(share.quantity for share in shares) == max(quantity, 0)
    assert sum(share.fee_pico for share in shares) == tiered_fee_pico(schedule, quantity)
    assert all(share.quantity > 0 for share in shares)
    starts = [tier.start for tier in schedule.tiers]
    assert all((share.start, share.end) in pairwise([*starts, None]) for share in shares)


@given(st.data())
def test_a_graduated_fee_is_that_of_each_part_alone(data: st.DataObject) -> None:
    """Cut at its starts, a quantity costs what its parts cost at their own rates."""
    drawn = data.draw(schedules())
    tiers = [(tier.start, tier.rate) for tier in drawn.tiers]
    schedule = meter("graduated", *tiers, unit=str(drawn.unit))
    quantity = data.draw(used(schedule))
    parts = [
        tiered_fee_pico(meter("graduated", (0, share.rate), unit=str(drawn.unit)), share.quantity)
        for share in tier_shares(schedule, quantity)
    ]
    assert sum(parts) == tiered_fee_pico(schedule, quantity)


@given(st.data())
def test_more_usage_never_costs_less_but_by_volume(data: st.DataObject) -> None:
    """Graduated and in packages the fee never falls as the quantity grows."""
    schedule = data.draw(schedules().filter(lambda drawn: drawn.kind != "volume"))
    less, more = sorted((data.draw(used(schedule)), data.draw(used(schedule))))
    assert tiered_fee_pico(schedule, less) <= tiered_fee_pico(schedule, more)


@given(st.data())
def test_periods_of_a_lifetime_sum_to_the_whole(data: st.DataObject) -> None:
    """However usage is split over periods, corrections included, it costs the same in the end."""
    schedule = data.draw(schedules(period="lifetime"))
    periods = data.draw(st.lists(used(schedule), max_size=5))
    fees = [
        period_fee_pico(schedule, sum(periods[:index]), quantity)
        for index, quantity in enumerate(periods)
    ]
    assert sum(fees) == tiered_fee_pico(schedule, sum(periods))


@given(st.data())
def test_a_month_begins_anew(data: st.DataObject) -> None:
    """What came before a month has no say in its fee."""
    schedule = data.draw(schedules())
    quantity = data.draw(used(schedule))
    before = data.draw(used(schedule))
    assert period_fee_pico(schedule, before, quantity) == tiered_fee_pico(schedule, quantity)


def test_lava_s_example_of_a_graduated_meter() -> None:
    """5M tokens over 5.00, 3.00 and 1.00 at 0, 1M and 10M: 5 for the first, 12 for four more.

    From Lava's page on meters.
    """
    shares = tier_shares(meter("graduated", *LADDER), 5_000_000)
    assert shares == [
        TierShare(0, 1_000_000, "5.00", 1_000_000, 5 * PICO),
        TierShare(1_000_000, 10_000_000, "3.00", 4_000_000, 12 * PICO),
    ]
    assert tiered_fee_pico(meter("graduated", *LADDER), 5_000_000) == 17 * PICO


@pytest.mark.parametrize(
    ("quantity", "graduated", "volume"),
    [
        (-1, 0, 0),
        (0, 0, 0),
        (1, 5_000_000, 5_000_000),
        (999_999, 4_999_995_000_000, 4_999_995_000_000),
        (1_000_000, 5 * PICO, 3 * PICO),
        (1_000_001, 5 * PICO + 3_000_000, 3 * PICO + 3_000_000),
        (9_999_999, 32 * PICO - 3_000_000, 30 * PICO - 3_000_000),
        (10_000_000, 32 * PICO, 10 * PICO),
        (10_000_001, 32 * PICO + 1_000_000, 10 * PICO + 1_000_000),
    ],
)
def test_each_side_of_a_start(quantity: int, graduated: int, volume: int) -> None:
    """Graduated, the token after a start is the first at its rate; by volume a total at the start has it."""
    assert tiered_fee_pico(meter("graduated", *LADDER), quantity) == graduated
    assert tiered_fee_pico(meter("volume", *LADDER), quantity) == volume


def test_a_total_at_a_start_belongs_to_the_tier_that_starts_there() -> None:
    """By volume there is one share, with everything in it."""
    volume = meter("volume", *LADDER)
    assert tier_shares(volume, 1_000_000) == [
        TierShare(1_000_000, 10_000_000, "3.00", 1_000_000, 3 * PICO)
    ]
    assert tier_shares(volume, 10_000_000) == [
        TierShare(10_000_000, None, "1.00", 10_000_000, 10 * PICO)
    ]


@pytest.mark.parametrize(
    ("requests", "packages", "fee"),
    [
        (0, [], 0),
        (1, [1], 0),
        (100, [1], 0),
        (101, [1, 1], 2),
        (200, [1, 1], 2),
        (201, [1, 2], 4),
        (300, [1, 2], 4),
        (301, [1, 2, 1], 5),
        (500, [1, 2, 2], 6),
    ],
)
def test_every_package_that_is_begun_counts_whole(
    requests: int, packages: list[int], fee: int
) -> None:
    """The first hundred are free, then 2 a hundred, from the fourth hundred on 1."""
    schedule = meter("package", (0, "0"), (100, "2"), (300, "1"), unit="requests", package_size=100)
    shares = tier_shares(schedule, requests)
    assert [share.packages for share in shares] == packages
    assert sum(share.fee_pico for share in shares) == fee * PICO


def test_minutes_are_measured_in_seconds() -> None:
    """An hour free, then 0.06 a minute: starts are seconds, rates minutes, sums microseconds."""
    schedule = meter("graduated", (0, "0"), (3_600, "0.06"), unit="minutes")
    assert tiered_fee_pico(schedule, 3_600_000_000) == 0
    assert tiered_fee_pico(schedule, 3_600_000_001) == 1_000
    assert tiered_fee_pico(schedule, 3_690_000_000) == 90_000_000_000


def test_each_tier_is_rounded_once() -> None:
    """Two tiers of half a pico each are two roundings to even, not one of their sum."""
    schedule = meter("graduated", (0, "0.000000000001"), (500_000, "0.000000000003"))
    assert [share.fee_pico for share in tier_shares(schedule, 1_000_000)] == [0, 2]


def test_a_sum_may_be_wider_than_an_amount() -> None:
    """A period is not held to what one event can cost."""
    schedule = meter("volume", (0, "9000000"))
    assert tiered_fee_pico(schedule, 10**18) == 9_000_000 * PICO * 10**12


def test_a_cheaper_tier_by_volume_gives_money_back() -> None:
    """Over a lifetime the period that reaches a cheaper tier can have a negative fee."""
    schedule = meter("volume", *LADDER, period="lifetime")
    assert period_fee_pico(schedule, 999_999, 1) == 3 * PICO - 4_999_995_000_000


@pytest.mark.parametrize(
    "schedule",
    [
        Meter("free", 1, "none"),
        percentage_meter("tenth", 1, "10"),
        Meter("per-use", 1, "fixed", unit="requests", rate="1"),
    ],
)
def test_without_tiers_a_period_has_no_fee(schedule: Meter) -> None:
    """What is charged on events is not charged again on their period."""
    assert tier_shares(schedule, 1_000) == []
    assert period_fee_pico(schedule, 0, 1_000) == 0
