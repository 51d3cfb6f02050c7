"""Gemini's usage metadata: thoughts and tool results lie beside, cached content lies within."""

import json
from typing import Any

import pytest

from ledger.core.usage.shapes import ReadUsage, read_usage
from ledger.core.usage.stated import FaultyField, StatedUsage
from pricing import Quantities


def read(usage: object, provider: str | None = "google") -> ReadUsage:
    """What usage metadata say."""
    return read_usage(json.dumps(usage).encode(), provider)


def refused(usage: object) -> tuple[str, str]:
    """Code and detail of the refusal."""
    with pytest.raises(FaultyField) as faulty:
        read(usage)
    return faulty.value.error.code, faulty.value.error.detail


def by_modality(**counts: int) -> list[dict[str, Any]]:
    """Details, in camel case."""
    return [{"modality": name, "tokenCount": count} for name, count in counts.items()]


def test_thoughts_are_not_dropped() -> None:
    """They are no part of the candidates: the output is both."""
    usage = read(
        {
            "promptTokenCount": 12,
            "candidatesTokenCount": 10,
            "thoughtsTokenCount": 18,
            "totalTokenCount": 40,
        }
    )

    assert usage.shape == "gemini"
    assert usage.stated.output_tokens == 28
    assert usage.stated.quantities() == Quantities(12, 0, 10, {"reasoning_tokens": 18})


def test_cached_content_is_a_part_of_the_prompt() -> None:
    """And what tools gave back is input beside it."""
    usage = read(
        {
            "promptTokenCount": 100,
            "cachedContentTokenCount": 60,
            "toolUsePromptTokenCount": 7,
            "candidatesTokenCount": 5,
            "totalTokenCount": 112,
        }
    )

    assert usage.stated == StatedUsage(input_tokens=107, cached_input_tokens=60, output_tokens=5)
    assert usage.notes == ()


def test_only_audio_is_an_input_of_its_own_price() -> None:
    """Images, video and documents are priced as text; cached audio is told apart."""
    usage = read(
        {
            "promptTokenCount": 1000,
            "promptTokensDetails": by_modality(
                TEXT=100, AUDIO=400, IMAGE=300, VIDEO=150, DOCUMENT=50
            ),
            "cachedContentTokenCount": 350,
            "cacheTokensDetails": by_modality(TEXT=50, AUDIO=300),
            "toolUsePromptTokenCount": 20,
            "toolUsePromptTokensDetails": by_modality(AUDIO=15, TEXT=5),
            "candidatesTokenCount": 9,
        }
    )

    assert usage.stated.quantities() == Quantities(
        1020 - 50 - 300 - 115,
        50,
        9,
        {"audio_input_tokens": 115, "cached_audio_input_tokens": 300},
    )
    assert usage.notes == ()


def test_made_images_and_speech_have_prices_of_their_own() -> None:
    """They are parts of the candidates; the rest is text."""
    usage = read(
        {
            "promptTokenCount": 8,
            "candidatesTokenCount": 1400,
            "candidatesTokensDetails": by_modality(IMAGE=1290, AUDIO=100),
            "thoughtsTokenCount": 30,
        }
    )

    assert usage.stated.quantities() == Quantities(
        8,
        0,
        10,
        {"image_output_tokens": 1290, "audio_output_tokens": 100, "reasoning_tokens": 30},
    )


def test_snake_case_says_the_same() -> None:
    """The packages hand out what the API answers in camel case."""
    snake = {
        "prompt_token_count": 40,
        "prompt_tokens_details": [{"modality": "audio", "token_count": 30}],
        "response_token_count": 9,
        "response_tokens_details": [{"modality": "AUDIO", "token_count": 9}],
        "total_token_count": 49,
    }
    camel = {
        "promptTokenCount": 40,
        "promptTokensDetails": by_modality(AUDIO=30),
        "responseTokenCount": 9,
        "responseTokensDetails": by_modality(AUDIO=9),
        "totalTokenCount": 49,
    }

    assert read(snake) == read(camel)
    assert read(camel).stated.quantities() == Quantities(
        10, 0, 0, {"audio_input_tokens": 30, "audio_output_tokens": 9}
    )


def test_candidates_and_response_are_one() -> None:
    """The Live API calls them a response; stated twice they count once."""
    candidates = {"promptTokenCount": 1, "candidatesTokenCount": 5, "totalTokenCount": 6}

    assert read(candidates | {"responseTokenCount": 5}) == read(candidates)
    assert refused(candidates | {"responseTokenCount": 4}) == (
        "usage_does_not_add_up",
        "candidates 5 and response 4 are one and differ",
    )


def test_details_of_candidates_and_of_response_are_one() -> None:
    """An empty list tells nothing, and two that differ leave open which is right."""
    candidates = {"candidatesTokenCount": 5, "candidatesTokensDetails": by_modality(IMAGE=5)}

    for response in ([], by_modality(IMAGE=5)):
        assert read(candidates | {"responseTokensDetails": response}) == read(candidates)
    assert refused(candidates | {"responseTokensDetails": by_modality(TEXT=5)}) == (
        "usage_does_not_add_up",
        "details of candidates and of response are one and differ",
    )


@pytest.mark.parametrize(
    ("usage", "told"),
    [
        (
            {"promptTokenCount": 10, "prompt_token_count": 99},
            "promptTokenCount and prompt_token_count",
        ),
        (
            {"prompt_token_count": 99, "promptTokenCount": 0},
            "promptTokenCount and prompt_token_count",
        ),
        (
            {
                "promptTokenCount": 10,
                "promptTokensDetails": by_modality(AUDIO=4),
                "prompt_tokens_details": [],
            },
            "promptTokensDetails and prompt_tokens_details",
        ),
        (
            {"promptTokenCount": 10, "promptTokensDetails": [{"tokenCount": 1, "token_count": 2}]},
            "tokenCount and token_count",
        ),
    ],
)
def test_both_spellings_must_agree(usage: dict[str, Any], told: str) -> None:
    """Neither goes before the other."""
    assert refused(usage) == ("usage_does_not_add_up", f"{told} are one and differ")


@pytest.mark.parametrize("other", [10, None])
def test_a_second_spelling_may_say_the_same_or_nothing(other: int | None) -> None:
    """In either order."""
    camel, snake = {"promptTokenCount": 10}, {"prompt_token_count": other}

    assert read(camel | snake) == read(snake | camel) == read(camel)


def test_figures_that_are_left_out_are_not_stated() -> None:
    """The API leaves out zeros."""
    assert read({"promptTokenCount": 5}).stated == StatedUsage(input_tokens=5)
    assert read({"candidatesTokenCount": 5}).stated == StatedUsage(output_tokens=5)


@pytest.mark.parametrize("details", [None, [], [{"modality": "TEXT"}, {"tokenCount": 3}]])
def test_without_a_modality_it_is_text(details: object) -> None:
    """Also where a modality has no count."""
    usage = read({"promptTokenCount": 5, "promptTokensDetails": details})

    assert usage.stated == StatedUsage(input_tokens=5)


def test_cached_audio_that_is_not_told_apart_is_noted() -> None:
    """The cached tokens count as text as long as both fit into the prompt."""
    usage = {
        "promptTokenCount": 100,
        "promptTokensDetails": by_modality(AUDIO=40, TEXT=60),
        "cachedContentTokenCount": 60,
    }

    assert read(usage).stated.quantities() == Quantities(0, 60, 0, {"audio_input_tokens": 40})
    assert read(usage).notes == (
        "cached tokens count as text: how many of them are audio is not stated",
    )
    assert refused(usage | {"cachedContentTokenCount": 61})[0] == "usage_does_not_add_up"


def test_cached_audio_needs_no_details_of_the_prompt() -> None:
    """What is left of the prompt is then of no stated kind."""
    usage = read(
        {
            "promptTokenCount": 100,
            "cachedContentTokenCount": 60,
            "cacheTokensDetails": by_modality(AUDIO=50),
        }
    )

    assert usage.stated == StatedUsage(
        input_tokens=100, cached_input_tokens=10, cached_audio_input_tokens=50
    )


@pytest.mark.parametrize(
    ("figures", "told"),
    [
        (
            {"thoughtsTokenCount": 3, "totalTokenCount": 15},
            "total 15 is not prompt 10 + tool use None + candidates 5 + thoughts 3",
        ),
        (
            {"toolUsePromptTokenCount": 2, "totalTokenCount": 15},
            "total 15 is not prompt 10 + tool use 2 + candidates 5 + thoughts None",
        ),
        ({"cachedContentTokenCount": 11}, "cached_input_tokens 11 exceed input_tokens 10"),
        (
            {"promptTokensDetails": by_modality(TEXT=9, IMAGE=2)},
            "details tell 11 of 10 prompt tokens",
        ),
        (
            {"toolUsePromptTokensDetails": by_modality(TEXT=1)},
            "details tell 1 of None tool use tokens",
        ),
        (
            {"cachedContentTokenCount": 4, "cacheTokensDetails": by_modality(TEXT=5)},
            "details tell 5 of 4 cached tokens",
        ),
        (
            {"candidatesTokensDetails": by_modality(IMAGE=6)},
            "details tell 6 of 5 candidates tokens",
        ),
        (
            {
                "promptTokensDetails": by_modality(TEXT=10),
                "cachedContentTokenCount": 4,
                "cacheTokensDetails": by_modality(AUDIO=4),
            },
            "cached audio 4 exceeds prompt audio None",
        ),
    ],
)
def test_what_does_not_add_up_is_refused(figures: dict[str, Any], told: str) -> None:
    """The detail names the parts and their figures."""
    usage = {"promptTokenCount": 10, "candidatesTokenCount": 5} | figures

    assert refused(usage) == ("usage_does_not_add_up", told)


def test_a_total_alone_is_never_priced() -> None:
    """It overlaps its parts, and without them it says nothing of what was used."""
    assert refused({"totalTokenCount": 15})[0] == "usage_does_not_add_up"


@pytest.mark.parametrize(
    ("words", "tier"),
    [
        ({}, None),
        ({"serviceTier": "standard"}, "standard"),
        ({"service_tier": "FLEX"}, "flex"),
        ({"serviceTier": "unspecified"}, None),
        ({"trafficType": "ON_DEMAND"}, "standard"),
        ({"trafficType": "ON_DEMAND_PRIORITY"}, "priority"),
        ({"trafficType": "PROVISIONED_THROUGHPUT"}, "provisioned_throughput"),
        ({"trafficType": "TRAFFIC_TYPE_UNSPECIFIED"}, None),
    ],
)
def test_the_metadata_say_how_it_was_served(words: dict[str, str], tier: str | None) -> None:
    """Vertex AI tells its tiers as types of traffic."""
    assert read({"promptTokenCount": 5} | words).service_tier == tier
