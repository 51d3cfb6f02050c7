"""Usage as it is stated: directly, in Lava's `model_usage`, or in a provider's own `usage` object.

Each known shape has one reader. A shape that is not known is refused, never guessed.
"""

from decimal import Decimal
from typing import Annotated

import msgspec

from ledger.core.errors import FieldError
from ledger.core.json_values import kind_of
from pricing import Quantities

_MICRO_DECIMALS = 6
COUNT_MAX = 10**12
Count = Annotated[int, msgspec.Meta(ge=0, le=COUNT_MAX)]


class FaultyField(Exception):
    """A fault found while a record is brought into form."""

    def __init__(self, field: str, code: str, detail: str) -> None:
        super().__init__(detail)
        self.error = FieldError(field, code, detail)


class StatedUsage(msgspec.Struct, frozen=True):
    """The quantities one source states; None = not stated. Seconds are integers of microseconds.

    `input_tokens` includes the cached ones, as the field does that it comes from.
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

    def stated_mask(self) -> int:
        """One bit for each stated quantity, in the order of `QUANTITY_FIELDS`."""
        mask, bit = 0, 1
        for value in msgspec.structs.astuple(self):
            if value is not None:
                mask |= bit
            bit <<= 1
        return mask

    def quantities(self) -> Quantities:
        """The same as disjoint quantities: cached input is taken out of input."""
        cached = self.cached_input_tokens or 0
        values = msgspec.structs.astuple(self)[3:]
        other = None
        if any(values):
            other = {name: value for name, value in zip(OTHER_FIELDS, values, strict=True) if value}
        return Quantities((self.input_tokens or 0) - cached, cached, self.output_tokens or 0, other)


QUANTITY_FIELDS = StatedUsage.__struct_fields__
OTHER_FIELDS = QUANTITY_FIELDS[3:]
SECONDS_FIELDS = frozenset({"input_seconds", "output_seconds", "gpu_seconds"})


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


class ModelUsage(msgspec.Struct):
    """Lava's `model_usage`: totals by tokens, characters and seconds; its costs are kept, not used."""

    input_tokens: Count | None = None
    output_tokens: Count | None = None
    cached_input_tokens: Count | None = None
    input_characters: Count | None = None
    output_characters: Count | None = None
    input_seconds: Decimal | None = None
    output_seconds: Decimal | None = None
    total_cost: Decimal | None = None


class PromptDetails(msgspec.Struct):
    """The part of an OpenAI chat usage object that tells cached prompt tokens."""

    cached_tokens: Count | None = None


class ChatUsage(msgspec.Struct):
    """OpenAI's chat completion usage object, which Fireworks answers too.

    `cached_tokens` lie within `prompt_tokens`.
    """

    prompt_tokens: Count
    completion_tokens: Count | None = None
    prompt_tokens_details: PromptDetails | None = None


_MODEL_USAGE = msgspec.json.Decoder(ModelUsage | None)
_CHAT_USAGE = msgspec.json.Decoder(ChatUsage | None)


def read_model_usage(raw: msgspec.Raw) -> tuple[StatedUsage, Decimal | None]:
    """Read Lava's `model_usage`, and the total cost that its older records state only there.

    Raises:
        FaultyField: it is not of that shape.
    """
    try:
        usage = _MODEL_USAGE.decode(raw) if raw else None
    except msgspec.MsgspecError as error:
        raise FaultyField(
            "model_usage", "invalid_usage", f"must be Lava's model_usage: {error}"
        ) from None
    if usage is None:
        return StatedUsage(), None
    stated = StatedUsage(
        input_tokens=usage.input_tokens,
        cached_input_tokens=usage.cached_input_tokens,
        output_tokens=usage.output_tokens,
        input_seconds=micros("model_usage", usage.input_seconds),
        output_seconds=micros("model_usage", usage.output_seconds),
        input_characters=usage.input_characters,
        output_characters=usage.output_characters,
    )
    return stated, usage.total_cost


def read_usage_object(raw: msgspec.Raw) -> StatedUsage:
    """Read a provider's own `usage` object; for now the OpenAI chat shape.

    Raises:
        FaultyField: no shape that is known.
    """
    try:
        usage = _CHAT_USAGE.decode(raw) if raw else None
    except msgspec.MsgspecError as error:
        raise FaultyField(
            "usage",
            "unknown_usage_shape",
            f"must be a usage object of OpenAI's chat shape: {error}",
        ) from None
    if usage is None:
        return StatedUsage()
    details = usage.prompt_tokens_details
    return StatedUsage(
        input_tokens=usage.prompt_tokens,
        cached_input_tokens=details.cached_tokens if details else None,
        output_tokens=usage.completion_tokens,
    )
