"""OpenAI's usage objects: every detail is a part of its whole, and none is counted twice."""

from typing import Any

import pytest

from ledger.core.usage.shapes import ReadUsage
from ledger.core.usage.stated import StatedUsage
from pricing import Quantities
from tests.unit.core.usage.openai_objects import chat, read, refused, responses


@pytest.mark.parametrize("shape", [chat, responses])
def test_cached_tokens_are_not_charged_twice(shape: Any) -> None:
    """They are a part of the input: what is left of it is uncached."""
    usage = read(shape(30, 200, input_cached_tokens=12))

    assert usage.stated == StatedUsage(input_tokens=30, cached_input_tokens=12, output_tokens=200)
    assert usage.stated.quantities() == Quantities(18, 12, 200)


@pytest.mark.parametrize("shape", [chat, responses])
def test_written_tokens_are_a_part_of_the_input(shape: Any) -> None:
    """So what is neither read nor written is left."""
    usage = read(shape(100, 0, input_cached_tokens=40, input_cache_write_tokens=50))

    assert usage.stated.quantities() == Quantities(10, 40, 0, {"cache_write_tokens": 50})
    assert usage.notes == ()


@pytest.mark.parametrize("shape", [chat, responses])
def test_reasoning_is_not_added_twice(shape: Any) -> None:
    """It is a part of the output; together they are what was billed."""
    usage = read(shape(5, 100, output_reasoning_tokens=64))

    assert usage.stated.output_tokens == 100
    assert usage.stated.quantities() == Quantities(5, 0, 36, {"reasoning_tokens": 64})


def test_rejected_predictions_are_billed_as_output() -> None:
    """They count within the completion, and no part of them is taken out of it."""
    usage = read(chat(5, 100, output_rejected_prediction_tokens=30))

    assert usage.stated.quantities() == Quantities(5, 0, 100)


@pytest.mark.parametrize(
    ("usage", "told"),
    [
        (chat(30, 9) | {"total_tokens": 40}, "total_tokens 40 are not input 30 + output 9"),
        (responses(30, 9) | {"total_tokens": 30}, "total_tokens 30 are not input 30 + output 9"),
        (
            {"completion_tokens": 5, "total_tokens": 9},
            "total_tokens 9 are not input None + output 5",
        ),
        (chat(5, 9, input_cached_tokens=6), "cached_input_tokens 6 exceed input_tokens 5"),
        (chat(5, 9, output_reasoning_tokens=10), "reasoning_tokens 10 exceed output_tokens 9"),
        (
            chat(5, 9, output_reasoning_tokens=5, output_audio_tokens=5),
            "reasoning_tokens 5 + audio_output_tokens 5 exceed output_tokens 9",
        ),
        (
            {"completion_tokens": 9, "prompt_tokens_details": {"cached_tokens": 1}},
            "cached_input_tokens 1 exceed input_tokens None",
        ),
        (
            chat(5, 9, input_text_tokens=4, input_audio_tokens=2),
            "text 4 + audio 2 + image None exceed input 5",
        ),
        (
            chat(5, 9, output_text_tokens=9, output_image_tokens=1),
            "text 9 + audio None + image 1 exceed output 9",
        ),
        (
            chat(5, 9, input_cached_tokens=3) | {"cached_tokens": 4},
            "cached tokens are stated as 3 and as 4",
        ),
        (
            chat(5, 9, input_cached_tokens=3) | {"cached_tokens": 4, "num_cached_tokens": 3},
            "cached tokens are stated as 3 and as 4",
        ),
    ],
)
def test_what_does_not_add_up_is_refused(usage: dict[str, Any], told: str) -> None:
    """The detail names the parts and their figures."""
    assert refused(usage) == ("usage", "usage_does_not_add_up", told)


def test_cached_tokens_may_stand_beside_the_wholes() -> None:
    """Some providers of this shape put them there, some in both places."""
    plain = {"prompt_tokens": 9, "cached_tokens": 4}

    assert read(plain).stated.cached_input_tokens == 4
    assert read({**plain, "prompt_tokens_details": {"cached_tokens": 4}}) == read(plain)


def test_embeddings_have_no_output() -> None:
    """They state a prompt and a total, which is never priced beside it."""
    usage = read({"prompt_tokens": 8, "total_tokens": 8})

    assert usage == ReadUsage(StatedUsage(input_tokens=8), "openai_chat")


def test_a_transcription_is_billed_by_tokens_or_by_time() -> None:
    """The usage object says which."""
    by_tokens = {
        "type": "tokens",
        "input_tokens": 14,
        "input_token_details": {"text_tokens": 0, "audio_tokens": 14},
        "output_tokens": 45,
        "total_tokens": 59,
    }

    assert read(by_tokens).stated.quantities() == Quantities(0, 0, 45, {"audio_input_tokens": 14})
    assert read({"type": "duration", "seconds": 12.5}) == ReadUsage(
        StatedUsage(input_seconds=12_500_000), "openai_responses"
    )


@pytest.mark.parametrize(
    ("seconds", "code"), [(-1, "out_of_range"), (0.1234567, "too_precise"), (True, "invalid_usage")]
)
def test_seconds_are_kept_exactly_or_refused(seconds: object, code: str) -> None:
    """There is no rounding of what was used."""
    assert refused({"type": "duration", "seconds": seconds})[:2] == ("usage", code)


def test_xai_states_reasoning_beside_the_completion() -> None:
    """Its total proves it, so all of the output is the completion and the reasoning."""
    usage = {
        "prompt_tokens": 32,
        "completion_tokens": 9,
        "total_tokens": 135,
        "prompt_tokens_details": {"text_tokens": 32, "cached_tokens": 6},
        "completion_tokens_details": {"reasoning_tokens": 94},
    }

    assert read(usage, "xai").stated.quantities() == Quantities(26, 6, 9, {"reasoning_tokens": 94})
    assert refused(usage, "openai")[1] == "usage_does_not_add_up"
    assert refused(usage | {"total_tokens": 134}, "xai")[1] == "usage_does_not_add_up"


def test_xai_may_state_reasoning_within_the_completion() -> None:
    """If its total says so."""
    usage = chat(32, 103, output_reasoning_tokens=94)

    assert read(usage, "xai").stated == read(usage, "openai").stated


def test_without_a_total_the_reasoning_of_xai_is_noted() -> None:
    """The common reading is taken: nothing proves that there is more output than is stated."""
    usage = chat(32, 103, output_reasoning_tokens=94) | {"total_tokens": None}

    read_by_xai = read(usage, "xai")

    assert read_by_xai.stated == read(usage, "openai").stated
    assert read_by_xai.notes == (
        "reasoning_tokens count as a part of output_tokens: no total_tokens tells otherwise",
    )
