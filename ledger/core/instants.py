"""Instants and periods: RFC 3339 in, UTC inside, `Z` out. Periods are half-open."""

import re
from datetime import UTC, date, datetime, time, timedelta

import msgspec

HOUR = timedelta(hours=1)
# No request was made before; and the window of a limit that never ends begins here.
FIRST_INSTANT = datetime(1970, 1, 1, tzinfo=UTC)
# How far ahead of us the clock of whoever saw a request may be.
MAX_AHEAD = timedelta(hours=24)
# RFC 3339 section 5.6; a leap second (:60) is left to fail in the conversion.
_RFC_3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII
)
# As nearly all are written: to the second, the millisecond or the microsecond, in UTC. To look at every third
# character takes a third of the time of the pattern.
_USUAL_LENGTHS = frozenset(
    map(len, ("2026-10-01T12:00:00Z", "2026-10-01T12:00:00.000Z", "2026-10-01T12:00:00.000000Z"))
)
_USUAL_MARKS = ("--T::Z", "--T::.")
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_MONTH = re.compile(r"\d{4}-\d\d", re.ASCII)


def parse_instant(text: str) -> datetime:
    """Read an RFC 3339 time with offset as UTC; digits beyond microseconds are cut off.

    Raises:
        ValueError: not of that form, or no such instant.
    """
    if len(text) in _USUAL_LENGTHS and text[4:20:3] in _USUAL_MARKS and text[-1] == "Z":
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            pass  # it is said below what is wrong
    if not _RFC_3339.fullmatch(text):
        raise ValueError("must be an RFC 3339 time with offset, such as 2026-10-01T12:00:00Z")
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("must be a time that exists, from year 1 to 9999") from None


def parse_instant_or_date(text: str) -> datetime:
    """Like `parse_instant`, but a bare date means its midnight in UTC."""
    if _DATE.fullmatch(text):
        return datetime.combine(parse_date(text), time.min, UTC)
    try:
        return parse_instant(text)
    except ValueError as error:
        raise ValueError(f"{error}, or a date such as 2026-10-01") from None


def parse_date(text: str) -> date:
    """Read `2026-10-01`."""
    if not _DATE.fullmatch(text):
        raise ValueError("must be a date such as 2026-10-01")
    return date.fromisoformat(text)


def format_instant(instant: datetime) -> str:
    """Write an instant in UTC with `Z`, with microseconds only where there are some."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def hour_of(instant: datetime) -> datetime:
    """The start of the hour that an instant lies in."""
    return instant.replace(minute=0, second=0, microsecond=0)


def next_month_start(instant: datetime) -> datetime:
    """The first instant of a month, in UTC, that is not before an instant."""
    start = instant.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    if start == instant:
        return start
    return (start + timedelta(days=32)).replace(day=1)


class Period(msgspec.Struct, frozen=True):
    """A half-open billing period `[start, end)` of whole UTC days."""

    start: date
    end: date

    @property
    def start_at(self) -> datetime:
        """The first instant of the period."""
        return datetime.combine(self.start, time.min, UTC)

    @property
    def end_at(self) -> datetime:
        """The first instant after the period."""
        return datetime.combine(self.end, time.min, UTC)


def month_of(instant: datetime) -> date:
    """The first day of the UTC month that an instant lies in."""
    return date(instant.year, instant.month, 1)


def month_period(month: date) -> Period:
    """The billing period that begins on the first day of a month."""
    return Period(month, date(month.year + month.month // 12, month.month % 12 + 1, 1))


def parse_month(text: str) -> Period:
    """Read `2026-10` as a billing period.

    Raises:
        ValueError: not a month.
    """
    try:
        return month_period(parse_date(f"{text}-01" if _MONTH.fullmatch(text) else ""))
    except ValueError:
        raise ValueError("must be a month such as 2026-10") from None


class Span(msgspec.Struct, frozen=True):
    """A half-open stretch of time, split at whole hours for reading rollups.

    `hours_from` to `hours_to` are whole hours; what lies before or after is read from the log.
    """

    start_at: datetime
    hours_from: datetime
    hours_to: datetime
    end_at: datetime


def split_at_hours(start_at: datetime, end_at: datetime) -> Span:
    """Split `[start_at, end_at)` into whole hours and what sticks out on either side."""
    first = hour_of(start_at)
    hours_from = first if first == start_at else first + HOUR
    hours_to = hour_of(end_at)
    if hours_from > hours_to:  # both ends lie within one hour
        return Span(start_at, end_at, end_at, end_at)
    return Span(start_at, hours_from, hours_to, end_at)
