"""Usage as a source states it: by field of a record, before the parts are taken out of their wholes."""

from decimal import Decimal
from typing import Annotated, TypeVar

import msgspec

from ledger.core.errors import FieldError
from ledger.core.json_values import kind_of
from pricing import INPUT_PARTS, OUTPUT_PARTS, Quantities

_MICRO_DECIMALS = 6
_T = TypeVar("_T")
COUNT_MAX = 10**12
Count = Annotated[int, msgspec.Meta(ge=0, le=COUNT_MAX)]


class FaultyField(Exception):
    """A fault found while a record is brought into form."""

    def __init__(self, field: str, code: str, detail: str) -> None:
        super().__init__(detail)
        self.error = FieldError(field, code, detail)


class StatedUsage(msgspec.Struct, frozen=True):
    """The quantities one source states; None = not stated. Seconds are integers of microseconds.

    `input_tokens` and `output_tokens` are wholes: they include the cached, written, audio, image and
    reasoning tokens that are also stated apart. The parts of a whole never overlap.
    """

    input_tokens: int | None = None
    cached_input_tokens: int | None = None
    output_tokens: int | None = None
    input_seconds: int | None = None
    output_seconds: int | None = None
    input_characters: int | None = None
    output_characters: int | None = None
    images: int | None = None
    gpu_seconds: int | None = None
    cache_write_tokens: int | None = None
    cache_write_1h_tokens: int | None = None
    reasoning_tokens: int | None = None
    audio_input_tokens: int | None = None
    cached_audio_input_tokens: int | None = None
    audio_output_tokens: int | None = None
    image_input_tokens: int | None = None
    image_output_tokens: int | None = None
    image_steps: int | None = None
    web_searches: int | None = None
    rerank_searches: int | None = None
    training_tokens: int | None = None

    def joined_with(self, other: "StatedUsage") -> "StatedUsage":
        """What both state together.

        Raises:
            FaultyField: they state different figures for one quantity.
        """
        joined = {}
        for name in QUANTITY_FIELDS:
            ours, theirs = getattr(self, name), getattr(other, name)
            if ours is not None and theirs is not None and ours != theirs:
                raise FaultyField(name, "contradiction", "is stated twice with different values")
            joined[name] = theirs if ours is None else ours
        return StatedUsage(**joined)

    def check_parts(self) -> None:
        """Check that the parts of a whole fit into it.

        Raises:
            FaultyField: they are more; the part that is named is the first that is stated.
        """
        if not self.cached_input_tokens and not any(msgspec.structs.astuple(self)[_FIRST_PART:]):
            return
        for whole, parts in _PARTS:
            stated = [(name, value) for name in parts if (value := getattr(self, name))]
            if stated and sum(value for _, value in stated) > (getattr(self, whole) or 0):
                raise FaultyField(
                    stated[0][0], f"exceeds_{whole}", f"must not exceed {whole}, which include it"
                )

    def quantities(self) -> Quantities:
        """The same as disjoint quantities: each part is taken out of its whole."""
        values = msgspec.structs.astuple(self)
        uncached, cached, output = values[0] or 0, values[1] or 0, values[2] or 0
        other = None
        if any(values[3:]):
            other = {
                name: value for name, value in zip(OTHER_FIELDS, values[3:], strict=True) if value
            }
            uncached -= sum(other.get(name, 0) for name in _OTHER_INPUT_PARTS)
            output -= sum(other.get(name, 0) for name in OUTPUT_PARTS)
        return Quantities(uncached - cached, cached, output, other)


QUANTITY_FIELDS = StatedUsage.__struct_fields__
OTHER_FIELDS = QUANTITY_FIELDS[3:]
SECONDS_FIELDS = frozenset({"input_seconds", "output_seconds", "gpu_seconds"})
_FIRST_PART = QUANTITY_FIELDS.index(
    "cache_write_tokens"
)  # of those that are counted as other units
_PARTS = (("input_tokens", INPUT_PARTS), ("output_tokens", OUTPUT_PARTS))
_OTHER_INPUT_PARTS = tuple(name for name in INPUT_PARTS if name != "cached_input_tokens")


def agreed(field: str, one: _T | None, other: _T | None) -> _T | None:
    """The one value that a field and its alias state; two that differ are no statement."""
    if one is not None and other is not None and one != other:
        raise FaultyField(field, "contradiction", "is stated twice with different values")
    return other if one is None else one


def micros(field: str, seconds: Decimal | None) -> int | None:
    """Seconds with up to 6 decimals as whole microseconds.

    Raises:
        FaultyField: negative, too large, not finite, or finer than a microsecond.
    """
    if seconds is None:
        return None
    rule = "must be a number of seconds from 0 to 10^12 with at most 6 decimals"
    if not seconds.is_finite() or not 0 <= seconds <= COUNT_MAX:
        raise FaultyField(field, "out_of_range", f"{rule}, got {kind_of(seconds)}")
    if decimals_of(seconds) > _MICRO_DECIMALS:
        raise FaultyField(field, "too_precise", f"{rule}, got {decimals_of(seconds)}")
    return int(seconds.scaleb(_MICRO_DECIMALS))  # at most 12 + 6 digits: within Decimal's precision


def decimals_of(number: Decimal) -> int:
    """How many decimals a finite number is written with; `1.50` has two."""
    exponent = number.as_tuple().exponent
    return -exponent if isinstance(exponent, int) and exponent < 0 else 0
