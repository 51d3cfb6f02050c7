"""Meters: the fee that we add to the provider's cost."""

import re
from functools import cached_property

from msgspec import Struct

from pricing.money import check_amount, divide_half_even

PERCENTAGE_MAX = 1000
PERCENTAGE_PLACES = 6

_MICRO = 10**PERCENTAGE_PLACES
_PERCENTAGE = re.compile(rf"([0-9]{{1,4}})(?:\.([0-9]{{1,{PERCENTAGE_PLACES}}}))?")


class Meter(Struct, frozen=True, dict=True):
    """One version of a fee schedule.

    Attributes:
        slug: The name by which records and customers choose it.
        version: Counts up with every change of the schedule.
        kind: `none` for no fee, `percentage` for a share of the cost.
        percentage: The share as decimal text, such as `10` or `12.5`, for `percentage` only.

    Raises:
        ValueError: The kind is unknown, or the percentage is not what the kind asks for.
    """

    slug: str
    version: int
    kind: str
    percentage: str | None = None

    def __post_init__(self) -> None:
        """Refuse a schedule that could not be applied."""
        if self.kind == "percentage":
            _ = self.percentage_micro
        elif self.kind != "none":
            raise ValueError(f"{self.kind!r} is not a kind of meter: use none or percentage")
        elif self.percentage is not None:
            raise ValueError("a meter of kind none has no percentage")

    @cached_property
    def percentage_micro(self) -> int:
        """The percentage in millionths of a percent; 0 when there is none. Read only once."""
        return 0 if self.kind == "none" else _parse_percentage_micro(self.percentage)


def percentage_meter(slug: str, version: int, percentage: str) -> Meter:
    """Make a meter that charges a percentage of the cost.

    Raises:
        ValueError: The percentage is not plain decimal text from 0 to 1000 with up to 6 places.
    """
    return Meter(slug=slug, version=version, kind="percentage", percentage=percentage)


def fee_pico(meter: Meter | None, cost_pico: int) -> int:
    """Give the fee in pico on a cost in pico, rounded half-even once; no meter means no fee.

    Raises:
        AmountOutOfRange: The fee does not fit an amount.
    """
    if meter is None or meter.percentage_micro == 0:
        return 0
    return check_amount(divide_half_even(cost_pico * meter.percentage_micro, 100 * _MICRO))


def _parse_percentage_micro(text: str | None) -> int:
    """Read percentage text as millionths of a percent."""
    match = _PERCENTAGE.fullmatch(text or "")
    if match is not None:
        percentage_micro = int(match[1] + (match[2] or "").ljust(PERCENTAGE_PLACES, "0"))
        if percentage_micro <= PERCENTAGE_MAX * _MICRO:
            return percentage_micro
    raise ValueError(
        f"{text!r} is not a percentage: write a plain decimal from 0 to {PERCENTAGE_MAX} "
        f"with up to {PERCENTAGE_PLACES} places, such as 12.5"
    )
