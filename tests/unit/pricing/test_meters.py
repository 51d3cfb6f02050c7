"""A meter counts one thing, charges by its kind, and cannot be made wrong."""

from fractions import Fraction
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing.meters.counting import metered_quantity, metered_sum, metered_units
from pricing.meters.meter import Meter, fee_pico, percentage_meter, same_schedule
from pricing.meters.tiers import COUNT_MAX, TIERS_MAX, MeterTier
from pricing.meters.units import MeterUnit
from pricing.money import AMOUNT_PICO_MAX, AmountOutOfRange
from pricing.quantities import Quantities
from pricing.units import Unit

# What a rate buys and how finely it is stored, written out once more.
STORED_PER_RATE = {
    "tokens_1m": 1_000_000,
    "characters_1m": 1_000_000,
    "minutes": 60 * 1_000_000,
    "requests": 1,
}
TIER = MeterTier(0, "5.00")
ALL_USED = Quantities(
    1,
    20,
    300,
    {
        "cache_write_tokens": 4_000,
        "reasoning_tokens": 50_000,
        "training_tokens": 600_000,
        "input_characters": 7,
        "output_characters": 80,
        "input_seconds": 1_500_000,
        "output_seconds": 2_000_001,
        "gpu_seconds": 9_000_000,
        "images": 2,
        "billable_requests": 1,
    },
)


def fixed(unit: str, rate: str) -> Meter:
    """Make a meter that charges a rate on each event."""
    return Meter("per-use", 1, "fixed", unit=unit, rate=rate)


def tiered(**terms: Any) -> Meter:
    """Make a graduated meter with some terms changed."""
    stated = {"kind": "graduated", "unit": "requests", "tiers": (TIER,), "period": "month"}
    return Meter("pro", 1, **{**stated, **terms})


def test_what_meters_count_reads_as_one_table() -> None:
    """The words are Lava's; minutes are counted in seconds, which are stored in microseconds."""
    rows = [(unit.value, unit.counted, unit.scale, unit.per_quantity) for unit in MeterUnit]
    assert rows == [
        ("tokens_1m", "tokens", 1, 1_000_000),
        ("characters_1m", "characters", 1, 1_000_000),
        ("minutes", "seconds", 1_000_000, 60_000_000),
        ("requests", "requests", 1, 1),
    ]
    assert [unit.value for unit in MeterUnit if unit.counts_requests] == ["requests"]


def test_every_kind_of_token_is_a_token() -> None:
    """No unit that is a kind of token is left out, and nothing else is counted as one."""
    tokens = {unit.value for unit in Unit if "_tokens" in unit.value}
    assert MeterUnit.TOKENS_1M.units == tokens
    assert {"input_tokens", "cached_input_tokens", "output_tokens"} < tokens


@pytest.mark.parametrize(
    ("unit", "quantity"),
    [
        ("tokens_1m", 654_321),
        ("characters_1m", 87),
        ("minutes", 3_500_001),
        ("requests", 1),
    ],
)
def test_a_meter_counts_its_unit_and_nothing_else(unit: str, quantity: int) -> None:
    """Input and output of one sort, in stored integers; GPU time is no audio."""
    meter = fixed(unit, "1")
    assert metered_quantity(meter, ALL_USED) == quantity
    assert metered_quantity(meter, Quantities()) == (unit == "requests")


@pytest.mark.parametrize("meter", [Meter("free", 1, "none"), percentage_meter("tenth", 1, "10")])
def test_a_share_of_cost_counts_nothing(meter: Meter) -> None:
    """What is charged by cost, or not at all, has no quantity and no units."""
    assert metered_quantity(meter, ALL_USED) == 0
    assert metered_sum(meter, {"input_tokens": 5}, requests=3) == 0
    assert metered_units(meter) == frozenset()


@given(
    st.sampled_from(list(STORED_PER_RATE)),
    st.lists(st.dictionaries(st.sampled_from(list(Unit)), st.integers(1, 10**9)), max_size=4),
)
def test_sums_count_as_their_events_do(unit: str, events: list[dict[Unit, int]]) -> None:
    """The metered sum of all usage is the sum of what each event counts."""
    meter = fixed(unit, "1")
    sums: dict[str, int] = {}
    one_by_one = 0
    for used in events:
        for kind, quantity in used.items():
            sums[kind.value] = sums.get(kind.value, 0) + quantity
        names = {kind.value: quantity for kind, quantity in used.items()}
        uncached = names.pop("input_tokens", 0)
        cached = names.pop("cached_input_tokens", 0)
        output = names.pop("output_tokens", 0)
        one_by_one += metered_quantity(meter, Quantities(uncached, cached, output, names or None))
    assert metered_sum(meter, sums, requests=len(events)) == one_by_one
    counted = sum(quantity for kind, quantity in sums.items() if kind in metered_units(meter))
    assert one_by_one == (len(events) if unit == "requests" else counted)


@given(
    st.sampled_from(list(STORED_PER_RATE)),
    st.integers(0, 10**18),
    st.integers(0, 10**6),
)
def test_a_fixed_fee_is_rate_times_quantity_rounded_once(
    unit: str, rate_pico: int, quantity: int
) -> None:
    """The fee is the exact product, half-even to a whole pico, whatever the event costs."""
    rate = f"{rate_pico // 10**12}.{rate_pico % 10**12:012}"
    exact = round(Fraction(rate_pico * quantity, STORED_PER_RATE[unit]))
    if exact > AMOUNT_PICO_MAX:
        with pytest.raises(AmountOutOfRange):
            fee_pico(fixed(unit, rate), 7, quantity)
    else:
        assert fee_pico(fixed(unit, rate), 7, quantity) == exact
        assert fee_pico(fixed(unit, rate), 7, -quantity) == -exact


@pytest.mark.parametrize(
    ("unit", "rate", "quantity", "fee"),
    [
        ("tokens_1m", "5.00", 1, 5_000_000),
        ("tokens_1m", "0.000000000001", 500_000, 0),
        ("tokens_1m", "0.000000000001", 500_001, 1),
        ("tokens_1m", "0.000000000003", 500_000, 2),
        ("minutes", "0.006", 90_000_000, 9_000_000_000),
        ("requests", "0.01", 1, 10_000_000_000),
        ("requests", "0", 1, 0),
    ],
)
def test_a_fixed_fee_by_hand(unit: str, rate: str, quantity: int, fee: int) -> None:
    """A million tokens, sixty seconds, one request; an exact half goes to the even neighbour."""
    assert fee_pico(fixed(unit, rate), 0, quantity) == fee


def test_an_event_has_no_fee_of_a_tiered_meter() -> None:
    """What depends on the whole period is charged beside the events."""
    assert tiered().is_tiered
    assert fee_pico(tiered(), 1_000, 1_000) == 0
    assert not fixed("requests", "1").is_tiered


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ({"kind": "hybrid"}, "'hybrid' is not a kind of meter: use none, percentage, fixed"),
        ({"kind": "none"}, "a meter of kind none has no unit"),
        ({"kind": "fixed", "tiers": ()}, "a meter of kind fixed must state its rate"),
        ({"kind": "fixed", "rate": "1"}, "a meter of kind fixed has no tiers"),
        ({"kind": "package"}, "a meter of kind package must state its package_size"),
        ({"package_size": 0}, "a meter of kind graduated has no package_size"),
        ({"tiers": ()}, "a meter of kind graduated must state its tiers"),
        ({"unit": None}, "a meter of kind graduated must state its unit"),
        ({"period": None}, "a meter of kind graduated must state its period"),
        ({"percentage": "1"}, "a meter of kind graduated has no percentage"),
        ({"unit": "tokens"}, "'tokens' is not a unit: use tokens_1m, characters_1m, minutes"),
        ({"period": "year"}, "'year' is not a period: use month, lifetime"),
        ({"kind": "package", "package_size": 0}, "a package size must be a whole number from 1"),
        ({"kind": "package", "package_size": COUNT_MAX + 1}, "a package size must be a whole"),
        (
            {"kind": "package", "package_size": 4, "tiers": (TIER, MeterTier(6, "1"))},
            "tier 2: 6 is not a multiple of the package size 4",
        ),
        ({"tiers": (MeterTier(1, "1"),)}, "tier 1: the first tier must start at 0, not at 1"),
        ({"tiers": (TIER, TIER)}, "tier 2: starts must ascend: 0 is not above 0"),
        ({"tiers": (TIER,) * (TIERS_MAX + 1)}, "a meter has at most 100 tiers"),
    ],
)
def test_terms_that_do_not_go_together_make_no_meter(terms: dict[str, Any], message: str) -> None:
    """Each kind states what it needs and nothing else, and its tiers follow one another."""
    with pytest.raises(ValueError, match=f"^{message}"):
        tiered(**terms)


@pytest.mark.parametrize(
    ("rate", "message"),
    [
        ("-1", "the rate '-1' is negative"),
        ("1e3", "'1e3' is not a plain decimal"),
        ("0.0000000000001", "more than 12 decimal places"),
        ("9223372.036854775808", "more than an amount can hold, 9223372.036854775807"),
        ("9" * 40, "more than an amount can hold"),
        ("9" * 41, "at most 40 characters"),
    ],
)
def test_a_bad_rate_makes_no_meter(rate: str, message: str) -> None:
    """A rate is a plain decimal from 0 to the largest amount, in a tier and outside."""
    with pytest.raises(ValueError, match=message):
        MeterTier(0, rate)
    with pytest.raises(ValueError, match=message):
        fixed("requests", rate)


@pytest.mark.parametrize("start", [-1, COUNT_MAX + 1])
def test_a_tier_starts_within_bounds(start: int) -> None:
    """Nothing is counted below 0, and no start is wider than a reader of JSON can hold."""
    with pytest.raises(ValueError, match="a start must be a whole number from 0 to 10000000000000"):
        MeterTier(start, "1")


def test_the_ends_of_what_is_allowed_make_a_meter() -> None:
    """The largest start, rate and number of tiers are allowed."""
    assert MeterTier(COUNT_MAX, "9223372.036854775807").rate_pico == AMOUNT_PICO_MAX
    tiers = tuple(MeterTier(start, "1") for start in range(TIERS_MAX))
    assert tiered(tiers=tiers).tiers == tiers


def test_a_meter_survives_being_written_and_read() -> None:
    """JSON holds all of it, and reading refuses what the constructor refuses."""
    meter = tiered(kind="package", package_size=10, period="lifetime")
    encoded = msgspec.json.encode(meter)
    assert msgspec.json.decode(encoded, type=Meter) == meter
    with pytest.raises(msgspec.ValidationError, match="is negative"):
        msgspec.json.decode(encoded.replace(b'"5.00"', b'"-5.00"'), type=Meter)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (percentage_meter("a", 1, "10"), percentage_meter("b", 2, "10.00"), True),
        (percentage_meter("a", 1, "10"), percentage_meter("a", 1, "10.01"), False),
        (percentage_meter("a", 1, "0"), Meter("a", 1, "none"), False),
        (fixed("requests", "5.0"), fixed("requests", "5.00"), True),
        (fixed("requests", "5.0"), fixed("minutes", "5.0"), False),
        (fixed("requests", "5.0"), fixed("requests", "5.1"), False),
        (tiered(), tiered(tiers=(MeterTier(0, "5"),)), True),
        (tiered(), tiered(tiers=(TIER, MeterTier(1, "5"))), False),
        (tiered(), tiered(tiers=(MeterTier(0, "6"),)), False),
        (tiered(), tiered(period="lifetime"), False),
        (tiered(), tiered(kind="volume"), False),
        (
            tiered(kind="package", package_size=1),
            tiered(kind="package", package_size=2),
            False,
        ),
    ],
)
def test_schedules_are_compared_by_what_they_charge(one: Meter, other: Meter, same: bool) -> None:  # noqa: FBT001 - a column
    """Names and the way a decimal is written do not matter; everything else does."""
    assert same_schedule(one, other) is same
    assert same_schedule(other, one) is same
