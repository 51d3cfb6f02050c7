"""Quantities and amounts, as they stand in many answers."""

from msgspec import UNSET, Struct, UnsetType

from ledger.core.shapes import Amount, Seconds

Count = int | UnsetType


class Quantities(Struct, kw_only=True):
    """What was used. Wholes include their parts; other units are there where they are not zero."""

    input_tokens: int
    cached_input_tokens: int
    output_tokens: int
    input_seconds: Seconds | UnsetType = UNSET
    output_seconds: Seconds | UnsetType = UNSET
    gpu_seconds: Seconds | UnsetType = UNSET
    input_characters: Count = UNSET
    output_characters: Count = UNSET
    images: Count = UNSET
    cache_write_tokens: Count = UNSET
    cache_write_1h_tokens: Count = UNSET
    reasoning_tokens: Count = UNSET
    audio_input_tokens: Count = UNSET
    cached_audio_input_tokens: Count = UNSET
    audio_output_tokens: Count = UNSET
    image_input_tokens: Count = UNSET
    image_output_tokens: Count = UNSET
    image_steps: Count = UNSET
    web_searches: Count = UNSET
    rerank_searches: Count = UNSET
    training_tokens: Count = UNSET


class Sums(Quantities, kw_only=True):
    """What was used and what it comes to."""

    requests: int
    cost: Amount
    fee: Amount
    spend: Amount


class Rated(Quantities, kw_only=True):
    """What was used and what it comes to; without a price there are no amounts."""

    cost: Amount | None
    fee: Amount | None
    spend: Amount | None
    rate_version: str | None


class Difference(Struct):
    """A figure that is recorded otherwise than it is worked out."""

    field: str
    recorded: str | None
    computed: str | None
