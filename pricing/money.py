"""Exact money: the one place that rounds.

An amount is an integer of 1e-12 currency units ("pico"). It fits a signed 64-bit column, so one
event can cost up to 9,223,372 units; sums are wider and live in arbitrary precision. A minor unit
is the smallest unit that a currency pays out, such as the cent.
"""

import re
from collections.abc import Sequence

PICO_PLACES = 12
PICO_PER_UNIT = 10**PICO_PLACES
AMOUNT_PICO_MAX = 2**63 - 1
AMOUNT_TEXT_LENGTH_MAX = 40

# [0-9] and not \d: \d takes digits of every script.
_PLAIN_DECIMAL = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?")

# Minor units that are not 2, from ISO 4217 "List One" (currency, fund and precious metal codes).
_PLACES_BY_CURRENCY = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW"), 0),
    **dict.fromkeys(("PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}


class AmountOutOfRange(ValueError):
    """An amount does not fit a signed 64-bit integer of pico."""


def check_amount(amount_pico: int) -> int:
    """Return the amount unchanged when one event can hold it.

    Raises:
        AmountOutOfRange: The magnitude is above `AMOUNT_PICO_MAX`.
    """
    if -AMOUNT_PICO_MAX <= amount_pico <= AMOUNT_PICO_MAX:
        return amount_pico
    limit = format_amount(AMOUNT_PICO_MAX)
    raise AmountOutOfRange(f"the amount {format_amount(amount_pico)} is beyond +-{limit}")


def parse_amount(text: str) -> int:
    """Read plain decimal text such as `100.00` or `-0.5` as pico, without any loss.

    The result is not held to the range of one event, since sums and limits may be wider;
    `check_amount` does that.

    Raises:
        ValueError: The text is longer than 40 characters, has more than 12 decimal places, or is
            not an optional minus, ASCII digits and an optional point followed by ASCII digits.
    """
    if len(text) > AMOUNT_TEXT_LENGTH_MAX:
        raise ValueError(f"an amount has at most {AMOUNT_TEXT_LENGTH_MAX} characters")
    match = _PLAIN_DECIMAL.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a plain decimal such as 1.74")
    sign, whole, fraction = match[1], match[2], match[3] or ""
    if len(fraction) > PICO_PLACES:
        raise ValueError(
            f"{text!r} has more than {PICO_PLACES} decimal places, finer than an amount can hold"
        )
    return int(sign + whole + fraction.ljust(PICO_PLACES, "0"))


def format_amount(amount_pico: int) -> str:
    """Write pico as decimal text, always with 12 places: `0.001131300000`."""
    return format_minor(amount_pico, PICO_PLACES)


def divide_half_even(numerator: int, denominator: int) -> int:
    """Divide and round to the nearest integer; an exact half goes to the even neighbour.

    Raises:
        ValueError: The denominator is not positive.
    """
    if denominator <= 0:
        raise ValueError(f"the denominator {denominator} is not positive")
    quotient, remainder = divmod(numerator, denominator)
    doubled = 2 * remainder
    if doubled > denominator or (doubled == denominator and quotient & 1):
        return quotient + 1
    return quotient


def round_to_minor_half_up(amount_pico: int, places: int) -> int:
    """Round pico to minor units of `places` decimals; an exact half goes away from zero."""
    pico_per_minor = _pico_per_minor(places)
    magnitude = (2 * abs(amount_pico) + pico_per_minor) // (2 * pico_per_minor)
    return magnitude if amount_pico >= 0 else -magnitude


def format_minor(amount_minor: int, places: int) -> str:
    """Write minor units of `places` decimals as decimal text: 124 with 2 places is `1.24`."""
    if amount_minor < 0:
        return f"-{format_minor(-amount_minor, places)}"
    if places == 0:
        return str(amount_minor)
    digits = str(amount_minor).zfill(places + 1)
    return f"{digits[:-places]}.{digits[-places:]}"


def minor_to_pico(amount_minor: int, places: int) -> int:
    """Turn minor units of `places` decimals into pico, exactly."""
    return amount_minor * _pico_per_minor(places)


def share_by_largest_remainder(
    exact_pico: Sequence[int], total_minor: int, places: int
) -> list[int]:
    """Share a rounded total among lines so that the shares sum to it exactly.

    Every line gets its exact value rounded down; what is left goes one minor unit each to the
    lines that lost most, the earlier line first among equals. (Hamilton's method of apportionment,
    with negative lines rounded towards minus infinity so that remainders are never negative.)

    Args:
        exact_pico: The exact value of each line.
        total_minor: What the shares sum to; normally the rounded sum of the lines. A total
            further away is spread evenly over all lines first.
        places: Decimals of the minor unit.

    Returns:
        One share in minor units for each line, in the order given.

    Raises:
        ValueError: There are no lines and the total is not zero.
    """
    if not exact_pico:
        if total_minor:
            raise ValueError(f"a total of {total_minor} minor units has no line to go to")
        return []
    pico_per_minor = _pico_per_minor(places)
    floors = [amount // pico_per_minor for amount in exact_pico]
    remainders = [amount % pico_per_minor for amount in exact_pico]
    for_each, for_some = divmod(total_minor - sum(floors), len(floors))
    shares = [floor + for_each for floor in floors]
    # sorted() is stable: among equal remainders the earlier line stays first.
    by_loss = sorted(range(len(shares)), key=lambda line: -remainders[line])
    for line in by_loss[:for_some]:
        shares[line] += 1
    return shares


def currency_places(currency: str) -> int:
    """Give the decimals of a currency's minor unit, by ISO 4217: 2 unless listed otherwise."""
    return _PLACES_BY_CURRENCY.get(currency, 2)


def _pico_per_minor(places: int) -> int:
    """Give how many pico one minor unit of `places` decimals (0 to 12) holds."""
    if not 0 <= places <= PICO_PLACES:
        raise ValueError(f"{places} decimal places are outside 0 to {PICO_PLACES}")
    return int(10 ** (PICO_PLACES - places))
