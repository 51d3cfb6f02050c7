"""OpenAI's usage objects: every detail is a part of its whole, and none is counted twice."""

import json
from typing import Any

import pytest

from ledger.core.usage.shapes import ReadUsage, read_usage
from ledger.core.usage.stated import FaultyField, StatedUsage
from pricing import Quantities


def read(usage: object, provider: str | None = "openai") -> ReadUsage:
    """What a usage object says."""
    return read_usage(json.dumps(usage).encode(), provider)


def refused(usage: object, provider: str | None = "openai") -> tuple[str | None, str, str]:
    """Field, code and detail of the refusal."""
    with pytest.raises(FaultyField) as faulty:
        read(usage, provider)
    error = faulty.value.error
    return error.field, error.code, error.detail


def chat(prompt: int, completion: int, **details: Any) -> dict[str, Any]:
    """A chat usage object whose total is right; `input_` and `output_` lead the details."""
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": part(details, "input_"),
        "completion_tokens_details": part(details, "output_"),
    }


def responses(whole_input: int, whole_output: int, **details: Any) -> dict[str, Any]:
    """The same of the Responses interface."""
    return {
        "input_tokens": whole_input,
        "output_tokens": whole_output,
        "total_tokens": whole_input + whole_output,
        "input_tokens_details": part(details, "input_"),
        "output_tokens_details": part(details, "output_"),
    }


def part(details: dict[str, Any], prefix: str) -> dict[str, Any]:
    """The details of one side, with the names they have there."""
    return {
        name.removeprefix(prefix): value
        for name, value in details.items()
        if name.startswith(prefix)
    }


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


def test_audio_is_taken_out_of_the_text() -> None:
    """On both sides: it has a price of its own."""
    usage = read(
        chat(
            *(100, 60),
            input_audio_tokens=80,
            input_text_tokens=20,
            output_audio_tokens=50,
            output_text_tokens=10,
        )
    )

    assert usage.stated.quantities() == Quantities(
        20, 0, 10, {"audio_input_tokens": 80, "audio_output_tokens": 50}
    )
    assert usage.notes == ()


def test_images_in_and_out_have_a_kind_of_their_own() -> None:
    """The image interface tells text and image tokens apart on both sides."""
    usage = read(
        responses(
            *(50, 4160),
            input_text_tokens=10,
            input_image_tokens=40,
            output_image_tokens=4100,
            output_text_tokens=60,
        )
    )

    assert usage.stated.quantities() == Quantities(
        10, 0, 60, {"image_input_tokens": 40, "image_output_tokens": 4100}
    )


def test_a_realtime_session_tells_cached_audio_apart() -> None:
    """Its `cached_tokens_details` make the parts disjoint; nothing is noted."""
    usage = read(
        {
            "total_tokens": 253,
            "input_tokens": 132,
            "output_tokens": 121,
            "input_token_details": {
                "text_tokens": 72,
                "audio_tokens": 45,
                "image_tokens": 15,
                "cached_tokens": 94,
                "cached_tokens_details": {
                    "text_tokens": 64,
                    "audio_tokens": 20,
                    "image_tokens": 10,
                },
            },
            "output_token_details": {"text_tokens": 30, "audio_tokens": 91},
        }
    )

    assert usage.stated.quantities() == Quantities(
        8,
        74,
        30,
        {
            "audio_input_tokens": 25,
            "cached_audio_input_tokens": 20,
            "image_input_tokens": 5,
            "audio_output_tokens": 91,
        },
    )
    assert usage.notes == ()


def test_details_of_cached_tokens_may_leave_kinds_out() -> None:
    """What they do not tell stays not stated."""
    details = {"cached_tokens": 4, "cached_tokens_details": {"text_tokens": 4}}
    usage = read({"input_tokens": 9, "output_tokens": 0, "input_token_details": details})

    assert usage.stated == StatedUsage(input_tokens=9, cached_input_tokens=4, output_tokens=0)


@pytest.mark.parametrize(
    ("details", "told"),
    [
        ({"cached_tokens": 3, "audio_tokens": 9}, "4 of 3 cached"),
        ({"cached_tokens": 9, "audio_tokens": 3}, "4 of 3 audio"),
        ({"cached_tokens_details": {"image_tokens": 4}, "cached_tokens": 4}, "4 of 0 image"),
        (
            {
                "cached_tokens": 5,
                "audio_tokens": 9,
                "image_tokens": 9,
                "cached_tokens_details": {
                    "text_tokens": 1,
                    "audio_tokens": 2,
                    "image_tokens": 3,
                },
            },
            "6 of 5 cached",
        ),
    ],
)
def test_cached_kinds_fit_their_wholes(details: dict[str, Any], told: str) -> None:
    """Cached audio is a part of the cached tokens and of the audio tokens."""
    details = {"cached_tokens_details": {"audio_tokens": 4}, **details}

    field, code, detail = refused({"input_tokens": 20, "input_token_details": details})

    assert (field, code) == ("usage", "usage_does_not_add_up")
    assert told in detail


def test_cached_audio_that_is_not_told_apart_is_noted() -> None:
    """The cached tokens count as text as long as both fit into the input."""
    usage = read(chat(100, 0, input_audio_tokens=40, input_cached_tokens=60))

    assert usage.stated.quantities() == Quantities(0, 60, 0, {"audio_input_tokens": 40})
    assert usage.notes == (
        "cached and written tokens count as text: how many are audio or image is not stated",
    )


def test_cached_audio_that_must_overlap_is_refused() -> None:
    """More audio and cached tokens than input: how many are both is not stated, and not guessed."""
    field, code, detail = refused(chat(100, 0, input_audio_tokens=41, input_cached_tokens=60))

    assert (field, code) == ("usage", "usage_does_not_add_up")
    assert detail == "cached_input_tokens 60 + audio_input_tokens 41 exceed input_tokens 100"


@pytest.mark.parametrize(
    ("cached", "written", "image_left"),
    [(1920, 0, 80), (0, 1920, 80), (500, 0, 1500), (2000, 0, 0)],
)
def test_a_cached_picture_is_counted_once(cached: int, written: int, image_left: int) -> None:
    """Image tokens are often cached too: of both counts the cached one holds, the rest is image."""
    usage = read(
        chat(
            *(2000, 0),
            input_image_tokens=1500,
            input_cached_tokens=cached,
            input_cache_write_tokens=written,
        )
    )

    assert usage.stated.cached_input_tokens == cached
    assert usage.stated.cache_write_tokens == written
    assert usage.stated.image_input_tokens == image_left
    assert len(usage.notes) == 1


def test_pictures_take_the_room_that_audio_leaves() -> None:
    """Audio is counted in full, image tokens as far as they fit beside it."""
    usage = read(
        chat(
            *(2000, 0),
            input_image_tokens=1000,
            input_audio_tokens=300,
            input_cached_tokens=900,
        )
    )

    assert usage.stated.quantities() == Quantities(
        0, 900, 0, {"audio_input_tokens": 300, "image_input_tokens": 800}
    )


def test_what_exceeds_the_input_is_refused_beside_pictures_too() -> None:
    """The room that is left for image tokens is never negative."""
    usage = chat(100, 0, input_image_tokens=10, input_cached_tokens=101)

    assert refused(usage)[1] == "usage_does_not_add_up"


def test_long_cache_writes_stay_written_and_are_noted() -> None:
    """Twelve hours have no unit of their own."""
    usage = read(
        responses(
            *(100, 0),
            input_cache_write_tokens=50,
            input_cache_write_tokens_details={"ttl_30m_tokens": 20, "ttl_12h_tokens": 30},
        )
    )

    assert usage.stated.cache_write_tokens == 50
    assert usage.notes == (
        "cache_write_tokens: 30 of them are kept for 12 hours, which has no unit of its own",
    )


def test_times_of_writes_alone_state_the_writes() -> None:
    """What was written is what is kept for either time."""
    details = {"cache_write_tokens_details": {"ttl_30m_tokens": 20, "ttl_12h_tokens": 5}}

    usage = read({"input_tokens": 100, "input_tokens_details": details})

    assert usage.stated.cache_write_tokens == 25


@pytest.mark.parametrize(
    ("details", "written"),
    [
        ({"cache_write_tokens": 50, "cache_write_tokens_details": {"ttl_30m_tokens": 20}}, 50),
        ({"cache_write_tokens_details": {"ttl_30m_tokens": 20}}, 20),
        ({"cache_write_tokens": 50, "cache_write_tokens_details": None}, 50),
    ],
)
def test_the_usual_cache_writes_need_no_note(details: dict[str, Any], written: int) -> None:
    """Those of thirty minutes, and those whose time is not told."""
    usage = read({"input_tokens": 100, "input_tokens_details": details})

    assert (usage.stated.cache_write_tokens, usage.notes) == (written, ())


def test_times_of_writes_are_no_more_than_the_writes() -> None:
    """Their parts are within."""
    details = {
        "cache_write_tokens": 49,
        "cache_write_tokens_details": {"ttl_30m_tokens": 20, "ttl_12h_tokens": 30},
    }

    _, code, detail = refused({"input_tokens": 100, "input_tokens_details": details})

    assert code == "usage_does_not_add_up"
    assert detail == "ttl_30m 20 + ttl_12h 30 exceed cache_write 49"


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
