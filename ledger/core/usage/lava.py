"""Lava's `model_usage`."""

from decimal import Decimal

import msgspec

from ledger.core.usage.stated import Count, FaultyField, StatedUsage, micros


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


_MODEL_USAGE = msgspec.json.Decoder(ModelUsage | None)


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
