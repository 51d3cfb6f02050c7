"""Meters add a fee to the provider's cost."""

import msgspec
import pytest

from pricing.meters.meter import Meter, fee_pico, percentage_meter
from pricing.money import AMOUNT_PICO_MAX, AmountOutOfRange


@pytest.mark.parametrize(
    ("percentage", "cost_pico", "fee"),
    [
        ("10", 1_131_300_000, 113_130_000),
        ("12.5", 1_000, 125),
        ("0", 1_000, 0),
        ("0.000000", 1_000, 0),
        ("1000", 7, 70),
        ("1000.000000", 7, 70),
        ("0.000001", 100_000_000, 1),
        ("50", 1, 0),
        ("50", 3, 2),
        ("50", -1, 0),
        ("50", -3, -2),
    ],
)
def test_a_percentage_is_taken_exactly_and_rounded_once(
    percentage: str, cost_pico: int, fee: int
) -> None:
    """The fee is the exact share, half-even to a whole pico, alike for both signs."""
    assert fee_pico(percentage_meter("standard", 1, percentage), cost_pico) == fee


def test_without_a_meter_there_is_no_fee() -> None:
    """No meter and a meter of kind none both charge nothing."""
    assert fee_pico(None, 1_000) == 0
    assert fee_pico(Meter("free", 1, "none"), 1_000) == 0


def test_a_fee_beyond_an_amount_is_refused_by_name() -> None:
    """A share above 100% of a large cost may not fit."""
    with pytest.raises(AmountOutOfRange):
        fee_pico(percentage_meter("standard", 1, "200"), AMOUNT_PICO_MAX)


@pytest.mark.parametrize(
    "percentage",
    ["", "-1", "+1", "1000.000001", "1001", "99999", "1.0000001", "1e2", "NaN", "10%", ".5", "٣"],
)
def test_a_bad_percentage_makes_no_meter(percentage: str) -> None:
    """Whatever is not plain text from 0 to 1000 with up to 6 places is refused with the rule."""
    with pytest.raises(ValueError, match="from 0 to 1000 with up to 6 places"):
        percentage_meter("standard", 1, percentage)


@pytest.mark.parametrize(
    ("kind", "percentage", "message"),
    [
        ("percentage", None, "a meter of kind percentage must state its percentage"),
        ("none", "10", "kind none has no percentage"),
        ("tiers", None, "'tiers' is not a kind of meter: use none, percentage, fixed, graduated"),
    ],
)
def test_kind_and_percentage_go_together(kind: str, percentage: str | None, message: str) -> None:
    """A meter states a percentage exactly when its kind asks for one."""
    with pytest.raises(ValueError, match=message):
        Meter("standard", 1, kind, percentage)


def test_a_meter_read_from_outside_is_checked_alike() -> None:
    """Decoding cannot make a meter that the constructor refuses."""
    with pytest.raises(msgspec.ValidationError, match="not a percentage"):
        msgspec.json.decode(
            b'{"slug":"s","version":1,"kind":"percentage","percentage":"-1"}', type=Meter
        )
