"""Points in the log as text: what is written is read again, and there is one way to write each."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.core.cuts import (
    AsOf,
    format_as_of,
    format_cut,
    is_reached,
    lanes_after,
    parse_as_of,
    parse_cut,
)

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)

cuts = st.dictionaries(st.integers(1, 1000), st.integers(1, 10**18 - 1), max_size=5)
instants = st.datetimes(timezones=st.just(UTC))


@given(cut=cuts)
def test_a_cut_is_read_as_it_was_written(cut: dict[int, int]) -> None:
    """Lanes in their order; the empty cut is the empty text."""
    assert parse_cut(format_cut(cut)) == cut


@given(at=instants, cut=cuts)
def test_an_as_of_is_read_as_it_was_written(at: datetime, cut: dict[int, int]) -> None:
    """Time and cut; written again it is the same text."""
    text = format_as_of(at, cut)
    assert parse_as_of(text) == AsOf(at, cut)
    assert format_as_of(at, parse_as_of(text).cut or {}) == text


@pytest.mark.parametrize(
    ("text", "point"),
    [
        ("2026-11-20", AsOf(NOON.replace(hour=0), None)),
        ("2026-11-20T12:00:00Z", AsOf(NOON, None)),
        ("2026-11-20T13:00:00+01:00", AsOf(NOON, None)),
        ("1-23", AsOf(None, {1: 23})),
        ("2-5.1-23", AsOf(None, {1: 23, 2: 5})),
        ("2026-11-20T12:00:00Z~", AsOf(NOON, {})),
        ("2026-11-20T12:00:00Z~1-23.2-5", AsOf(NOON, {1: 23, 2: 5})),
        ("2026-11-20~1-23", AsOf(NOON.replace(hour=0), {1: 23})),
    ],
)
def test_a_point_is_named_by_time_by_cut_or_by_both(text: str, point: AsOf) -> None:
    """`2026-11-20` is a date and no cut."""
    assert parse_as_of(text) == point


@pytest.mark.parametrize(
    "text",
    [
        "", "~", "~1-23", "now", "2026-11", "2026-13-01", "2026-11-20T12:00:00", "1-23.", ".1-23",
        "1-23,2-5", "1-23.1-24", "0-1", "1-0", "01-23", "1-023", "-1-23", "1--23", "1", "\u0661-\u0662",
        "1001-1", "1-1234567890123456789", "1-23\n", "2026-11-20T12:00:00Z~1-23~2-5",
        "2026-11-20T12:00:00Z~x", "2026-11-20T12:00:00Z~2026-11-20", "1-23\x00",
    ],
)  # fmt: skip
def test_anything_else_is_refused(text: str) -> None:
    """What could not have been written is not read: zeros first, lanes beyond 1000, months."""
    with pytest.raises(ValueError, match="must be a time, a date, a cut such as"):
        parse_as_of(text)


def test_a_cut_is_reached_when_every_batch_in_it_is_there() -> None:
    """Lanes that it does not name do not matter; lanes that the log does not have do."""
    last = {1: 23, 2: 5}
    assert is_reached({}, last)
    assert is_reached({1: 23}, last)
    assert is_reached({1: 1, 2: 5}, last)
    assert not is_reached({1: 24}, last)
    assert not is_reached({3: 1}, last)


def test_what_comes_after_a_cut_is_told_lane_by_lane() -> None:
    """A lane without anything later is left out; one that began later stood at 0."""
    last = {1: 23, 2: 5, 3: 1}
    assert lanes_after(last, last) == {}
    assert lanes_after({1: 20, 2: 5}, last) == {1: 20, 3: 0}
    assert lanes_after({}, last) == {1: 0, 2: 0, 3: 0}
