"""What hiding secrets does to any text at all, and what it costs."""

import json
import re
import time
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ledger.core.secrets import hide_secrets_in_bytes

SLOWEST_S = 10  # a tenth of a second to one; it would be far more if it grew with the square

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["key", "a_tokens", "x", "Secret"]), inner, max_size=3)
    ),
    max_leaves=8,
)


fragments = st.lists(
    st.sampled_from(
        [
            *('"', "\\", ":", ",", "[", "]", "{", "}", " ", "1", "true", "abc", "\\u006b", "\\u2026", '\\"'),
            *('"key"', '"tokens"', '"a"', 'Key"', '"12"', '"a text"', "lk_", "lk_0123456789_" + "B" * 43),
            *("B" * 43, "…", " (5 characters)", "\x00", "\u00df"),
        ]
    ),
    max_size=14,
).map("".join)  # fmt: skip


def texts_in(value: Any, *, is_secret: bool = False) -> list[tuple[str, bool]]:
    """Every text of a JSON value, and whether it stands under a secret's name."""
    if isinstance(value, str):
        return [(value, is_secret)]
    if isinstance(value, list):
        return [text for each in value for text in texts_in(each, is_secret=is_secret)]
    if isinstance(value, dict):
        return [
            text
            for name, each in value.items()
            for text in texts_in(each, is_secret=is_secret or name != "x")
        ]
    return []


def without_texts(value: Any) -> Any:
    """The same value without its texts."""
    if isinstance(value, dict):
        return {name: without_texts(each) for name, each in value.items()}
    if isinstance(value, list):
        return [without_texts(each) for each in value if not isinstance(each, str)]
    return None if isinstance(value, str) else value


@given(value=json_values, ascii_only=st.booleans())
@example(value={"key": ["", []]}, ascii_only=False)
def test_only_what_is_secret_is_replaced(*, value: Any, ascii_only: bool) -> None:
    """What comes out is JSON: all texts under secrets' names are hints or counts, all else is as it was."""
    raw = json.dumps(value, ensure_ascii=ascii_only).encode()
    kept = json.loads(hide_secrets_in_bytes(raw))

    assert without_texts(kept) == without_texts(value)
    for text, is_secret in texts_in(kept):
        assert not is_secret or re.search(r"… \(\d+ characters|^-?[\d.]+$", text)
    assert [text for text, is_secret in texts_in(kept) if not is_secret] == [
        text for text, is_secret in texts_in(value) if not is_secret
    ]


@given(json_values.map(json.dumps) | fragments, st.integers(0, 200))
@example('{"key": "\u00df\\u20ac\\\\"… a longer secret"}', 0)
@example('{"key": [abc, "def"', 0)
@example("lk_0123456789_" + "B" * 43 + 'Key":abc', 0)
def test_what_is_hidden_stays_as_it_is(text: str, cut: int) -> None:
    """A record that was kept and is sent again says of its secrets what it said, JSON or not."""
    for raw in (text.encode(), text.encode()[:cut]):
        kept = hide_secrets_in_bytes(raw)
        assert hide_secrets_in_bytes(kept) == kept


@pytest.mark.parametrize(
    ("begin", "repeated", "most_bytes"),
    [
        (b'{"key":[', b'"a",', 60),
        (b'{"key":[', b'1,"a",', 2_100_000),
        (b'{"key":{', b'"a":"b",', 2_100_000),
        (b"{", b'"key":"",', 2_100_000),
        (b"", b'{"key":', 1_100_000),
        (b'{"key":[', b"1,", 1_100_000),
        (b'{"key":[', b" ", 1_100_000),
        (b'{"key":"', b'\\"', 60),
        (b'{"key":', b'\\\\"', 1_100_000),
        (b'key"', b" ", 1_100_000),
        (b"", b"lk_", 1_100_000),
        (b'{"key":"', b"\\u0061", 60),
        (b'{"key":{"a" ', b'"key":{"a" ', 2_100_000),
    ],
)  # fmt: skip
def test_a_megabyte_of_secrets_is_no_work_for_long(
    begin: bytes, repeated: bytes, most_bytes: int
) -> None:
    """Whatever it is made of; and what is kept of it is hardly longer, since many hints are short ones."""
    raw = begin + repeated * (1024 * 1024 // len(repeated))
    began = time.perf_counter()
    kept = hide_secrets_in_bytes(raw)
    assert time.perf_counter() - began < SLOWEST_S
    assert len(kept) <= most_bytes
    assert hide_secrets_in_bytes(kept) == kept
