"""The details of OpenAI's usage: kinds of tokens, what of them was cached or written, and how long."""

from typing import Any

import pytest

from ledger.core.usage.stated import StatedUsage
from pricing import Quantities
from tests.unit.core.usage.openai_objects import chat, read, refused, responses


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


@pytest.mark.parametrize("told", [{}, {"text_tokens": None}])
def test_details_that_tell_nothing_are_none(told: dict[str, Any]) -> None:
    """Then it is open how much of the audio was cached, which is noted."""
    usage = chat(100, 0, input_audio_tokens=40, input_cached_tokens=60)
    empty = chat(
        100, 0, input_audio_tokens=40, input_cached_tokens=60, input_cached_tokens_details=told
    )

    assert read(empty) == read(usage)
    assert len(read(usage).notes) == 1


@pytest.mark.parametrize(
    ("details", "told"),
    [
        ({"cached_tokens": 3, "audio_tokens": 9}, "4 of 3 cached"),
        ({"cached_tokens": 5, "audio_tokens": 9}, "4 of 5 cached"),
        ({"audio_tokens": 9}, "4 of None cached"),
        (
            {
                "cached_tokens": 15,
                "audio_tokens": 9,
                "cached_tokens_details": {"text_tokens": 10, "audio_tokens": 4},
            },
            "14 of 15 cached",
        ),
        ({"cached_tokens": 4, "audio_tokens": 3}, "4 of 3 audio"),
        ({"cached_tokens_details": {"image_tokens": 4}, "cached_tokens": 4}, "4 of None image"),
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
    """Cached kinds are all of the cached tokens, and each is a part of its kind."""
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
        responses(
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
        responses(
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
    usage = responses(100, 0, input_image_tokens=10, input_cached_tokens=101)

    assert refused(usage)[1] == "usage_does_not_add_up"


def test_pictures_in_a_chat_are_priced_as_text() -> None:
    """They stay in the input, whatever of them was cached: there is nothing to guess or to note."""
    usage = read(chat(2000, 5, input_image_tokens=1500, input_cached_tokens=1000))

    assert usage.stated.quantities() == Quantities(1000, 1000, 5)
    assert usage.notes == ()


def test_cached_pictures_in_a_chat_are_cached_text() -> None:
    """Also where they are told apart; audio is taken out of both."""
    usage = read(
        chat(
            *(2000, 0),
            input_image_tokens=1500,
            input_audio_tokens=100,
            input_cached_tokens=1000,
            input_cached_tokens_details={"image_tokens": 980, "audio_tokens": 20},
        )
    )

    assert usage.stated.quantities() == Quantities(
        920, 980, 0, {"audio_input_tokens": 80, "cached_audio_input_tokens": 20}
    )


def test_pictures_in_a_chat_are_no_more_than_the_prompt() -> None:
    """That they are not priced apart makes no figure right that is wrong."""
    told = "text None + audio None + image 11 exceed input 10"

    assert refused(chat(10, 0, input_image_tokens=11)) == ("usage", "usage_does_not_add_up", told)


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        (
            {"input_tokens_details": {"cached_tokens": 0}},
            {"input_token_details": {"cached_tokens": 300}},
            "input_tokens_details.cached_tokens 0 and input_token_details.cached_tokens 300",
        ),
        (
            {"output_tokens_details": {"reasoning_tokens": 2}},
            {"output_token_details": {"reasoning_tokens": 3}},
            "output_tokens_details.reasoning_tokens 2 and output_token_details.reasoning_tokens 3",
        ),
        (
            {"input_tokens_details": {"cached_tokens_details": {"audio_tokens": 2}}},
            {"input_token_details": {"cached_tokens_details": {"audio_tokens": 3}}},
            (
                "input_tokens_details.cached_tokens_details.audio_tokens 2"
                " and input_token_details.cached_tokens_details.audio_tokens 3"
            ),
        ),
    ],
)
def test_both_names_of_details_must_agree(
    first: dict[str, Any], second: dict[str, Any], told: str
) -> None:
    """Neither goes before the other."""
    usage = {"input_tokens": 400, "output_tokens": 9}

    assert refused(usage | first | second) == (
        "usage",
        "usage_does_not_add_up",
        f"{told} are one and differ",
    )


def test_details_under_two_names_complete_each_other() -> None:
    """What both state counts once."""
    usage = {"input_tokens": 400, "output_tokens": 9}
    one = {"cached_tokens": 300, "text_tokens": 390}
    other = {
        "cached_tokens": 300,
        "audio_tokens": 10,
        "cached_tokens_details": {"text_tokens": 300},
    }

    both = read(usage | {"input_tokens_details": one, "input_token_details": other})

    assert both == read(usage | {"input_tokens_details": one | other})
    assert both.stated.quantities() == Quantities(90, 300, 9, {"audio_input_tokens": 10})


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
