"""What a meter can count, one row a unit."""

from enum import StrEnum
from typing import Self

from pricing.units import Unit

_MICRO = 1_000_000
# By the ending, so that a new kind of token is counted without a word here.
_TOKENS = frozenset(unit.value for unit in Unit if unit.value.endswith("_tokens"))
_CHARACTERS = frozenset({Unit.INPUT_CHARACTERS.value, Unit.OUTPUT_CHARACTERS.value})
_AUDIO = frozenset({Unit.INPUT_SECONDS.value, Unit.OUTPUT_SECONDS.value})
_NONE: frozenset[str] = frozenset()


class MeterUnit(StrEnum):
    """What a meter counts and what its rate is for. The words are Lava's `tier_type`.

    Tier starts and package sizes are counted in `counted`, which for minutes are seconds, as Lava
    does. Sums are held in stored integers, as `Quantities` holds them.

    Attributes:
        counted: What tier starts and package sizes count, in the plural.
        scale: Stored integers in one of what is counted.
        per_quantity: Stored integers that a rate buys, except that of a package.
        units: The values of the `Unit`s whose quantities count; empty where requests do.
    """

    # mypy takes the type of .value from here, since a member is written as a tuple.
    _value_: str
    counted: str
    scale: int
    per_quantity: int
    units: frozenset[str]

    # Defaults, because type checkers take the look-up MeterUnit("minutes") for a call of this.
    def __new__(  # noqa: D102 - only the rows below call it
        cls,
        value: str,
        counted: str = "",
        scale: int = 1,
        per_quantity: int = 1,
        units: frozenset[str] = _NONE,
    ) -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.counted = counted
        member.scale = scale
        member.per_quantity = per_quantity
        member.units = units
        return member

    TOKENS_1M = "tokens_1m", "tokens", 1, 1_000_000, _TOKENS
    CHARACTERS_1M = "characters_1m", "characters", 1, 1_000_000, _CHARACTERS
    MINUTES = "minutes", "seconds", _MICRO, 60 * _MICRO, _AUDIO
    REQUESTS = "requests", "requests", 1, 1, _NONE

    @property
    def counts_requests(self) -> bool:
        """True where every request counts as one, whatever it used."""
        return not self.units


METER_UNITS = tuple(unit.value for unit in MeterUnit)
