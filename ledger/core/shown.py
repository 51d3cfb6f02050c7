"""Quantities as answers show them: wholes that include their parts, seconds as decimals."""

from collections.abc import Mapping

from ledger.core.usage.stated import SECONDS_FIELDS
from pricing import INPUT_PARTS, OUTPUT_PARTS

_MICROS_PER_SECOND = 1_000_000


def quantities_body(
    uncached_input_tokens: int,
    cached_input_tokens: int,
    output_tokens: int,
    units: Mapping[str, int],
) -> dict[str, int | str]:
    """The quantities of an event or of a sum of events; other units are shown where they are not zero."""
    return {
        "input_tokens": uncached_input_tokens + cached_input_tokens + _sum(units, INPUT_PARTS),
        "cached_input_tokens": cached_input_tokens,
        "output_tokens": output_tokens + _sum(units, OUTPUT_PARTS),
        **{unit: quantity_body(unit, count) for unit, count in sorted(units.items()) if count},
    }


def quantity_body(unit: str, quantity: int) -> int | str:
    """A quantity as it is shown: seconds as a decimal string, everything else as a number."""
    if unit not in SECONDS_FIELDS:
        return quantity
    sign = "-" if quantity < 0 else ""
    whole, micros = divmod(abs(quantity), _MICROS_PER_SECOND)
    return f"{sign}{whole}.{micros:06d}"


def _sum(units: Mapping[str, int], names: tuple[str, ...]) -> int:
    return sum(units.get(name, 0) for name in names) if units else 0
