"""Plain records are read to the statement that reading in full gives, or left to that."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.core.plain_records import PlainRecord, read_plain
from ledger.core.reading import read_fully
from ledger.core.records import RequestRecord
from ledger.core.statements import Statement

RECEIVED = datetime(2026, 11, 20, 12, tzinfo=UTC)
PLAIN = {
    "request_id": "req_01K7QJT2YSVV0YR2NPK4Z2GRXQ",
    "customer_id": "acme",
    "model": "accounts/fireworks/models/llama-v3p3-70b-instruct",
    "provider": "fireworks",
    "provider_key_type": "byok",
    "timestamp": "2026-11-19T12:00:00.123456789Z",
    "input_tokens": 845,
    "output_tokens": 412,
    "cached_input_tokens": 845,
    "meter_slug": "standard",
    "response_id": "cmpl-1",
    "metadata": {"feature": "chat"},
}

words = st.sampled_from(["acme", "byok", "managed", "req_01K7QJT2YSVV0YR2NPK4Z2GRXQ", "\x00", ""])
times = st.sampled_from(
    ["2026-11-19T12:00:00Z", "2026-11-19t12:00:00.5+02:00", "1969-12-31T23:59:59Z",
     "2026-11-21T12:00:00Z", "2026-11-21T12:00:00.000001Z", "2026-02-30T00:00:00Z", "today"]
)  # fmt: skip
counts = st.integers(-1, 3) | st.sampled_from([10**12, 10**12 + 1, 1.0, True, "1"])
values: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(PLAIN, words | st.none() | st.text(max_size=3)),
    **dict.fromkeys(("input_tokens", "output_tokens", "cached_input_tokens"), counts | st.none()),
    "timestamp": times | st.none(),
    "metadata": st.none() | st.dictionaries(words, words, max_size=2),
    "anything": counts,
}


@given(st.fixed_dictionaries({}, optional=values), st.sampled_from([None, "acme", "globex"]))
def test_both_ways_read_the_same(changes: dict[str, Any], bound_to: str | None) -> None:
    """Whatever stands in a plain record's fields, and whoever may be spoken for."""
    raw = json.dumps(PLAIN | changes).encode()
    read = read_plain(raw, RECEIVED, bound_to)
    if read is not None:
        assert read == read_fully(raw, RECEIVED, bound_to)
        assert type(read.stated) is int


def test_what_states_nothing_says_so_by_a_number() -> None:
    """The digest of a batch writes it out, and `verify` reads it back from the row."""
    read = read_plain(b'{"request_id": "a", "customer_id": "acme"}', RECEIVED, None)
    assert read is not None
    assert (read.stated, type(read.stated)) == (0, int)


@pytest.mark.parametrize("left_out", [None, *sorted(PLAIN.keys() - {"request_id", "customer_id"})])
def test_what_most_senders_send_is_plain(left_out: str | None) -> None:
    """All of its fields at once, or with any one of them missing but the cached part's whole."""
    fields = {name: value for name, value in PLAIN.items() if name != left_out}
    if left_out == "input_tokens":
        del fields["cached_input_tokens"]
    read = read_plain(json.dumps(fields).encode(), RECEIVED, None)
    assert isinstance(read, Statement)
    assert read == read_fully(json.dumps(fields).encode(), RECEIVED, None)


@pytest.mark.parametrize(
    "changes",
    [
        {"usage": {"prompt_tokens": 1}},
        {"status": "pending"},
        {"cached_input_tokens": 846},
        {"metadata": {str(number): "x" for number in range(101)}},
        {"response_id": "a\x00b"},
        {"response_id": "a" * 1_048_576},
        {"timestamp": "2026-11-21T12:00:01Z"},
        {"timestamp": "1969-12-31T23:59:59Z"},
        {"timestamp": "yesterday"},
        {"customer_id": None},
        {"request_id": "\ud800"},
        {"model": ""},
    ],
)
def test_what_is_more_or_faulty_is_left_to_reading_in_full(changes: dict[str, Any]) -> None:
    """Each for a reason of its own."""
    assert read_plain(json.dumps(PLAIN | changes).encode(), RECEIVED, None) is None


@pytest.mark.parametrize("raw", [b"", b"{", b"[" * 100_000, b"\xff", b"null"])
def test_what_is_no_json_object_is_too(raw: bytes) -> None:
    """The reader in full says what is wrong."""
    assert read_plain(raw, RECEIVED, None) is None


def test_a_sender_who_may_speak_for_one_customer_alone_is_held_to_it() -> None:
    """And a record that names nobody is its customer's, which the reader in full says."""
    raw = json.dumps(PLAIN).encode()
    assert read_plain(raw, RECEIVED, "globex") is None
    read = read_plain(raw, RECEIVED, "acme")
    assert read is not None
    assert read.is_bound


def test_the_fields_are_declared_as_in_the_whole_record() -> None:
    """Else the two could disagree about what is a fault."""
    whole, plain = RequestRecord.__annotations__, PlainRecord.__annotations__
    assert {name: whole[name] for name in plain} == plain | {"customer_id": whole["customer_id"]}
