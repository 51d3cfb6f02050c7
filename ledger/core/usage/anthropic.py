"""Anthropic's usage object.

There is no whole: `input_tokens` are only what was neither read from the cache nor written to it.
`output_tokens` are a whole, thinking included. The figures of a stream are cumulative, each as far as
it has come. Source: the types of the package anthropic 2.10.0.
"""

from collections.abc import Iterable
from typing import TypeVar

import msgspec

from ledger.core.usage.stated import Count, FaultyField, StatedUsage
from ledger.core.usage.words import Word

_State = TypeVar("_State", bound=msgspec.Struct)


class CacheCreation(msgspec.Struct):
    """Tokens written to the cache, by how long they are kept there."""

    ephemeral_5m_input_tokens: Count | None = None
    ephemeral_1h_input_tokens: Count | None = None


class OutputDetails(msgspec.Struct):
    """The part of the output that was thought."""

    thinking_tokens: Count | None = None


class ServerTools(msgspec.Struct):
    """Calls of tools that Anthropic runs; fetching a page costs nothing but its tokens."""

    web_search_requests: Count | None = None


class Iteration(msgspec.Struct):
    """One of several calls of models within a request."""

    type: str | None = None


class AnthropicUsage(msgspec.Struct):
    """Usage of a message, or what one event of a stream states of it."""

    input_tokens: Count | None = None
    cache_creation_input_tokens: Count | None = None
    cache_read_input_tokens: Count | None = None
    cache_creation: CacheCreation | None = None
    output_tokens: Count | None = None
    output_tokens_details: OutputDetails | None = None
    total_tokens: Count | None = None  # not Anthropic's, but some who speak its language add it
    server_tool_use: ServerTools | None = None
    iterations: list[Iteration] | None = None
    service_tier: Word | None = None
    speed: Word | None = None
    inference_geo: Word | None = None


# `global` is the default and sets no bounds; models that know no regions say `not_available`.
# Source: platform.claude.com, "Data residency".
_NO_REGIONS = ("", "global", "not_available")
_NOTE_COMPACTION = "a compaction of the context took tokens that these figures do not hold"
_NOTE_FAST = "service_tier priority and speed fast: the speed counts"


def merge_stream(states: Iterable[AnthropicUsage | None]) -> AnthropicUsage:
    """Give the last stated value of every field; nothing is ever summed."""
    merged = AnthropicUsage()
    for state in states:
        if state is not None:
            merged = _laid_over(_without_old_split(merged, state), state)
    return merged


def read_anthropic(usage: AnthropicUsage) -> tuple[StatedUsage, tuple[str, ...]]:
    """Read a usage object of Anthropic.

    Raises:
        FaultyField: figures that do not add up.
    """
    written_5m, written_1h = _written(usage)
    parts = (usage.input_tokens, usage.cache_read_input_tokens, written_5m, written_1h)
    whole = None if usage.input_tokens is None else sum(part or 0 for part in parts)
    total = (whole or 0) + (usage.output_tokens or 0)
    if usage.total_tokens not in (None, total):
        raise _does_not_add_up(f"total_tokens {usage.total_tokens} are not all parts, {total}")
    details, tools = usage.output_tokens_details, usage.server_tool_use
    stated = StatedUsage(
        input_tokens=whole,
        cached_input_tokens=usage.cache_read_input_tokens,
        cache_write_tokens=written_5m,
        cache_write_1h_tokens=written_1h,
        output_tokens=usage.output_tokens,
        reasoning_tokens=details.thinking_tokens if details else None,
        web_searches=tools.web_search_requests if tools else None,
    )
    return stated, _notes(usage)


def tier_of(usage: AnthropicUsage) -> str | None:
    """The service tier that counts for the price: `fast` where it ran so, never `batch`."""
    if usage.speed == "fast":
        return usage.speed
    return None if usage.service_tier in ("", "batch") else usage.service_tier


def region_of(usage: AnthropicUsage) -> str | None:
    """The region it was bound to; None where it was bound to none."""
    return None if usage.inference_geo in _NO_REGIONS else usage.inference_geo


def _written(usage: AnthropicUsage) -> tuple[int | None, int | None]:
    """The tokens written for five minutes and for an hour; without a split all are of five minutes."""
    written, split = usage.cache_creation_input_tokens, usage.cache_creation
    if split is None or split == CacheCreation():
        return written, None
    written_5m, written_1h = split.ephemeral_5m_input_tokens, split.ephemeral_1h_input_tokens
    if written is not None and (written_5m or 0) + (written_1h or 0) != written:
        raise _does_not_add_up(
            f"ephemeral_5m {written_5m} + ephemeral_1h {written_1h}"
            f" are not cache_creation_input_tokens {written}"
        )
    return written_5m, written_1h


def _notes(usage: AnthropicUsage) -> tuple[str, ...]:
    is_compacted = any(call.type == "compaction" for call in usage.iterations or ())
    notes: tuple[str, ...] = (_NOTE_COMPACTION,) if is_compacted else ()
    if usage.speed == "fast" and usage.service_tier == "priority":
        notes += (_NOTE_FAST,)
    return notes


def _without_old_split(merged: AnthropicUsage, state: AnthropicUsage) -> AnthropicUsage:
    """Drop a split of writes that a later event has left behind by stating more of them without one.

    Only if no write was of an hour: what is more then counts as five minutes. Otherwise the split
    stays, and the figures are refused as not adding up.
    """
    split, written = merged.cache_creation, state.cache_creation_input_tokens
    if split is None or split.ephemeral_1h_input_tokens or written is None:
        return merged
    if state.cache_creation is not None or written == merged.cache_creation_input_tokens:
        return merged
    return msgspec.structs.replace(merged, cache_creation=None)


def _laid_over(earlier: _State, later: _State) -> _State:
    """The later state, and what only the earlier one says."""
    values = {}
    for name in later.__struct_fields__:
        old, new = getattr(earlier, name), getattr(later, name)
        if isinstance(new, msgspec.Struct) and old is not None:
            new = _laid_over(old, new)
        values[name] = old if new is None else new
    return type(later)(**values)


def _does_not_add_up(detail: str) -> FaultyField:
    return FaultyField("usage", "usage_does_not_add_up", detail)
