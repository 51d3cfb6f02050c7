"""Anthropic's usage object: there is no whole, the input is the sum of its parts."""

import json
from typing import Any

import pytest

from ledger.core.usage.shapes import ReadUsage, read_usage
from ledger.core.usage.stated import FaultyField, StatedUsage
from pricing import Quantities


def read(usage: object, provider: str | None = "anthropic") -> ReadUsage:
    """What a usage object says."""
    return read_usage(json.dumps(usage).encode(), provider)


def refused(usage: object) -> tuple[str, str]:
    """Code and detail of the refusal."""
    with pytest.raises(FaultyField) as faulty:
        read(usage)
    return faulty.value.error.code, faulty.value.error.detail


def test_the_input_is_not_reduced_by_its_cache() -> None:
    """`input_tokens` hold neither reads nor writes: nothing is taken out, the whole is the sum."""
    usage = read(
        {
            "input_tokens": 50,
            "cache_creation_input_tokens": 300,
            "cache_read_input_tokens": 2000,
            "output_tokens": 70,
        }
    )

    assert usage.shape == "anthropic"
    assert usage.stated.input_tokens == 2350
    assert usage.stated.quantities() == Quantities(50, 2000, 70, {"cache_write_tokens": 300})


def test_writes_are_split_by_the_time_they_are_kept() -> None:
    """An hour costs more than five minutes."""
    usage = read(
        {
            "input_tokens": 50,
            "cache_creation_input_tokens": 300,
            "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 200},
            "output_tokens": 70,
        }
    )

    assert usage.stated.quantities() == Quantities(
        50, 0, 70, {"cache_write_tokens": 100, "cache_write_1h_tokens": 200}
    )


@pytest.mark.parametrize("split", [None, {}, {"ephemeral_5m_input_tokens": None}])
def test_without_a_split_writes_are_of_five_minutes(split: dict[str, Any] | None) -> None:
    """Which is what Anthropic does if a request states no time."""
    usage = read({"input_tokens": 1, "cache_creation_input_tokens": 9, "cache_creation": split})

    assert usage.stated == StatedUsage(input_tokens=10, cache_write_tokens=9)


def test_a_split_alone_states_the_writes() -> None:
    """The total of both may be left out."""
    usage = read({"input_tokens": 1, "cache_creation": {"ephemeral_1h_input_tokens": 9}})

    assert usage.stated == StatedUsage(input_tokens=10, cache_write_1h_tokens=9)


@pytest.mark.parametrize(
    ("usage", "told"),
    [
        (
            {
                "input_tokens": 1,
                "cache_creation_input_tokens": 9,
                "cache_creation": {"ephemeral_5m_input_tokens": 4, "ephemeral_1h_input_tokens": 4},
            },
            "ephemeral_5m 4 + ephemeral_1h 4 are not cache_creation_input_tokens 9",
        ),
        (
            {"output_tokens": 1, "cache_read_input_tokens": 9},
            "cached_input_tokens 9 exceed input_tokens None",
        ),
        (
            {
                "input_tokens": 1,
                "output_tokens": 2,
                "speed": "standard",
                "output_tokens_details": {"thinking_tokens": 3},
            },
            "reasoning_tokens 3 exceed output_tokens 2",
        ),
        (
            {
                "input_tokens": 10,
                "output_tokens": 2,
                "cache_read_input_tokens": 9,
                "total_tokens": 12,
            },
            "total_tokens 12 are not all parts, 21",
        ),
    ],
)
def test_what_does_not_add_up_is_refused(usage: dict[str, Any], told: str) -> None:
    """The detail names the parts and their figures."""
    assert refused(usage) == ("usage_does_not_add_up", told)


def test_a_total_that_others_add_is_checked_and_not_priced() -> None:
    """Whoever counts the cache within `input_tokens` would show it here."""
    parts = {"input_tokens": 10, "output_tokens": 2, "cache_read_input_tokens": 9}

    assert read(parts | {"total_tokens": 21}) == read(parts)


def test_sums_are_counts_too() -> None:
    """Two counts within bounds may add up to none."""
    usage = {"input_tokens": 10**12, "cache_read_input_tokens": 1}

    assert refused(usage)[0] == "invalid_usage"


def test_thinking_is_a_part_of_the_output() -> None:
    """`output_tokens` are the whole that is billed; thinking is not added to it."""
    usage = read(
        {
            "input_tokens": 5,
            "output_tokens": 100,
            "output_tokens_details": {"thinking_tokens": 64},
        }
    )

    assert usage.stated.output_tokens == 100
    assert usage.stated.quantities() == Quantities(5, 0, 36, {"reasoning_tokens": 64})


def test_web_searches_are_counted_and_fetches_are_not() -> None:
    """A search has a price of its own; a fetched page costs its tokens."""
    tools = {"web_search_requests": 3, "web_fetch_requests": 2}
    usage = read({"input_tokens": 5, "output_tokens": 1, "server_tool_use": tools})

    assert usage.stated == StatedUsage(input_tokens=5, output_tokens=1, web_searches=3)


def test_stream_deltas_are_not_summed() -> None:
    """They are cumulative: the last stated value of each field counts."""
    usage = read(
        [
            {"input_tokens": 2679, "cache_read_input_tokens": 40, "output_tokens": 3},
            None,
            {"output_tokens": 200, "server_tool_use": {"web_search_requests": 1}},
            {
                "input_tokens": 10682,
                "cache_read_input_tokens": None,
                "output_tokens": 510,
                "output_tokens_details": {"thinking_tokens": 9},
                "server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 0},
            },
        ]
    )

    assert usage.shape == "anthropic"
    assert usage.stated == StatedUsage(
        input_tokens=10722,
        cached_input_tokens=40,
        output_tokens=510,
        reasoning_tokens=9,
        web_searches=2,
    )


def test_a_stream_keeps_what_only_its_start_states() -> None:
    """The split of the writes, the tier and the region stand in the first event alone."""
    start = {
        "input_tokens": 5,
        "cache_creation_input_tokens": 9,
        "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 9},
        "output_tokens": 1,
        "service_tier": "priority",
        "inference_geo": "us",
    }

    usage = read([start, {"cache_creation_input_tokens": 9, "output_tokens": 50}])

    assert usage == read(start | {"output_tokens": 50})


def test_writes_that_grow_without_a_split_are_of_five_minutes() -> None:
    """As long as none was of an hour; else nobody can say what the new ones are."""
    start: dict[str, Any] = {"input_tokens": 5, "cache_creation_input_tokens": 9}
    later = {"cache_creation_input_tokens": 20, "output_tokens": 50}
    five_minutes = start | {"cache_creation": {"ephemeral_5m_input_tokens": 9}}
    an_hour = start | {"cache_creation": {"ephemeral_1h_input_tokens": 9}}

    assert read([five_minutes, later]).stated == StatedUsage(
        input_tokens=25, cache_write_tokens=20, output_tokens=50
    )
    assert refused([an_hour, later])[0] == "usage_does_not_add_up"


def test_writes_that_grow_with_their_split_are_as_it_says() -> None:
    """The later split counts, as every later value does."""
    usage = read(
        [
            {
                "input_tokens": 5,
                "cache_creation_input_tokens": 9,
                "cache_creation": {"ephemeral_5m_input_tokens": 9, "ephemeral_1h_input_tokens": 0},
            },
            {
                "cache_creation_input_tokens": 20,
                "cache_creation": {"ephemeral_5m_input_tokens": 9, "ephemeral_1h_input_tokens": 11},
            },
        ]
    )

    assert usage.stated == StatedUsage(
        input_tokens=25, cache_write_tokens=9, cache_write_1h_tokens=11
    )


@pytest.mark.parametrize(
    ("words", "served"),
    [
        ({"service_tier": "standard", "inference_geo": "us"}, ("standard", None, "us")),
        ({"service_tier": "priority", "inference_geo": "global"}, ("priority", None, None)),
        ({"service_tier": "batch", "inference_geo": "not_available"}, (None, True, None)),
        ({"service_tier": "standard", "speed": "fast"}, ("fast", None, None)),
        ({"service_tier": "batch", "speed": "fast"}, ("fast", True, None)),
        ({"service_tier": None, "speed": "standard", "inference_geo": ""}, (None, None, None)),
    ],
)
def test_the_object_says_how_it_was_served(
    words: dict[str, Any], served: tuple[str | None, bool | None, str | None]
) -> None:
    """Tier, batch and region are dimensions of the price; no stated provider is needed for them."""
    usage = read({"input_tokens": 5, "output_tokens": 1} | words, provider=None)

    assert (usage.service_tier, usage.is_batch, usage.region) == served
    assert (usage.shape, usage.notes) == ("anthropic", ())


def test_fast_outranks_priority_and_says_so() -> None:
    """One event has one tier; the choice is left for the reader to see."""
    words = {"service_tier": "priority", "speed": "fast"}
    usage = read({"input_tokens": 5, "output_tokens": 1} | words)

    assert usage.service_tier == "fast"
    assert usage.notes == ("service_tier priority and speed fast: the speed counts",)


@pytest.mark.parametrize(("kind", "count"), [("compaction", 1), ("message", 0)])
def test_tokens_of_a_compaction_are_missing_and_noted(kind: str, count: int) -> None:
    """Anthropic leaves them out of the figures above, unlike those of other iterations."""
    call = {"type": kind, "input_tokens": 180000, "output_tokens": 3500}
    usage = read({"input_tokens": 5, "output_tokens": 1, "iterations": [call]})

    assert usage.stated == StatedUsage(input_tokens=5, output_tokens=1)
    assert len(usage.notes) == count
