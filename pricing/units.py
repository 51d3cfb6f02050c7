"""What usage is counted in, one row a unit."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Self

_MICRO = 1_000_000
_COUNTS = MappingProxyType({"1M": 1_000_000, "1K": 1_000, "1": 1})
_TIMES = MappingProxyType({"second": 1, "minute": 60, "hour": 3_600})


class Unit(StrEnum):
    """A kind of usage. Its value is the name of the quantity field in records and answers.

    Quantities are stored as integers. `scale` of them make one natural unit: a token, a character
    and an image are themselves, a second is kept in microseconds.

    `INPUT_TOKENS` means those of no other kind, `OUTPUT_TOKENS` too: inside the product quantities
    never overlap. `BILLABLE_REQUESTS` is never stated; it is 1 for an event of a model whose
    provider charges for each request.

    Attributes:
        rate_key: The key of a rate table that prices this unit.
        scale: Stored integers in one natural unit.
        per_counts: The words that `per` of a rate table allows, each with its natural units.
        per_default: The word that holds when `per` is left out; None when it must be stated.
        divides: True for what is counted in wholes, so that the price of one must be a whole
            number of pico. False for time, where one rounding an event is allowed.
    """

    # mypy takes the type of .value from here, since a member is written as a tuple.
    _value_: str
    rate_key: str
    scale: int
    per_counts: Mapping[str, int]
    per_default: str | None
    divides: bool

    # Defaults, because type checkers take the look-up Unit("images") for a call of this.
    def __new__(  # noqa: D102 - only the rows below call it
        cls,
        value: str,
        rate_key: str = "",
        scale: int = 1,
        per_counts: Mapping[str, int] = _COUNTS,
        per_default: str | None = None,
    ) -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.rate_key = rate_key
        member.scale = scale
        member.per_counts = per_counts
        member.per_default = per_default
        member.divides = per_counts is _COUNTS
        return member

    INPUT_TOKENS = "input_tokens", "input", 1, _COUNTS, "1M"
    CACHED_INPUT_TOKENS = "cached_input_tokens", "cached_input", 1, _COUNTS, "1M"
    OUTPUT_TOKENS = "output_tokens", "output", 1, _COUNTS, "1M"
    INPUT_SECONDS = "input_seconds", "audio_input", _MICRO, _TIMES, None
    OUTPUT_SECONDS = "output_seconds", "audio_output", _MICRO, _TIMES, None
    INPUT_CHARACTERS = "input_characters", "input_characters", 1, _COUNTS, "1M"
    OUTPUT_CHARACTERS = "output_characters", "output_characters", 1, _COUNTS, "1M"
    IMAGES = "images", "image", 1, _COUNTS, "1"
    GPU_SECONDS = "gpu_seconds", "gpu", _MICRO, _TIMES, None
    CACHE_WRITE_TOKENS = "cache_write_tokens", "cache_write", 1, _COUNTS, "1M"
    CACHE_WRITE_1H_TOKENS = "cache_write_1h_tokens", "cache_write_1h", 1, _COUNTS, "1M"
    REASONING_TOKENS = "reasoning_tokens", "reasoning", 1, _COUNTS, "1M"
    AUDIO_INPUT_TOKENS = "audio_input_tokens", "audio_input_tokens", 1, _COUNTS, "1M"
    CACHED_AUDIO_INPUT_TOKENS = (
        *("cached_audio_input_tokens", "cached_audio_input_tokens", 1, _COUNTS, "1M"),
    )
    AUDIO_OUTPUT_TOKENS = "audio_output_tokens", "audio_output_tokens", 1, _COUNTS, "1M"
    IMAGE_INPUT_TOKENS = "image_input_tokens", "image_input_tokens", 1, _COUNTS, "1M"
    IMAGE_OUTPUT_TOKENS = "image_output_tokens", "image_output_tokens", 1, _COUNTS, "1M"
    IMAGE_STEPS = "image_steps", "image_step", 1, _COUNTS, "1"
    WEB_SEARCHES = "web_searches", "web_search", 1, _COUNTS, "1K"
    RERANK_SEARCHES = "rerank_searches", "rerank_search", 1, _COUNTS, "1K"
    TRAINING_TOKENS = "training_tokens", "training", 1, _COUNTS, "1M"
    BILLABLE_REQUESTS = "billable_requests", "request", 1, _COUNTS, "1"


# The tokens that lie within the input and the output of a request, as senders state those.
INPUT_PARTS = (
    Unit.CACHED_INPUT_TOKENS.value,
    Unit.CACHE_WRITE_TOKENS.value,
    Unit.CACHE_WRITE_1H_TOKENS.value,
    Unit.AUDIO_INPUT_TOKENS.value,
    Unit.CACHED_AUDIO_INPUT_TOKENS.value,
    Unit.IMAGE_INPUT_TOKENS.value,
)
OUTPUT_PARTS = (
    Unit.REASONING_TOKENS.value,
    Unit.AUDIO_OUTPUT_TOKENS.value,
    Unit.IMAGE_OUTPUT_TOKENS.value,
)
UNIT_BY_RATE_KEY: Mapping[str, Unit] = MappingProxyType({unit.rate_key: unit for unit in Unit})
