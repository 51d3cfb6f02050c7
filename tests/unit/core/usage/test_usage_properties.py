"""Whatever disjoint parts a usage object is made of, reading it gives these parts back."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.core.usage.shapes import read_usage
from pricing import Quantities

Parts = dict[str, int]
UNCACHED, CACHED, OUTPUT = "uncached", "cached_input_tokens", "output"
WRITTEN, WRITTEN_1H = "cache_write_tokens", "cache_write_1h_tokens"
AUDIO, CACHED_AUDIO = "audio_input_tokens", "cached_audio_input_tokens"
IMAGE, REASONING = "image_input_tokens", "reasoning_tokens"
MADE_AUDIO, MADE_IMAGE = "audio_output_tokens", "image_output_tokens"


def total(parts: Parts, *names: str) -> int:
    """The sum of some parts."""
    return sum(parts[name] for name in names)


def chat_of(parts: Parts) -> dict[str, Any]:
    """The usage of a chat with cached, written, reasoning and made audio tokens."""
    prompt = total(parts, UNCACHED, CACHED, WRITTEN)
    completion = total(parts, OUTPUT, REASONING, MADE_AUDIO)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {
            "cached_tokens": parts[CACHED],
            "cache_write_tokens": parts[WRITTEN],
        },
        "completion_tokens_details": {
            "reasoning_tokens": parts[REASONING],
            "audio_tokens": parts[MADE_AUDIO],
        },
    }


def xai_of(parts: Parts) -> dict[str, Any]:
    """The same with the reasoning beside the completion, as its total shows."""
    usage = chat_of(parts)
    usage["completion_tokens"] -= parts[REASONING]
    return usage


def fireworks_of(parts: Parts) -> dict[str, Any]:
    """A chat that has nothing but cached tokens."""
    prompt = total(parts, UNCACHED, CACHED)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": parts[OUTPUT],
        "total_tokens": prompt + parts[OUTPUT],
        "prompt_tokens_details": {"cached_tokens": parts[CACHED]},
    }


def mistral_of(parts: Parts) -> dict[str, Any]:
    """The same with cached tokens under Mistral's name."""
    return {
        **fireworks_of(parts),
        "prompt_tokens_details": None,
        "num_cached_tokens": parts[CACHED],
    }


def deepseek_of(parts: Parts) -> dict[str, Any]:
    """The same with the prompt split into hits and misses."""
    return {
        **fireworks_of(parts),
        "prompt_cache_hit_tokens": parts[CACHED],
        "prompt_cache_miss_tokens": parts[UNCACHED],
    }


def realtime_of(parts: Parts) -> dict[str, Any]:
    """The usage of a realtime session, which tells all kinds apart."""
    whole = total(parts, UNCACHED, CACHED, AUDIO, CACHED_AUDIO, IMAGE)
    made = total(parts, OUTPUT, REASONING, MADE_AUDIO, MADE_IMAGE)
    return {
        "input_tokens": whole,
        "output_tokens": made,
        "total_tokens": whole + made,
        "input_token_details": {
            "text_tokens": total(parts, UNCACHED, CACHED),
            "audio_tokens": total(parts, AUDIO, CACHED_AUDIO),
            "image_tokens": parts[IMAGE],
            "cached_tokens": total(parts, CACHED, CACHED_AUDIO),
            "cached_tokens_details": {
                "text_tokens": parts[CACHED],
                "audio_tokens": parts[CACHED_AUDIO],
            },
        },
        "output_token_details": {
            "reasoning_tokens": parts[REASONING],
            "audio_tokens": parts[MADE_AUDIO],
            "image_tokens": parts[MADE_IMAGE],
        },
    }


def anthropic_of(parts: Parts) -> dict[str, Any]:
    """The usage of a message."""
    return {
        "input_tokens": parts[UNCACHED],
        "cache_read_input_tokens": parts[CACHED],
        "cache_creation_input_tokens": total(parts, WRITTEN, WRITTEN_1H),
        "cache_creation": {
            "ephemeral_5m_input_tokens": parts[WRITTEN],
            "ephemeral_1h_input_tokens": parts[WRITTEN_1H],
        },
        "output_tokens": total(parts, OUTPUT, REASONING),
        "output_tokens_details": {"thinking_tokens": parts[REASONING]},
    }


def stream_of(parts: Parts) -> list[dict[str, Any]]:
    """The same as a stream: its figures grow up to the last."""
    last = anthropic_of(parts)
    return [
        {**last, "output_tokens": 1, "output_tokens_details": None},
        {"output_tokens": last["output_tokens"] // 2},
        {
            "output_tokens": last["output_tokens"],
            "output_tokens_details": last["output_tokens_details"],
        },
    ]


def gemini_of(parts: Parts) -> dict[str, Any]:
    """Usage metadata; half of the uncached text is what tools gave back."""
    tools = parts[UNCACHED] // 2
    prompt = total(parts, UNCACHED, CACHED, AUDIO, CACHED_AUDIO) - tools
    candidates = total(parts, OUTPUT, MADE_AUDIO, MADE_IMAGE)
    return {
        "promptTokenCount": prompt,
        "promptTokensDetails": [
            {"modality": "TEXT", "tokenCount": prompt - total(parts, AUDIO, CACHED_AUDIO)},
            {"modality": "AUDIO", "tokenCount": total(parts, AUDIO, CACHED_AUDIO)},
        ],
        "cachedContentTokenCount": total(parts, CACHED, CACHED_AUDIO),
        "cacheTokensDetails": [{"modality": "AUDIO", "tokenCount": parts[CACHED_AUDIO]}],
        "toolUsePromptTokenCount": tools,
        "candidatesTokenCount": candidates,
        "candidatesTokensDetails": [
            {"modality": "AUDIO", "tokenCount": parts[MADE_AUDIO]},
            {"modality": "IMAGE", "tokenCount": parts[MADE_IMAGE]},
        ],
        "thoughtsTokenCount": parts[REASONING],
        "totalTokenCount": prompt + tools + candidates + parts[REASONING],
    }


SHAPES: tuple[tuple[Callable[[Parts], Any], str, str, tuple[str, ...]], ...] = (
    (chat_of, "openai", "openai_chat", (WRITTEN, REASONING, MADE_AUDIO)),
    (xai_of, "xai", "openai_chat", (WRITTEN, REASONING, MADE_AUDIO)),
    (fireworks_of, "fireworks", "fireworks", ()),
    (mistral_of, "mistral", "mistral", ()),
    (deepseek_of, "deepseek", "deepseek", ()),
    (
        realtime_of,
        "openai",
        "openai_responses",
        (AUDIO, CACHED_AUDIO, IMAGE, REASONING, MADE_AUDIO, MADE_IMAGE),
    ),
    (anthropic_of, "anthropic", "anthropic", (WRITTEN, WRITTEN_1H, REASONING)),
    (stream_of, "anthropic", "anthropic", (WRITTEN, WRITTEN_1H, REASONING)),
    (gemini_of, "google", "gemini", (AUDIO, CACHED_AUDIO, REASONING, MADE_AUDIO, MADE_IMAGE)),
)


@pytest.mark.parametrize(("usage_of", "provider", "shape", "others"), SHAPES)
@given(data=st.data())
def test_disjoint_parts_come_back(
    usage_of: Callable[[Parts], Any],
    provider: str,
    shape: str,
    others: tuple[str, ...],
    data: st.DataObject,
) -> None:
    """None is lost, none is counted twice, and none lands under another name."""
    names = (UNCACHED, CACHED, OUTPUT, *others)
    counts = data.draw(
        st.tuples(*(st.integers(0, 10) | st.integers(0, 10**10) for _ in names)), label="counts"
    )
    parts = dict(zip(names, counts, strict=True))

    usage = read_usage(json.dumps(usage_of(parts)).encode(), provider)

    assert usage.shape == shape
    assert usage.notes == ()
    assert usage.stated.quantities() == Quantities(
        parts[UNCACHED],
        parts[CACHED],
        parts[OUTPUT],
        {name: parts[name] for name in others if parts[name]} or None,
    )
