"""Which slots are due: by what was done and what time it is, nothing else."""

from datetime import UTC, datetime, timedelta

import pytest

from ledger.core.instants import HOUR
from ledger.core.schedule import (
    MINUTE,
    Cadence,
    Schedule,
    latest_over,
    named_slot,
    next_slot,
    retry_at,
    slot_at,
    slots_due,
)

DAYS = Schedule(Cadence.DAY, HOUR, catches_up=True, most_missed=31)
MONTHS = Schedule(Cadence.MONTH, 24 * HOUR, catches_up=True)
LATEST = Schedule(Cadence.HOUR)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def due(schedule: Schedule, done_through: str | None, now: str) -> list[str]:
    return [slot.name for slot in slots_due(schedule, done_through, at(now))]


@pytest.mark.parametrize(
    ("cadence", "instant", "name", "end"),
    [
        (Cadence.HOUR, "2026-11-20T07:59:59.999999", "2026-11-20T07", "2026-11-20T08:00"),
        (Cadence.HOUR, "2026-12-31T23:00", "2026-12-31T23", "2027-01-01"),
        (Cadence.DAY, "2028-02-29T12:00", "2028-02-29", "2028-03-01"),
        (Cadence.DAY, "2027-02-28T12:00", "2027-02-28", "2027-03-01"),
        (Cadence.MONTH, "2028-02-29T12:00", "2028-02", "2028-03-01"),
        (Cadence.MONTH, "2026-12-01T00:00", "2026-12", "2027-01-01"),
        (Cadence.MONTH, "2026-10-31T23:59", "2026-10", "2026-11-01"),
    ],
)
def test_a_slot_is_a_period_under_its_name(
    cadence: Cadence, instant: str, name: str, end: str
) -> None:
    """Of an instant and of its name it is the same."""
    slot = slot_at(cadence, at(instant))
    assert (slot.name, slot.end_at) == (name, at(end))
    assert slot.start_at <= at(instant) < slot.end_at
    assert named_slot(cadence, name) == slot


@pytest.mark.parametrize(
    ("cadence", "name"),
    [
        (Cadence.HOUR, "2026-11-20"),
        (Cadence.HOUR, "2026-11-20T24"),
        (Cadence.DAY, "2027-02-29"),
        (Cadence.DAY, "20261120"),
        (Cadence.DAY, "2026-W47-5"),
        (Cadence.DAY, "9999-12-31"),
        (Cadence.MONTH, "9999-12"),
        (Cadence.MONTH, "2026-13"),
        (Cadence.MONTH, ""),
        (Cadence.MONTH, "2026-11-20"),
        (Cadence.MONTH, "２０２６-11"),  # noqa: RUF001 - digits that are no ASCII
    ],
)
def test_a_name_of_nothing_is_refused(cadence: Cadence, name: str) -> None:
    """With the rule and an example."""
    with pytest.raises(ValueError, match=f"must be a {cadence} such as 2026-11"):
        named_slot(cadence, name)


def test_a_slot_is_due_once_the_delay_after_its_end_has_passed() -> None:
    """To the microsecond, at the turn of a day and of a month."""
    assert due(DAYS, "2026-11-18", "2026-11-20T00:59:59.999999") == []
    assert due(DAYS, "2026-11-18", "2026-11-20T01:00:00") == ["2026-11-19"]
    assert due(MONTHS, "2026-09", "2026-11-01T23:59:59") == []
    assert due(MONTHS, "2026-09", "2026-11-02T00:00:00") == ["2026-10"]
    assert DAYS.due_at(slot_at(Cadence.DAY, at("2026-11-19"))) == at("2026-11-20T01:00")


def test_a_leap_day_is_a_day() -> None:
    """And its month is over when March begins."""
    assert due(DAYS, "2028-02-27", "2028-03-01T01:00:00") == ["2028-02-28", "2028-02-29"]
    assert due(DAYS, "2027-02-27", "2027-03-02T01:00:00") == ["2027-02-28", "2027-03-01"]
    assert due(Schedule(Cadence.MONTH), "2028-01", "2028-03-01T00:00:00") == ["2028-02"]
    assert due(Schedule(Cadence.MONTH), "2028-01", "2028-02-29T23:59:59") == []


def test_after_an_outage_what_was_missed_is_due() -> None:
    """In order, over the turn of a month; of more than the bound the newest; or the latest alone."""
    week = [f"2026-10-{day}" for day in (29, 30, 31)] + [f"2026-11-0{day}" for day in range(1, 5)]
    assert due(DAYS, "2026-10-28", "2026-11-05T08:00:00") == week
    assert due(DAYS, "2026-01-01", "2026-11-05T08:00:00")[0] == "2026-10-05"
    assert len(due(DAYS, "2026-01-01", "2026-11-05T08:00:00")) == 31
    assert due(MONTHS, "2026-10", "2027-02-03T00:00:00") == ["2026-11", "2026-12", "2027-01"]
    assert due(LATEST, "2026-11-04T08", "2026-11-05T08:10:00") == ["2026-11-05T07"]


def test_the_first_time_only_the_latest_is_due() -> None:
    """Nobody said from when on a new ledger should have run its jobs."""
    assert due(MONTHS, None, "2026-11-20T12:00:00") == ["2026-10"]
    assert due(DAYS, None, "2026-11-20T12:00:00") == ["2026-11-19"]
    assert due(LATEST, None, "2026-11-20T12:00:00") == ["2026-11-20T11"]


def test_a_clock_that_went_back_makes_nothing_due() -> None:
    """What it says is over was done; and when it has caught up, all goes on."""
    assert due(LATEST, "2026-11-20T11", "2026-11-20T11:30:00") == []
    assert due(DAYS, "2026-11-19", "2026-11-12T12:00:00") == []
    assert due(LATEST, "2026-11-20T11", "2026-11-20T13:00:00") == ["2026-11-20T12"]


def test_what_comes_next_is_after_what_was_done() -> None:
    """The period that the clock is in, or the one after the last that was done if it went back."""
    assert next_slot(DAYS, None, at("2026-11-20T12:00")).name == "2026-11-20"
    assert next_slot(DAYS, "2026-11-19", at("2026-11-20T12:00")).name == "2026-11-20"
    assert next_slot(DAYS, "2026-11-18", at("2026-11-20T00:30")).name == "2026-11-19"
    assert next_slot(DAYS, "2026-11-30", at("2026-11-20T12:00")).name == "2026-12-01"
    assert latest_over(Cadence.MONTH, at("2026-11-01T00:00")).name == "2026-10"


def test_pauses_between_attempts_double_up_to_an_hour() -> None:
    """One minute after the first; a thousand failures are no other than seven."""
    pauses = [retry_at(attempt, at("2026-11-20")) - at("2026-11-20") for attempt in range(1, 9)]
    assert [pause / MINUTE for pause in pauses] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert retry_at(1000, at("2026-11-20")) == at("2026-11-20T01:00")


def test_a_schedule_says_itself_in_words() -> None:
    """Cadence, delay, and what becomes of missed periods."""
    assert DAYS.in_words() == "each day, 1 h after its end, up to 31 missed ones"
    assert Schedule(Cadence.MONTH, timedelta(hours=24)).in_words() == (
        "each month, 24 h after its end, only the latest"
    )
    assert LATEST.in_words() == "each hour, only the latest"
