"""Gemini's usage metadata, of `generateContent` and of the Live API.

Thoughts are no part of the candidates, and what tools answer is no part of the prompt; cached content is
a part of it. Text, images, video and documents are one kind of input and priced alike; audio is another.
Source: the types of the package google-genai 3.3.0.
"""

from typing import Any

import msgspec

from ledger.core.usage.stated import Count, FaultyField, StatedUsage
from ledger.core.usage.words import Word


class ModalityCount(msgspec.Struct):
    """The tokens of one modality; none stated means text."""

    modality: str | None = None
    token_count: Count | None = None


Modalities = list[ModalityCount] | None


class GeminiUsage(msgspec.Struct):
    """Usage metadata, its names in snake case. The Live API calls the candidates a response."""

    prompt_token_count: Count | None = None
    prompt_tokens_details: Modalities = None
    cached_content_token_count: Count | None = None
    cache_tokens_details: Modalities = None
    tool_use_prompt_token_count: Count | None = None
    tool_use_prompt_tokens_details: Modalities = None
    candidates_token_count: Count | None = None
    candidates_tokens_details: Modalities = None
    response_token_count: Count | None = None
    response_tokens_details: Modalities = None
    thoughts_token_count: Count | None = None
    total_token_count: Count | None = None
    service_tier: Word | None = None
    traffic_type: Word | None = None


_NOTE_AUDIO = "cached tokens count as text: how many of them are audio is not stated"
_UNSPECIFIED = ("", "unspecified", "traffic_type_unspecified")


def decode_gemini(raw: bytes | msgspec.Raw) -> GeminiUsage:
    """Decode usage metadata in camel case, as the API answers, or in snake case, as its packages do.

    Raises:
        FaultyField: one figure is stated in both cases, and differs.
        MsgspecError: it is not of that shape.
    """
    return msgspec.convert(_in_snake_case(msgspec.json.decode(raw)), GeminiUsage)


def read_gemini(usage: GeminiUsage) -> tuple[StatedUsage, tuple[str, ...]]:
    """Read usage metadata of Gemini.

    Raises:
        FaultyField: figures that do not add up.
    """
    made = _agreed_candidates(usage)
    made_details = _agreed_details(usage)
    _check_total(usage, made)
    _check_modalities(usage, made, made_details)
    cached = usage.cached_content_token_count
    cached_audio = _tokens_of("AUDIO", usage.cache_tokens_details)
    prompt_audio = _tokens_of("AUDIO", usage.prompt_tokens_details)
    if usage.prompt_tokens_details and (cached_audio or 0) > (prompt_audio or 0):
        raise _does_not_add_up(f"cached audio {cached_audio} exceeds prompt audio {prompt_audio}")
    stated = StatedUsage(
        input_tokens=_sum(usage.prompt_token_count, usage.tool_use_prompt_token_count),
        cached_input_tokens=cached and cached - (cached_audio or 0),
        audio_input_tokens=_sum(
            prompt_audio and prompt_audio - (cached_audio or 0),
            _tokens_of("AUDIO", usage.tool_use_prompt_tokens_details),
        ),
        cached_audio_input_tokens=cached_audio,
        output_tokens=_sum(made, usage.thoughts_token_count),
        reasoning_tokens=usage.thoughts_token_count,
        audio_output_tokens=_tokens_of("AUDIO", made_details),
        image_output_tokens=_tokens_of("IMAGE", made_details),
    )
    is_untold = cached and prompt_audio and not usage.cache_tokens_details
    return stated, (_NOTE_AUDIO,) if is_untold else ()


def tier_of(usage: GeminiUsage) -> str | None:
    """The service tier that counts for the price; Vertex AI states it as a type of traffic."""
    word = (usage.service_tier or usage.traffic_type or "").lower()
    if word in _UNSPECIFIED:
        return None
    return "standard" if word == "on_demand" else word.removeprefix("on_demand_")


def _agreed_candidates(usage: GeminiUsage) -> int | None:
    candidates, response = usage.candidates_token_count, usage.response_token_count
    if candidates is None or response in (None, candidates):
        return response if candidates is None else candidates
    raise _does_not_add_up(f"candidates {candidates} and response {response} are one and differ")


def _agreed_details(usage: GeminiUsage) -> Modalities:
    candidates, response = usage.candidates_tokens_details, usage.response_tokens_details
    if candidates and response and candidates != response:
        raise _does_not_add_up("details of candidates and of response are one and differ")
    return candidates or response


def _check_total(usage: GeminiUsage, made: int | None) -> None:
    prompt, tools = usage.prompt_token_count, usage.tool_use_prompt_token_count
    thoughts, total = usage.thoughts_token_count, usage.total_token_count
    if total not in (None, _sum(prompt, tools, made, thoughts) or 0):
        raise _does_not_add_up(
            f"total {total} is not prompt {prompt} + tool use {tools}"
            f" + candidates {made} + thoughts {thoughts}"
        )


def _check_modalities(usage: GeminiUsage, made: int | None, made_details: Modalities) -> None:
    """Modalities may leave out some of the whole they tell apart, but are never more than it."""
    for name, whole, details in (
        ("prompt", usage.prompt_token_count, usage.prompt_tokens_details),
        ("tool use", usage.tool_use_prompt_token_count, usage.tool_use_prompt_tokens_details),
        ("cached", usage.cached_content_token_count, usage.cache_tokens_details),
        ("candidates", made, made_details),
    ):
        counted = sum(part.token_count or 0 for part in details or ())
        if counted > (whole or 0):
            raise _does_not_add_up(f"details tell {counted} of {whole} {name} tokens")


def _tokens_of(modality: str, details: Modalities) -> int | None:
    """The tokens of one modality; None if it is not among the details."""
    return _sum(
        *(part.token_count for part in details or () if (part.modality or "").upper() == modality)
    )


def _sum(*counts: int | None) -> int | None:
    """The sum of the counts that are stated; None if none is."""
    stated = [count for count in counts if count is not None]
    return sum(stated) if stated else None


def _in_snake_case(value: Any) -> Any:
    if isinstance(value, list):
        return [_in_snake_case(part) for part in value]
    return _with_snake_keys(value) if isinstance(value, dict) else value


def _with_snake_keys(value: dict[str, Any]) -> dict[str, Any]:
    """The same object with keys in snake case; what is null is left out."""
    named: dict[str, Any] = {}
    for name, part in value.items():
        field, renamed = _SNAKE.get(name, name), _in_snake_case(part)
        if renamed is not None and named.setdefault(field, renamed) != renamed:
            raise _does_not_add_up(f"{_camel(field)} and {field} are one and differ")
    return named


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))


_FIELDS = (*GeminiUsage.__struct_fields__, *ModalityCount.__struct_fields__)
_SNAKE = {_camel(name): name for name in _FIELDS}
GEMINI_KEYS = frozenset(
    spelled for name in GeminiUsage.__struct_fields__ for spelled in (name, _camel(name))
)  # of an object that is not yet in snake case


def _does_not_add_up(detail: str) -> FaultyField:
    return FaultyField("usage", "usage_does_not_add_up", detail)
