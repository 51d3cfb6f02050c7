"""Instants and periods: RFC 3339 in, UTC inside, `Z` out."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.core.instants import (
    _RFC_3339,
    HOUR,
    format_instant,
    hour_of,
    month_of,
    month_period,
    parse_date,
    parse_instant,
    parse_instant_or_date,
    parse_month,
    split_at_hours,
)

NOON = datetime(2026, 10, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-10-01T12:00:00Z", NOON),
        ("2026-10-01t12:00:00z", NOON),  # RFC 3339 allows lower case
        ("2026-10-01 12:00:00Z", NOON),  # and a space
        ("2026-10-01T14:00:00+02:00", NOON),
        ("2026-10-01T12:00:00-00:00", NOON),
        ("2026-10-02T11:59:00+23:59", NOON),
        ("2026-10-01T12:00:00.5Z", NOON + timedelta(milliseconds=500)),
        ("2026-10-01T12:00:00.123456Z", NOON + timedelta(microseconds=123_456)),
        ("2026-10-01T12:00:00.1234567Z", NOON + timedelta(microseconds=123_456)),
        ("2026-10-01T12:00:00.9999999Z", NOON + timedelta(microseconds=999_999)),
        ("2026-10-01T12:00:00.0000009Z", NOON),
        (f"2026-10-01T12:00:00.{'9' * 40}Z", NOON + timedelta(microseconds=999_999)),
        ("2024-02-29T23:59:59Z", datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC)),
        ("9999-12-31T23:59:59Z", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
        ("0001-01-01T00:00:00-01:00", datetime(1, 1, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_time_with_offset_is_read_as_utc(text: str, instant: datetime) -> None:
    """Digits beyond microseconds are cut off, never rounded up."""
    assert parse_instant(text) == instant
    assert parse_instant(text).utcoffset() == timedelta(0)


@given(st.text("0123456789-W+T:.,Zz \u0662", min_size=19, max_size=28), st.integers(0, 26))
def test_usual_times_are_read_as_all_others(text: str, place: int) -> None:
    """The short way takes nothing that the pattern would not: it is tried on texts with the usual marks."""
    usual = "2026-11-19T12:00:00.123456Z"
    for changed in (
        text,
        usual[:place] + text[:1] + usual[place + 1 :],
        usual[:19] + text[:1] + "000Z",
    ):
        try:
            read = parse_instant(changed)
        except ValueError:
            continue
        assert _RFC_3339.fullmatch(changed)
        assert read == parse_instant(changed.replace("Z", "z"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-10-01",
        "2026-10-01T12:00:00",  # no offset
        "2026-10-01T12:00Z",
        "2026-10-01T12:00:00+0200",
        "2026-10-01T12:00:00+02",
        "2026-10-01T12:00:00 Z",
        "2026-10-01T12:00:00,5Z",
        "2026-10-01T12:00:00.Z",
        "20261001T120000Z",
        "2026-W40-4T12:00:00Z",
        "\u0662026-10-01T12:00:00Z",  # a digit of another script
        "2026-10-01T12:00:00Z\n",
    ],
)
def test_what_is_no_rfc_3339_time_is_refused_with_an_example(text: str) -> None:
    """The rule is in the message."""
    with pytest.raises(ValueError, match="RFC 3339 time with offset, such as"):
        parse_instant(text)


@pytest.mark.parametrize(
    "text",
    [
        "2026-02-29T12:00:00Z",
        "2026-13-01T12:00:00Z",
        "2026-10-01T24:00:00Z",
        "2026-12-31T23:59:60Z",  # a leap second
        "2026-10-01T12:00:00+24:00",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+01:00",  # before year 1 in UTC
        "9999-12-31T23:59:59-01:00",  # after year 9999 in UTC
    ],
)
def test_a_time_that_does_not_exist_is_refused(text: str) -> None:
    """Nothing is bent to the next possible instant."""
    with pytest.raises(ValueError, match="a time that exists, from year 1 to 9999"):
        parse_instant(text)


def test_a_bare_date_means_its_midnight_in_utc() -> None:
    """Where dates are allowed, times are too, and the refusal names both."""
    assert parse_instant_or_date("2026-10-01") == datetime(2026, 10, 1, tzinfo=UTC)
    assert parse_instant_or_date("2026-10-01T12:00:00Z") == NOON
    with pytest.raises(ValueError, match="or a date such as 2026-10-01"):
        parse_instant_or_date("October")
    with pytest.raises(ValueError, match="day is out of range"):
        parse_instant_or_date("2026-02-30")


def test_a_date_has_four_two_and_two_digits() -> None:
    """Nothing that Python would also take for a date."""
    assert parse_date("2026-10-01") == date(2026, 10, 1)
    for text in ("20261001", "2026-W40-4", "2026-10-1", ""):
        with pytest.raises(ValueError, match="a date such as"):
            parse_date(text)


@given(st.datetimes(timezones=st.timezones()))
def test_what_is_written_is_read_back(instant: datetime) -> None:
    """Every instant ends in Z and comes back to the microsecond."""
    try:
        instant = instant.astimezone(UTC)
    except OverflowError:
        return
    text = format_instant(instant)
    assert text.endswith("Z")
    assert parse_instant(text) == instant


def test_microseconds_are_written_only_where_there_are_some() -> None:
    """Other zones are brought to UTC first."""
    berlin = timezone(timedelta(hours=2))
    assert format_instant(datetime(2026, 10, 1, 14, tzinfo=berlin)) == "2026-10-01T12:00:00Z"
    assert format_instant(NOON.replace(microsecond=5)) == "2026-10-01T12:00:00.000005Z"


@pytest.mark.parametrize(
    ("month", "start", "end"),
    [
        ("2026-10", date(2026, 10, 1), date(2026, 11, 1)),
        ("2026-12", date(2026, 12, 1), date(2027, 1, 1)),  # the year's turn
        ("2024-02", date(2024, 2, 1), date(2024, 3, 1)),
    ],
)
def test_a_month_is_a_half_open_period(month: str, start: date, end: date) -> None:
    """From its first day to the first day of the next."""
    period = parse_month(month)
    assert (period.start, period.end) == (start, end)
    assert period.start_at == datetime(start.year, start.month, 1, tzinfo=UTC)
    assert period.end_at == datetime(end.year, end.month, 1, tzinfo=UTC)
    assert month_period(month_of(period.end_at - timedelta(microseconds=1))) == period


@pytest.mark.parametrize("text", ["2026-13", "2026-1", "2026", "2026-10-01", "0000-01", "9999-12"])
def test_what_is_no_month_is_refused(text: str) -> None:
    """9999-12 has no first instant after it."""
    with pytest.raises(ValueError, match="a month such as 2026-10"):
        parse_month(text)


@pytest.mark.parametrize(
    ("start", "end", "hours_from", "hours_to"),
    [
        ("10:00:00", "12:00:00", "10:00:00", "12:00:00"),
        ("10:00:00.000001", "12:00:00", "11:00:00", "12:00:00"),
        ("10:00:00", "12:00:00.000001", "10:00:00", "12:00:00"),
        ("09:59:59.999999", "12:30:00", "10:00:00", "12:00:00"),
        ("10:10:00", "11:00:00", "11:00:00", "11:00:00"),  # up to the hour, no whole one
        ("10:10:00", "10:20:00", "10:20:00", "10:20:00"),  # within one hour
    ],
)
def test_a_span_is_split_at_whole_hours(
    start: str, end: str, hours_from: str, hours_to: str
) -> None:
    """Rollups answer for the hours, the log for what sticks out, to the microsecond."""
    day = "2026-10-01T{}Z"
    span = split_at_hours(parse_instant(day.format(start)), parse_instant(day.format(end)))
    assert span.hours_from == parse_instant(day.format(hours_from))
    assert span.hours_to == parse_instant(day.format(hours_to))


@given(st.datetimes(), st.timedeltas(timedelta(microseconds=1), timedelta(days=40)))
def test_a_split_span_has_no_gap_and_no_overlap(start: datetime, length: timedelta) -> None:
    """Before, hours, after: each begins where the one before ends; hours are whole."""
    start_at = start.replace(year=2026, day=1, tzinfo=UTC)
    span = split_at_hours(start_at, start_at + length)
    assert span.start_at <= span.hours_from <= span.hours_to <= span.end_at
    assert (span.start_at, span.end_at) == (start_at, start_at + length)
    if span.hours_from < span.hours_to:
        assert hour_of(span.hours_from) == span.hours_from
        assert hour_of(span.hours_to) == span.hours_to
        assert span.hours_from - span.start_at < HOUR
        assert span.end_at - span.hours_to < HOUR
