"""Same or conflict: only what both copies state is compared."""

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from ledger.core.comparison import Difference, differences, first_difference
from ledger.core.reading import read_statement
from ledger.core.request_ids import RequestKey
from ledger.core.statements import Stated, Statement

RECEIVED = datetime(2026, 11, 20, 12, tzinfo=UTC)
FULL = {
    "model": "m",
    "provider": "p",
    "provider_key_type": "managed",
    "input_tokens": 100,
    "cached_input_tokens": 2,
    "output_tokens": 50,
    "input_seconds": 1,
    "output_seconds": 1,
    "input_characters": 1,
    "output_characters": 1,
    "images": 1,
    "gpu_seconds": 1,
    "cache_write_tokens": 1,
    "cache_write_1h_tokens": 1,
    "reasoning_tokens": 1,
    "audio_input_tokens": 1,
    "cached_audio_input_tokens": 1,
    "audio_output_tokens": 1,
    "image_input_tokens": 1,
    "image_output_tokens": 1,
    "image_steps": 1,
    "web_searches": 1,
    "rerank_searches": 1,
    "training_tokens": 1,
    "service_tier": "standard",
    "batch": False,
    "region": "us",
    "accelerator": "h100",
    "meter_slug": "s",
    "timestamp": "2026-10-01T00:00:00Z",
    "metadata": {"a": "b"},
}
OTHERWISE = {
    "model": "n",
    "provider": "q",
    "provider_key_type": "byok",
    "input_tokens": 101,
    "cached_input_tokens": 3,
    "output_tokens": 51,
    "input_seconds": 2,
    "output_seconds": 2,
    "input_characters": 2,
    "output_characters": 2,
    "images": 0,
    "gpu_seconds": "1.000001",
    "cache_write_tokens": 2,
    "cache_write_1h_tokens": 2,
    "reasoning_tokens": 2,
    "audio_input_tokens": 2,
    "cached_audio_input_tokens": 2,
    "audio_output_tokens": 2,
    "image_input_tokens": 2,
    "image_output_tokens": 2,
    "image_steps": 2,
    "web_searches": 2,
    "rerank_searches": 2,
    "training_tokens": 2,
    "service_tier": "flex",
    "batch": True,
    "region": "eu",
    "accelerator": "b200",
    "meter_slug": "t",
    "timestamp": "2026-10-01T00:00:00.000001Z",
    "metadata": {"a": "c"},
}


def read(**fields: Any) -> Statement:
    """The statement of a record with some fields."""
    names = {"request_id": "r1", "customer_id": "acme"}
    statement = read_statement(json.dumps(names | fields).encode(), RECEIVED)
    assert isinstance(statement, Statement), statement
    return statement


def difference(recorded: dict[str, Any], resent: dict[str, Any]) -> str | None:
    """The field that differs."""
    error = first_difference(read(**recorded), read(**resent))
    assert error is None or error.code == "conflicting_value"
    return None if error is None else error.field


def test_every_field_that_can_be_stated_is_tried_here() -> None:
    """A new one that nobody compares would let a conflict pass as a duplicate."""
    names = {"provider_key_type": "KEY_TYPE", "meter_slug": "METER"}
    assert {names.get(field, field.upper()) for field in FULL} == set(Stated.__members__)
    assert FULL.keys() == OTHERWISE.keys()


@pytest.mark.parametrize("field", list(FULL))
def test_a_field_that_both_state_must_agree(field: str) -> None:
    """And it is the one that is named."""
    assert difference(FULL, FULL | {field: OTHERWISE[field]}) == field


# A copy that states parts must state their whole.
@pytest.mark.parametrize(
    "field", [each for each in FULL if each not in ("input_tokens", "output_tokens")]
)
def test_a_field_that_only_one_states_is_not_compared(field: str) -> None:
    """A shorter copy is no contradiction, in either direction."""
    shorter = {name: value for name, value in FULL.items() if name != field}
    assert difference(FULL, shorter) is None
    assert difference(shorter, FULL) is None
    assert difference({}, FULL) is None


def test_the_first_of_several_differences_is_named() -> None:
    """In a fixed order, not that of the record."""
    backwards = dict(reversed(OTHERWISE.items()))
    assert difference(FULL, backwards) == "model"
    assert difference(FULL, FULL | {"metadata": {}, "output_tokens": 6}) == "output_tokens"


def test_all_differences_are_given_with_both_values() -> None:
    """In the same order; the first of them is the one that a conflict names."""
    found = differences(read(**FULL), read(**OTHERWISE))
    assert [each.field for each in found] == [
        field for field in FULL if difference(FULL, FULL | {field: OTHERWISE[field]})
    ]
    assert found[0] == Difference("model", "m", "n")
    assert Difference("input_tokens", 100, 101) in found
    assert found[-1] == Difference("metadata", {"a": "b"}, {"a": "c"})


def test_copies_that_agree_have_no_differences() -> None:
    """What only one of them states is none."""
    assert differences(read(**FULL), read(**FULL)) == []
    assert differences(read(model="m"), read(**FULL)) == []


def test_a_batch_in_other_words_differs_as_such() -> None:
    """The tier that stands for a batch is compared with that field."""
    found = differences(read(service_tier="batch"), read(service_tier="flex"))
    assert found == [Difference("service_tier", None, "flex"), Difference("batch", True, False)]


@pytest.mark.parametrize(
    ("recorded", "resent"),
    [
        ({"reported_cost": "1"}, {"reported_cost": "2"}),
        ({"cost": "1"}, {}),
        ({"response_id": "a"}, {"response_id": "b"}),
        ({"unheard_of": 1}, {"unheard_of": 2}),
        ({"endpoint": "POST https://api.openai.com/"}, {"endpoint": "POST https://api.x.ai/"}),
        ({"created_at": "2026-10-01T00:00:00Z"}, {"created_at": "2026-10-02T00:00:00Z"}),
        ({"created_at": "2026-10-01T00:00:00Z"}, {"timestamp": "2026-10-02T00:00:00Z"}),
        ({"endpoint": "POST https://api.openai.com/"}, {"provider": "xai"}),  # derived
        ({}, {"provider_key_type": "byok"}),  # a default is not stated
    ],
)
def test_what_we_derive_and_what_they_report_is_never_compared(
    recorded: dict[str, Any], resent: dict[str, Any]
) -> None:
    """Two honest copies may differ in all of it."""
    assert difference(recorded, resent) is None


@pytest.mark.parametrize(
    ("recorded", "resent"),
    [
        ({"input_tokens": 5}, {"prompt_tokens": 5}),
        ({"input_tokens": 5, "output_tokens": 1}, {"usage": {"prompt_tokens": 5, "completion_tokens": 1}}),
        ({"provider_key_type": "unmanaged"}, {"provider_key_type": "stored"}),
        (  # a whole is compared as it was stated, wherever its parts are known
            {"output_tokens": 5},
            {"usage": {"completion_tokens": 5, "completion_tokens_details": {"reasoning_tokens": 3}}},
        ),
        (
            {"input_tokens": 33},
            {"usage": {"input_tokens": 3, "cache_read_input_tokens": 10, "cache_creation_input_tokens": 20}},
        ),
        ({"timestamp": "2026-10-01T00:00:00Z"}, {"occurred_at": "2026-10-01T02:00:00.0000001+02:00"}),
        ({"input_seconds": "1.5"}, {"input_seconds": 1.500000}),
        ({"service_tier": "standard"}, {"service_tier": "default"}),
        ({"service_tier": "batch"}, {"service_tier": "standard", "batch": True}),
        ({"service_tier": "auto"}, {"service_tier": "priority"}),  # left open, so not stated
        ({"metadata": {"a": "1", "b": "2"}}, {"metadata": {"b": "2", "a": "1"}}),
    ],
)  # fmt: skip
def test_the_same_in_other_words_is_the_same(
    recorded: dict[str, Any], resent: dict[str, Any]
) -> None:
    """Comparison comes after normalisation."""
    assert difference(recorded, resent) is None


@pytest.mark.parametrize("other", ["standard", "default"])
def test_a_tier_that_is_a_batch_differs_from_one_that_is_not(other: str) -> None:
    """Half the price and the whole price are no duplicates, whichever copy came first."""
    assert difference({"service_tier": "batch"}, {"service_tier": other}) is not None
    assert difference({"service_tier": other}, {"service_tier": "batch"}) is not None


def test_zero_is_a_statement() -> None:
    """`images: 0` against one image is a contradiction, no images against one is not."""
    assert difference({"images": 0}, {"images": 1}) == "images"
    assert difference({}, {"images": 1}) is None
    assert difference({"metadata": {}}, {"metadata": {"a": "b"}}) == "metadata"


def test_two_opaque_ids_under_one_key_are_told_apart() -> None:
    """127 bits of a digest may collide; the texts are compared on every hit."""
    recorded = read()
    key = RequestKey(recorded.key.bits, "another")
    resent = msgspec.structs.replace(recorded, request_id="another", key=key)
    error = first_difference(recorded, resent)
    assert error is not None
    assert (error.field, error.code) == ("request_id", "id_collision")
    assert differences(recorded, resent) == [Difference("request_id", "r1", "another")]
