"""The shape of a usage object, as its keys show it.

Keys decide where they are plain, the stated provider where they are not. Shapes differ in what lies within
what, so an object with keys of two of them leaves that open and is refused.
"""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import Any

import msgspec

from ledger.core.usage.anthropic import AnthropicUsage
from ledger.core.usage.deepseek import DeepSeekUsage
from ledger.core.usage.gemini import GEMINI_KEYS
from ledger.core.usage.mistral import MistralUsage
from ledger.core.usage.openai import ChatUsage, DurationUsage, ResponsesUsage
from ledger.core.usage.stated import FaultyField

_State = dict[str, msgspec.Raw]
_STATES = msgspec.json.Decoder(_State | list[_State | None] | None)

_OWN_KEYS = {
    "gemini": GEMINI_KEYS,
    "anthropic": frozenset(AnthropicUsage.__struct_fields__),
    "mistral": frozenset(MistralUsage.__struct_fields__),
    "deepseek": frozenset(DeepSeekUsage.__struct_fields__),
    "fireworks": frozenset(ChatUsage.__struct_fields__),
    "openai_chat": frozenset(ChatUsage.__struct_fields__),
    "openai_responses": frozenset(ResponsesUsage.__struct_fields__),
    "openai_duration": frozenset(DurationUsage.__struct_fields__),
}
# `type` and `seconds` may mean anything beside keys of others, so they are foreign to none.
_TELLING_KEYS = frozenset[str]().union(*_OWN_KEYS.values()) - _OWN_KEYS["openai_duration"]
_FOREIGN_KEYS = {shape: _TELLING_KEYS - keys for shape, keys in _OWN_KEYS.items()}

_GEMINI_KEYS = frozenset(
    {"promptTokenCount", "candidatesTokenCount", "responseTokenCount", "totalTokenCount"}
    | {"prompt_token_count", "candidates_token_count", "response_token_count", "total_token_count"}
)
_CHAT_KEYS = frozenset({"prompt_tokens", "completion_tokens"})
_DEEPSEEK_KEYS = frozenset({"prompt_cache_hit_tokens", "prompt_cache_miss_tokens"})
_MISTRAL_KEYS = frozenset({"prompt_audio_seconds", "num_cached_tokens"})
_INPUT_OUTPUT_KEYS = frozenset({"input_tokens", "output_tokens"})
_ANTHROPIC_KEYS = frozenset(
    {"cache_creation_input_tokens", "cache_read_input_tokens", "cache_creation", "iterations"}
    | {"server_tool_use", "service_tier", "speed", "inference_geo"}
)
_DETAILS_KEYS = frozenset({"input_tokens_details", "input_token_details"})
_DURATION_KEYS = frozenset({"type", "seconds"})
_CHAT_DIALECTS = frozenset({"fireworks", "mistral", "deepseek"})
_UNKNOWN = "must be usage as OpenAI, Anthropic, Gemini, Mistral, DeepSeek or Fireworks state it"


def shape_of(raw: bytes | msgspec.Raw, provider: str | None) -> str:
    """The shape that the keys show; keys that are null count as not there.

    Args:
        raw: The JSON of a usage object, or of an array of them.
        provider: The provider that is stated, if one is.

    Returns:
        One of those of `ReadUsage`, or `openai_duration`; empty where nothing is stated.

    Raises:
        FaultyField: `unknown_usage_shape` for keys of no shape, or of two.
        MsgspecError: it is no JSON.
    """
    try:
        value = _STATES.decode(raw) if raw else None
    except msgspec.ValidationError:
        raise _unknown(_UNKNOWN) from None
    is_stream = isinstance(value, list)
    states = [state or {} for state in (value if isinstance(value, list) else [value])]
    keys = {key for state in states for key, part in state.items() if bytes(part) != b"null"}
    if not keys:
        return "fireworks" if provider == "fireworks" and not is_stream else ""
    shape = _shape_by_keys(keys, "anthropic" if is_stream else provider)
    if not shape or (is_stream and shape != "anthropic"):
        raise _unknown(_UNKNOWN)
    if foreign := _stated_among(keys & _FOREIGN_KEYS[shape], states):
        raise _two_shapes(keys & _OWN_KEYS[shape], foreign)
    return shape


def _shape_by_keys(keys: AbstractSet[str], provider: str | None) -> str:
    """The shape of an object with such keys; empty for none that is known."""
    if keys & _GEMINI_KEYS:
        return "gemini"
    if keys & _CHAT_KEYS:
        return _chat_dialect(keys, provider)
    if keys & _INPUT_OUTPUT_KEYS:
        return _input_output_dialect(keys, provider)
    return "openai_duration" if keys >= _DURATION_KEYS else ""


def _chat_dialect(keys: AbstractSet[str], provider: str | None) -> str:
    """Who of those that state `prompt_tokens` it is."""
    if keys & _DEEPSEEK_KEYS:
        return "deepseek"
    if keys & _MISTRAL_KEYS:
        return "mistral"
    return provider if provider in _CHAT_DIALECTS else "openai_chat"


def _input_output_dialect(keys: AbstractSet[str], provider: str | None) -> str:
    """Who of those that state `input_tokens` it is.

    They differ in whether the cached ones are within, so keys of both leave that open, even if they are
    zero. Without any of these keys both mean the same.
    """
    if keys & _ANTHROPIC_KEYS and keys & _DETAILS_KEYS:
        raise _two_shapes(keys & _ANTHROPIC_KEYS, keys & _DETAILS_KEYS)
    if keys & _ANTHROPIC_KEYS:
        return "anthropic"
    if keys & _DETAILS_KEYS or "total_tokens" in keys or provider != "anthropic":
        return "openai_responses"
    return "anthropic"


def _stated_among(keys: AbstractSet[str], states: Iterable[_State]) -> set[str]:
    """Those of the keys that state something in any of the objects.

    Gateways fill up what they pass on with zeros under names of others: these take nothing away.
    """
    return {
        key
        for state in states
        for key in keys & state.keys()
        if not _is_nothing(msgspec.json.decode(state[key]))
    }


def _is_nothing(value: Any) -> bool:
    """Whether a value is null, zero or empty, or holds only such values."""
    if isinstance(value, dict):
        return all(map(_is_nothing, value.values()))
    if isinstance(value, list):
        return all(map(_is_nothing, value))
    return not value


def _two_shapes(some: AbstractSet[str], others: AbstractSet[str]) -> FaultyField:
    named = (", ".join(sorted(keys)) for keys in (some, others))
    return _unknown("has keys of two shapes: {} and {}".format(*named))


def _unknown(detail: str) -> FaultyField:
    return FaultyField("usage", "unknown_usage_shape", detail)
