"""The words that an explanation has for the fee of one event."""

import pytest

from ledger.core.explanation import Fee, counted_text, work_out
from pricing import (
    Meter,
    MeterTier,
    MeterUnit,
    Quantities,
    Rate,
    RateSet,
    fee_pico,
    metered_quantity,
)

NINETY = Rate(900_000_000_000, 1_000_000)
PER_MINUTE = Rate(200_000_000_000, 60_000_000)
RATES = RateSet({"input_tokens": NINETY, "output_tokens": NINETY, "input_seconds": PER_MINUTE})
TALK = Quantities(1_000_000, 0, 234_567, {"input_seconds": 90_500_000})


@pytest.mark.parametrize(
    ("unit", "rate", "words", "exact"),
    [
        ("requests", "0.01", "1 x 0.01", None),
        ("tokens_1m", "2.50", "1,234,567 x 2.50 / 1,000,000", None),
        ("tokens_1m", "0.0000012", "1,234,567 x 0.0000012 / 1,000,000", "0.0000014814804"),
        ("minutes", "0.01", "90.5 x 0.01 / 60", "0.015083333333333333333333..."),
        ("characters_1m", "9", "0 x 9 / 1,000,000", None),
    ],
)
def test_a_fixed_fee_is_what_was_counted_times_its_rate(
    unit: str, rate: str, words: str, exact: str | None
) -> None:
    """In what the meter counts: tokens of every kind, seconds for minutes, the request itself."""
    meter = Meter("each", 1, "fixed", unit=unit, rate=rate)
    worked = work_out(TALK, RATES, meter)
    assert worked is not None
    amount_pico = fee_pico(meter, 0, metered_quantity(meter, TALK))
    assert worked.fee == Fee(words, exact, amount_pico)


def test_a_tiered_meter_has_no_fee_on_an_event() -> None:
    """It is told where it is: on the month."""
    tiers = (MeterTier(0, "5"),)
    meter = Meter("pro", 1, "graduated", unit="tokens_1m", tiers=tiers, period="month")
    worked = work_out(TALK, RATES, meter)
    assert worked is not None
    assert worked.fee == Fee(
        "none of its own: the fee is on the month's whole use, by tiers", None, 0
    )


def test_what_a_meter_counts_is_told_as_its_tiers_are() -> None:
    """Tokens and requests as whole numbers, minutes as seconds."""
    shown = {unit.value: counted_text(unit, -1_500_000) for unit in MeterUnit}
    assert shown == {
        "tokens_1m": "-1,500,000",
        "characters_1m": "-1,500,000",
        "minutes": "-1.5",
        "requests": "-1,500,000",
    }
