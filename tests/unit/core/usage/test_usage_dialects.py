"""Mistral, DeepSeek and Fireworks: OpenAI's chat, and what each adds to it."""

import json
from typing import Any

import pytest

from ledger.core.usage.shapes import ReadUsage, read_usage
from ledger.core.usage.stated import FaultyField, StatedUsage
from pricing import Quantities

IGNORED = "perf_metrics and headers ignored: they complete only the usage of a Fireworks chat"
UNCACHED = "cached_input_tokens not stated: all input counts as uncached"


def read(
    usage: object, provider: str | None, perf_metrics: object = None, headers: object = None
) -> ReadUsage:
    """What a usage object says, and what stands beside it."""
    return read_usage(
        json.dumps(usage).encode(),
        provider,
        json.dumps(perf_metrics).encode(),
        json.dumps(headers).encode(),
    )


def refused(
    usage: object, provider: str | None, perf_metrics: object = None, headers: object = None
) -> tuple[str | None, str, str]:
    """Field, code and detail of the refusal."""
    with pytest.raises(FaultyField) as faulty:
        read(usage, provider, perf_metrics, headers)
    error = faulty.value.error
    return error.field, error.code, error.detail


@pytest.mark.parametrize(
    "cached", [{"prompt_tokens_details": {"cached_tokens": 6}}, {"num_cached_tokens": 6}]
)
def test_mistral_states_cached_tokens_in_either_place(cached: dict[str, Any]) -> None:
    """They are a part of the prompt."""
    usage = {"prompt_tokens": 10, "completion_tokens": 4, "total_tokens": 14} | cached

    assert read(usage, "mistral").shape == "mistral"
    assert read(usage, "mistral").stated.quantities() == Quantities(4, 6, 4)


def test_two_places_for_cached_tokens_must_agree() -> None:
    """Which of them is right is not guessed."""
    usage = {
        "prompt_tokens": 10,
        "prompt_tokens_details": {"cached_tokens": 6},
        "num_cached_tokens": 5,
    }

    assert refused(usage, "mistral") == (
        "usage",
        "usage_does_not_add_up",
        "cached tokens are stated as 6 and as 5",
    )


def test_mistral_states_the_seconds_of_audio() -> None:
    """Beside the tokens; the key alone shows the shape."""
    usage = read({"prompt_tokens": 3, "prompt_audio_seconds": 12, "service_tier": "priority"}, None)

    assert usage == ReadUsage(
        StatedUsage(input_tokens=3, input_seconds=12_000_000), "mistral", service_tier="priority"
    )


@pytest.mark.parametrize("provider", [None, "openai", "mistral", "deepseek", "fireworks"])
def test_the_tier_in_a_chat_counts_before_the_provider_is_known(provider: str | None) -> None:
    """Mistral states it; nothing else in its plain usage tells that it is Mistral's."""
    usage = {"prompt_tokens": 3, "completion_tokens": 1, "service_tier": "priority"}

    assert read(usage, provider).service_tier == "priority"
    assert read(usage | {"service_tier": ""}, provider).service_tier is None


def test_a_miss_of_deepseek_is_no_cache_write() -> None:
    """It is input at the full price."""
    usage = read(
        {
            "prompt_tokens": 100,
            "completion_tokens": 50,
            "total_tokens": 150,
            "prompt_cache_hit_tokens": 64,
            "prompt_cache_miss_tokens": 36,
            "prompt_tokens_details": {"cached_tokens": 64},
            "completion_tokens_details": {"reasoning_tokens": 30},
        },
        None,
    )

    assert usage.shape == "deepseek"
    assert usage.stated.cache_write_tokens is None
    assert usage.stated.quantities() == Quantities(36, 64, 20, {"reasoning_tokens": 30})


@pytest.mark.parametrize(
    ("figures", "told"),
    [
        (
            {"prompt_cache_hit_tokens": 64, "prompt_cache_miss_tokens": 35},
            "prompt_cache_hit_tokens 64 + prompt_cache_miss_tokens 35 are not prompt_tokens 100",
        ),
        (
            {"prompt_cache_miss_tokens": 35},
            "prompt_cache_hit_tokens None + prompt_cache_miss_tokens 35 are not prompt_tokens 100",
        ),
        ({"prompt_cache_hit_tokens": 101}, "cached_input_tokens 101 exceed input_tokens 100"),
        (
            {"prompt_cache_hit_tokens": 64, "prompt_tokens_details": {"cached_tokens": 63}},
            "cached tokens are stated as 63 and as 64",
        ),
    ],
)
def test_the_prompt_of_deepseek_is_hits_and_misses(figures: dict[str, Any], told: str) -> None:
    """Whatever contradicts that is refused."""
    usage = {"prompt_tokens": 100} | figures

    assert refused(usage, "deepseek") == ("usage", "usage_does_not_add_up", told)


def test_deepseek_without_a_cache_states_a_plain_chat() -> None:
    """The stated provider names the shape then."""
    usage = read({"prompt_tokens": 5, "completion_tokens": 1}, "deepseek")

    assert usage == ReadUsage(StatedUsage(input_tokens=5, output_tokens=1), "deepseek")


BODY = {
    "prompt_tokens": 30,
    "completion_tokens": 200,
    "total_tokens": 230,
    "prompt_tokens_details": {"cached_tokens": 12},
}
PERF_METRICS = {"prompt-tokens": 31, "cached-prompt-tokens": 13, "server-processing-time": 1.2}
HEADERS = {"Fireworks-Prompt-Tokens": "32", "fireworks-cached-prompt-tokens": "14", "date": "x"}


@pytest.mark.parametrize(
    ("usage", "perf_metrics", "headers", "figures", "notes"),
    [
        (BODY, PERF_METRICS, HEADERS, (30, 12), ()),
        (
            {"prompt_tokens": 30},
            PERF_METRICS,
            HEADERS,
            (30, 13),
            ("cached_input_tokens from perf_metrics",),
        ),
        ({"prompt_tokens": 30}, None, HEADERS, (30, 14), ("cached_input_tokens from headers",)),
        (
            {"prompt_tokens": 30},
            {"prompt-tokens": 31, "cached-prompt-tokens": None},
            HEADERS,
            (30, 14),
            ("cached_input_tokens from headers",),
        ),
        (
            {"completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 12}},
            PERF_METRICS,
            HEADERS,
            (31, 12),
            ("input_tokens from perf_metrics",),
        ),
        (
            None,
            {"prompt-tokens": "31"},
            HEADERS,
            (31, 14),
            ("input_tokens from perf_metrics", "cached_input_tokens from headers"),
        ),
        ({"prompt_tokens": 30}, {}, {}, (30, None), (UNCACHED,)),
        ({"prompt_tokens": 0}, None, None, (0, None), ()),
        ({}, None, None, (None, None), ()),
    ],
)
def test_the_body_goes_before_perf_metrics_and_these_before_headers(
    usage: object,
    perf_metrics: object,
    headers: object,
    figures: tuple[int | None, int | None],
    notes: tuple[str, ...],
) -> None:
    """Figure by figure; what is not from the body is noted, and so is a cached count nobody states."""
    answer = read(usage, "fireworks", perf_metrics, headers)

    assert answer.shape == "fireworks"
    assert (answer.stated.input_tokens, answer.stated.cached_input_tokens) == figures
    assert answer.notes == notes


@pytest.mark.parametrize("usage", [BODY, {"prompt_tokens": 30}, None, {}])
@pytest.mark.parametrize(
    ("perf_metrics", "headers"),
    [
        (PERF_METRICS, HEADERS),
        (PERF_METRICS, None),
        (None, HEADERS),
        ({"cached-prompt-tokens": 13}, {"date": "x"}),
        ({}, {"FIREWORKS-SERVER-PROCESSING-TIME": "1.2"}),
    ],
)
def test_keys_of_fireworks_tell_the_provider(
    usage: object, perf_metrics: object, headers: object
) -> None:
    """A record may state none, and its cached tokens count all the same."""
    untold = read(usage, None, perf_metrics, headers)

    assert untold.shape == "fireworks"
    assert untold == read(usage, "fireworks", perf_metrics, headers)


@pytest.mark.parametrize("provider", [None, "fireworks"])
def test_a_header_may_state_a_part_alone(provider: str | None) -> None:
    """Its whole may stand in a field of the record, and is compared there."""
    usage = read(None, provider, None, {"fireworks-cached-prompt-tokens": "14"})

    assert usage.stated == StatedUsage(cached_input_tokens=14)


@pytest.mark.parametrize(
    ("perf_metrics", "headers"),
    [
        ({"server-processing-time": 1.2}, {"date": "x", "x-prompt-tokens": "5"}),
        ({"cached-prompt-tokens": None}, {"fireworks-prompt-tokens": None}),
        ([1], "none"),
    ],
)
def test_other_keys_tell_no_provider(perf_metrics: object, headers: object) -> None:
    """Everybody answers with headers; whatever they are, they are nobody's usage."""
    plain = {"prompt_tokens": 30}

    assert read(plain, None, perf_metrics, headers) == read(plain, None)
    assert read(None, None, perf_metrics, headers) == ReadUsage(StatedUsage(), "")


@pytest.mark.parametrize("raw", [b"{", b'{"\xff": 1}', b'{"a": ' + b"[" * 100_000])
def test_what_cannot_be_read_tells_no_provider(raw: bytes) -> None:
    """It is not needed, so it is not judged."""
    assert read_usage(b'{"prompt_tokens": 30}', None, raw, raw).stated.input_tokens == 30


@pytest.mark.parametrize("provider", ["openai", "deepseek"])
def test_nobody_else_has_perf_metrics(provider: str) -> None:
    """For others they and the headers are ignored, which is noted."""
    for usage in ({"prompt_tokens": 30}, None):
        with_more = read(usage, provider, PERF_METRICS, HEADERS)

        assert with_more.stated == read(usage, provider).stated
        assert with_more.notes == (IGNORED,)


@pytest.mark.parametrize("provider", [None, "fireworks"])
def test_only_a_chat_is_completed(provider: str | None) -> None:
    """Where the keys show another shape, what stands beside it is ignored and noted, too."""
    responses = {"input_tokens": 9, "output_tokens": 2, "total_tokens": 11}
    hits = {"prompt_tokens": 9, "prompt_cache_hit_tokens": 2}

    usage = read(responses, provider, PERF_METRICS, HEADERS)
    assert (usage.shape, usage.notes) == ("openai_responses", (IGNORED, UNCACHED))
    assert read(hits, provider, PERF_METRICS).notes == (IGNORED,)


@pytest.mark.parametrize(
    ("perf_metrics", "headers", "told"),
    [
        (
            None,
            {"Fireworks-Prompt-Tokens": "5", "fireworks-prompt-tokens": "6"},
            "headers state prompt-tokens as 5 and as 6",
        ),
        (
            {"cached-prompt-tokens": 5, "fireworks-cached-prompt-tokens": "6"},
            {"fireworks-prompt-tokens": "30"},
            "perf_metrics state cached-prompt-tokens as 5 and as 6",
        ),
    ],
)
def test_one_source_states_a_figure_once(perf_metrics: object, headers: object, told: str) -> None:
    """Written in two ways it must be the same."""
    assert refused(None, None, perf_metrics, headers) == ("usage", "usage_does_not_add_up", told)


def test_one_source_may_repeat_itself() -> None:
    """The figure counts once, also beside a name without one."""
    headers = {
        "fireworks-prompt-tokens": "05",
        "Fireworks-Prompt-Tokens": "5",
        "prompt-tokens": None,
    }

    assert read(None, None, None, headers).stated == StatedUsage(input_tokens=5)


@pytest.mark.parametrize("raw", [b"", b"null", b"{}", b' {"prompt_tokens": null} '])
def test_sources_beside_an_empty_body_count(raw: bytes) -> None:
    """A stream may state its figures in `perf_metrics` alone."""
    usage = read_usage(raw, "fireworks", b'{"prompt-tokens": 3, "cached-prompt-tokens": 1}')

    assert usage.stated == StatedUsage(input_tokens=3, cached_input_tokens=1)


@pytest.mark.parametrize(
    ("perf_metrics", "headers", "code"),
    [
        ({"cached-prompt-tokens": "many"}, None, "invalid_usage"),
        ({"cached-prompt-tokens": "1.0"}, None, "invalid_usage"),
        ({"cached-prompt-tokens": " 1"}, None, "invalid_usage"),
        ({"cached-prompt-tokens": "1\n"}, None, "invalid_usage"),
        ({"cached-prompt-tokens": ""}, None, "invalid_usage"),
        ({"cached-prompt-tokens": 1.0}, None, "invalid_usage"),
        ({"cached-prompt-tokens": True}, None, "invalid_usage"),
        ({"cached-prompt-tokens": 10**12 + 1}, None, "invalid_usage"),
        ({"cached-prompt-tokens": -1}, None, "usage_does_not_add_up"),
        ({"cached-prompt-tokens": 31}, None, "usage_does_not_add_up"),
        (None, {"fireworks-cached-prompt-tokens": ["1"]}, "invalid_usage"),
        ([1], None, "invalid_usage"),
        (None, "none", "invalid_usage"),
    ],
)
def test_a_figure_that_is_needed_must_be_one(
    perf_metrics: object, headers: object, code: str
) -> None:
    """Digits are fine as text there; anything else is refused."""
    assert refused({"prompt_tokens": 30}, "fireworks", perf_metrics, headers)[:2] == ("usage", code)


def test_a_source_that_is_not_needed_is_not_judged() -> None:
    """The body states everything, so what stands beside it changes nothing."""
    assert read(BODY, "fireworks", {"prompt-tokens": "many"}, "none") == read(BODY, "fireworks")


def test_fireworks_speaks_other_languages_too() -> None:
    """Keys win over the provider; that the cached tokens are missing is noted all the same."""
    usage = read({"input_tokens": 9, "output_tokens": 2, "total_tokens": 11}, "fireworks")

    assert (usage.shape, usage.notes) == ("openai_responses", (UNCACHED,))
