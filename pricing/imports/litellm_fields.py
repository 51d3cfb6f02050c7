"""The names of LiteLLM's price fields: what is priced, and for which calls.

A name is a base such as `input_cost_per_token`, then perhaps `_above_1hr` (how long a cache entry
lives), `_above_200k_tokens` (a tier), and `_batches`, `_priority` or another service tier.
"""

import re
from typing import Any

from msgspec import Struct

from pricing.imports.drafts import BATCH, PLAIN, When, tier_after

PER_MILLION = 6
_FIELD = re.compile(
    r"(?P<base>[a-z0-9_]+?)(?P<life>_above_(?:1|12)hr)?(?:_above_(?P<tokens>[0-9]{1,6})k_tokens)?"
    r"(?:_(?P<tier>batches|balanced|decisions|fast|flex|priority|ultrafast))?"
)
_PRICE_WORD = re.compile(r"cost|pric")

# Base, rate key, places that the point moves, and `per` where it is not the unit's default.
_KEYS = {
    "input_cost_per_token": ("input", PER_MILLION, ""),
    "output_cost_per_token": ("output", PER_MILLION, ""),
    "cache_read_input_token_cost": ("cached_input", PER_MILLION, ""),
    "cache_creation_input_token_cost": ("cache_write", PER_MILLION, ""),
    "cache_creation_input_token_cost_above_1hr": ("cache_write_1h", PER_MILLION, ""),
    "output_cost_per_reasoning_token": ("reasoning", PER_MILLION, ""),
    "input_cost_per_audio_token": ("audio_input_tokens", PER_MILLION, ""),
    "cache_read_input_audio_token_cost": ("cached_audio_input_tokens", PER_MILLION, ""),
    "output_cost_per_audio_token": ("audio_output_tokens", PER_MILLION, ""),
    "input_cost_per_image_token": ("image_input_tokens", PER_MILLION, ""),
    "output_cost_per_image_token": ("image_output_tokens", PER_MILLION, ""),
    "input_cost_per_character": ("input_characters", PER_MILLION, ""),
    "output_cost_per_character": ("output_characters", PER_MILLION, ""),
    "input_cost_per_request": ("request", 0, ""),
}
# What a field means only in some modes of a model.
_KEYS_BY_MODE = {
    ("audio_transcription", "input_cost_per_second"): ("audio_input", 0, "second"),
    ("audio_speech", "output_cost_per_second"): ("audio_output", 0, "second"),
    ("image_edit", "output_cost_per_image"): ("image", 0, ""),
    ("image_generation", "output_cost_per_image"): ("image", 0, ""),
    ("rerank", "input_cost_per_query"): ("rerank_search", 0, "1"),
}
# Not told apart from another price by usage: no harm if that is the same.
PART_OF = {
    "cache_creation_input_audio_token_cost": "cache_creation_input_token_cost",
    "cache_read_input_image_token_cost": "cache_read_input_token_cost",
    "citation_cost_per_token": "output_cost_per_token",
    "explicit_cache_read_input_token_cost": "cache_read_input_token_cost",
    "input_cost_per_token_cache_hit": "cache_read_input_token_cost",
    "input_cost_per_video_token": "input_cost_per_token",
    "output_cost_per_video_token": "output_cost_per_token",
}
# Charged beside what is counted, or another way to pay: usage that is counted is right without it.
BESIDE = frozenset(
    {
        "cache_creation_input_token_cost_above_12hr",
        "code_interpreter_cost_per_session",
        "computer_use_input_cost_per_1k_tokens",
        "computer_use_output_cost_per_1k_tokens",
        "file_search_cost_per_1k_calls",
        "file_search_cost_per_gb_per_day",
        "google_maps_grounding_cost_per_query",
        "input_cost_per_image",
        "input_cost_per_second",
        "input_cost_per_audio_per_second",
        "input_cost_per_video_per_second",
        "output_cost_per_image",
        "output_cost_per_second",
        "vector_store_cost_per_gb_per_day",
    }
)
# In another currency than money, beside the same in USD.
IGNORED = frozenset({"input_dbu_cost_per_token", "output_dbu_cost_per_token"})


class Field(Struct, frozen=True):
    """A price field's name, taken apart; `rate` is None when no rate key prices its base."""

    base: str
    start: int
    when: When
    rate: tuple[str, int, str] | None


def is_price(name: str, value: Any) -> bool:
    """Whether a field of a model is a price, or holds some."""
    return _PRICE_WORD.search(name) is not None and value is not None


def field_of(name: str, mode: str) -> Field:
    """Take the name of a price field apart."""
    match = _FIELD.fullmatch(name)
    if match is None:
        return Field(name, 0, PLAIN, None)
    base = match["base"] + (match["life"] or "")
    tier = match["tier"]
    when = PLAIN if tier is None else BATCH if tier == "batches" else (("service_tier", tier),)
    start = tier_after(int(match["tokens"]) * 1_000) if match["tokens"] else 0
    return Field(base, start, when, _KEYS_BY_MODE.get((mode, base)) or _KEYS.get(base))
