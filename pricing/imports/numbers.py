"""Numbers of a source as exact prices, or why they cannot be."""

import re
from decimal import Decimal

from pricing.imports.drafts import Price
from pricing.money import AMOUNT_PICO_MAX, PICO_PLACES
from pricing.units import UNIT_BY_RATE_KEY

# Within Decimal's default precision of 28 digits, so that shifting the point is exact.
DIGITS_MAX = 20
_PLAIN_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")

ZERO_REASON = "0 may mean free or unknown; write the price in if it is known to be free"


class NoPrice(ValueError):
    """A number cannot stand in a table as a price; the text says why."""


class ZeroPrice(NoPrice):
    """A number is 0, which says nothing about whether it is free."""


def number_of(value: object) -> Decimal:
    """Take a number of a source, or a decimal text, as it is written.

    Raises:
        NoPrice: It is none, is negative, or has more than 20 digits.
    """
    if isinstance(value, str) and len(value) <= DIGITS_MAX and _PLAIN_NUMBER.fullmatch(value):
        value = Decimal(value)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise NoPrice("is no number")
    number = Decimal(value) if isinstance(value, Decimal) or abs(value) < 10**DIGITS_MAX else None
    if number is None or not number.is_finite() or (number.is_signed() and not number.is_zero()):
        raise NoPrice("is negative or too large")
    if len(number.as_tuple().digits) > DIGITS_MAX or abs(number.adjusted()) > DIGITS_MAX:
        raise NoPrice(f"has more than {DIGITS_MAX} digits")
    return number


def price_of(value: object, key: str, *, places: int = 0, per: str = "") -> Price:
    """Make a number of a source the price for a rate key.

    Args:
        value: The number, an integer, a `Decimal` or a decimal text.
        key: The rate key it is for.
        places: How many places the point moves to the right: 6 makes a price per token one per 1M.
        per: The word for `per` of the table; empty for the default of the unit.

    Raises:
        ZeroPrice: It is 0.
        NoPrice: It is no number, or finer or larger than a table can hold.
    """
    amount = number_of(value).scaleb(places)
    if amount.is_zero():
        raise ZeroPrice(ZERO_REASON)
    unit = UNIT_BY_RATE_KEY[key]
    count = unit.per_counts[per or unit.per_default or ""]
    # The size first: of what is too large the remainder may have more digits than Decimal works with.
    if amount > Decimal(AMOUNT_PICO_MAX).scaleb(-PICO_PLACES) * count:
        raise NoPrice(f"{plain(amount)} is larger than a table can hold")
    finest = Decimal(count if unit.divides else 1).scaleb(-PICO_PLACES)
    if amount % finest:
        raise NoPrice(f"{plain(amount)} is finer than a table can hold")
    return Price(amount, per)


def plain(amount: Decimal) -> str:
    """Write an amount without an exponent, with two places at least and no zeros after those."""
    whole, _, fraction = format(amount, "f").partition(".")
    return f"{whole}.{fraction.rstrip('0'):0<2}"
