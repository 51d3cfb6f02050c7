"""A provider's own usage object, read by the shape that its keys show.

A shape that is not known and figures that do not add up are refused, never guessed.
"""

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from ledger.core.usage import anthropic, deepseek, fireworks, gemini, mistral, openai
from ledger.core.usage.details import does_not_add_up
from ledger.core.usage.keys import shape_of
from ledger.core.usage.stated import COUNT_MAX, FaultyField, StatedUsage
from pricing import INPUT_PARTS, OUTPUT_PARTS


class ReadUsage(msgspec.Struct, frozen=True):
    """What a usage object says.

    Attributes:
        stated: Its quantities.
        shape: `openai_chat`, `openai_responses`, `anthropic`, `gemini`, `mistral`, `deepseek` or
            `fireworks`; empty where nothing is stated.
        service_tier: The tier it was served in, where the object says so; `standard` stays as it is.
        is_batch: True where the object says so, else None.
        region: The region it was bound to, where the object says so.
        notes: What a reader of the event should know of how the quantities came about.
    """

    stated: StatedUsage
    shape: str
    service_tier: str | None = None
    is_batch: bool | None = None
    region: str | None = None
    notes: tuple[str, ...] = ()


class _Sources(NamedTuple):
    """All that a reader may look at."""

    usage: bytes | msgspec.Raw
    provider: str | None
    perf_metrics: bytes | msgspec.Raw
    headers: bytes | msgspec.Raw


_CHAT = msgspec.json.Decoder(openai.ChatUsage | None)
_RESPONSES = msgspec.json.Decoder(openai.ResponsesUsage)
_DURATION = msgspec.json.Decoder(openai.DurationUsage)
_ANTHROPIC = msgspec.json.Decoder(anthropic.AnthropicUsage | list[anthropic.AnthropicUsage | None])
_MISTRAL = msgspec.json.Decoder(mistral.MistralUsage)
_DEEPSEEK = msgspec.json.Decoder(deepseek.DeepSeekUsage)
_NOTE_IGNORED = "perf_metrics and headers ignored: they complete only the usage of a Fireworks chat"
_NOTE_UNCACHED = "cached_input_tokens not stated: all input counts as uncached"


def read_usage(
    raw: bytes | msgspec.Raw,
    provider: str | None,
    perf_metrics: bytes | msgspec.Raw = b"",
    headers: bytes | msgspec.Raw = b"",
) -> ReadUsage:
    """Read a provider's own usage object.

    Args:
        raw: Its JSON; for a stream of Anthropic an array of those of its events, in their order. Empty,
            null and {} state nothing.
        provider: The provider that the record states, if it does.
        perf_metrics: The JSON object of that name that Fireworks puts beside `usage`.
        headers: The headers of Fireworks' answer, a JSON object. Keys of Fireworks in either tell the
            provider where none is stated.

    Raises:
        FaultyField: of field `usage`. Code `unknown_usage_shape`; `invalid_usage` for what is no count;
            `usage_does_not_add_up` for figures that contradict each other.
    """
    has_more = fireworks.is_fireworks(perf_metrics, headers)
    if provider is None and has_more:
        provider = "fireworks"
    try:
        shape = shape_of(raw, provider)
        read = _READERS[shape](_Sources(raw, provider, perf_metrics, headers))
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise _fault(error) from None
    _check_parts(read.stated, may_lack_wholes=shape == "fireworks")
    notes = read.notes
    if has_more and shape != "fireworks":
        notes = (*notes, _NOTE_IGNORED)
    # Whichever shape Fireworks answered in: a cached count that is missing is not one of zero.
    is_untold = read.stated.input_tokens and read.stated.cached_input_tokens is None
    if provider == "fireworks" and is_untold:
        notes = (*notes, _NOTE_UNCACHED)
    return read if notes is read.notes else msgspec.structs.replace(read, notes=notes)


def _nothing(_sources: _Sources) -> ReadUsage:
    return ReadUsage(StatedUsage(), "")


def _gemini(sources: _Sources) -> ReadUsage:
    usage = gemini.decode_gemini(sources.usage)
    stated, notes = gemini.read_gemini(usage)
    return ReadUsage(stated, "gemini", service_tier=gemini.tier_of(usage), notes=notes)


def _anthropic(sources: _Sources) -> ReadUsage:
    usage = _ANTHROPIC.decode(sources.usage)
    if isinstance(usage, list):
        usage = anthropic.merge_stream(usage)
    stated, notes = anthropic.read_anthropic(usage)
    return ReadUsage(
        stated,
        "anthropic",
        service_tier=anthropic.tier_of(usage),
        is_batch=True if usage.service_tier == "batch" else None,
        region=anthropic.region_of(usage),
        notes=notes,
    )


def _mistral(sources: _Sources) -> ReadUsage:
    usage = _MISTRAL.decode(sources.usage)
    stated, notes = mistral.read_mistral(usage)
    return ReadUsage(stated, "mistral", service_tier=usage.service_tier or None, notes=notes)


def _deepseek(sources: _Sources) -> ReadUsage:
    usage = _DEEPSEEK.decode(sources.usage)
    stated, notes = deepseek.read_deepseek(usage)
    return ReadUsage(stated, "deepseek", service_tier=usage.service_tier or None, notes=notes)


def _fireworks(sources: _Sources) -> ReadUsage:
    usage = (_CHAT.decode(sources.usage) if sources.usage else None) or openai.ChatUsage()
    stated, notes = fireworks.read_fireworks(usage, sources.perf_metrics, sources.headers)
    return ReadUsage(stated, "fireworks", service_tier=usage.service_tier or None, notes=notes)


def _chat(sources: _Sources) -> ReadUsage:
    usage = _CHAT.decode(sources.usage)
    stated, notes = openai.read_chat(usage, sources.provider)
    return ReadUsage(stated, "openai_chat", service_tier=usage.service_tier or None, notes=notes)


def _responses(sources: _Sources) -> ReadUsage:
    stated, notes = openai.read_responses(_RESPONSES.decode(sources.usage))
    return ReadUsage(stated, "openai_responses", notes=notes)


def _duration(sources: _Sources) -> ReadUsage:
    stated = openai.read_duration(_DURATION.decode(sources.usage))
    return ReadUsage(stated, "openai_responses")


_READERS: dict[str, Callable[[_Sources], ReadUsage]] = {
    "": _nothing,
    "gemini": _gemini,
    "anthropic": _anthropic,
    "mistral": _mistral,
    "deepseek": _deepseek,
    "fireworks": _fireworks,
    "openai_chat": _chat,
    "openai_responses": _responses,
    "openai_duration": _duration,
}


def _fault(error: Exception) -> FaultyField:
    """The refusal of what is no JSON or no count; a negative count contradicts every whole."""
    code = "usage_does_not_add_up" if ">= 0" in str(error) else "invalid_usage"
    return FaultyField("usage", code, f"must be a usage object: {error}")


def _check_parts(stated: StatedUsage, *, may_lack_wholes: bool) -> None:
    """Check that wholes are counts too where they were added up, and that their parts fit in.

    A header of Fireworks may state a part of what only the fields of the record state as a whole.
    """
    for whole_name, parts in (("input_tokens", INPUT_PARTS), ("output_tokens", OUTPUT_PARTS)):
        whole = getattr(stated, whole_name)
        if whole is not None and whole > COUNT_MAX:
            raise FaultyField("usage", "invalid_usage", f"{whole_name} {whole} exceed {COUNT_MAX}")
        if whole is None and may_lack_wholes:
            continue
        counts = {name: count for name in parts if (count := getattr(stated, name))}
        if sum(counts.values()) > (whole or 0):
            told = " + ".join(f"{name} {count}" for name, count in counts.items())
            raise does_not_add_up(f"{told} exceed {whole_name} {whole}")
