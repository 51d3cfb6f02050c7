"""When jobs are due: by periods that are over, not by ticks of a clock.

A slot is a period in UTC that a job runs for. Its name sorts as the period does, so that the last one that
was done says what is still to do:

    done through 2026-11-17 ─▶ 2026-11-18, 2026-11-19 are due once they are over and the delay has passed
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import msgspec

from ledger.core.instants import HOUR, hour_of, next_month_start

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
_MOMENT = timedelta(microseconds=1)
_LONGEST_PAUSE = HOUR
_DOUBLINGS = 6  # one minute doubled so often is more than the longest pause


class Cadence(StrEnum):
    """How long the periods are."""

    HOUR = "hour"
    DAY = "day"
    MONTH = "month"


class Slot(msgspec.Struct, frozen=True):
    """A half-open period `[start_at, end_at)` in UTC under its name."""

    name: str
    start_at: datetime
    end_at: datetime


class Schedule(msgspec.Struct, frozen=True):
    """One slot for each period, due when the delay after its end has passed.

    A job that catches up does the slots that it missed, oldest first, the newest `most_missed` of them at
    most. Any other does the latest alone.
    """

    cadence: Cadence
    delay: timedelta = timedelta(0)
    catches_up: bool = False
    most_missed: int = 1000

    def due_at(self, slot: Slot) -> datetime:
        """From when on a slot is due."""
        return slot.end_at + self.delay

    def in_words(self) -> str:
        """The schedule for people."""
        missed = f"up to {self.most_missed} missed ones" if self.catches_up else "only the latest"
        delay = f", {self.delay // HOUR} h after its end" if self.delay else ""
        return f"each {self.cadence}{delay}, {missed}"


def slots_due(schedule: Schedule, done_through: str | None, now: datetime) -> list[Slot]:
    """The slots to do, in order, given the name of the last one done; None where none was.

    The first time it is the latest alone. A clock that went back behind what is done finds none.
    """
    slot = latest_over(schedule.cadence, now - schedule.delay)
    if done_through is None:
        return [slot]
    most = schedule.most_missed if schedule.catches_up else 1
    found: list[Slot] = []
    while slot.name > done_through and len(found) < most:
        found.append(slot)
        slot = latest_over(schedule.cadence, slot.start_at)
    return found[::-1]


def next_slot(schedule: Schedule, done_through: str | None, now: datetime) -> Slot:
    """The slot that comes due next where none is due."""
    slot = slot_at(schedule.cadence, now - schedule.delay)
    if done_through is None or slot.name > done_through:
        return slot
    return slot_at(schedule.cadence, named_slot(schedule.cadence, done_through).end_at)


def latest_over(cadence: Cadence, now: datetime) -> Slot:
    """The slot that ended last."""
    start_of, _, _ = _PERIODS[cadence]
    return slot_at(cadence, start_of(now) - _MOMENT)


def slot_at(cadence: Cadence, instant: datetime) -> Slot:
    """The slot that an instant lies in."""
    start_of, end_of, length = _PERIODS[cadence]
    start_at = start_of(instant)
    return Slot(start_at.isoformat()[:length], start_at, end_of(start_at))


def named_slot(cadence: Cadence, name: str) -> Slot:
    """The slot of a name.

    Raises:
        ValueError: there is none; says how one looks.
    """
    example = _EXAMPLE[: _PERIODS[cadence][2]]
    try:
        instant = datetime.fromisoformat(name + _EXAMPLE[len(example) :]).replace(tzinfo=UTC)
        slot = slot_at(cadence, instant)
    except (ValueError, OverflowError):
        slot = None
    if slot is None or slot.name != name:
        raise ValueError(f"must be a {cadence} such as {example}")
    return slot


def retry_at(attempt: int, ended_at: datetime) -> datetime:
    """When to try again what failed: after a minute, then twice as long each time, an hour at most."""
    return ended_at + min(MINUTE * (1 << min(attempt - 1, _DOUBLINGS)), _LONGEST_PAUSE)


def _start_of_day(instant: datetime) -> datetime:
    return hour_of(instant).replace(hour=0)


def _start_of_month(instant: datetime) -> datetime:
    return _start_of_day(instant).replace(day=1)


def _end_of_hour(start_at: datetime) -> datetime:
    return start_at + HOUR


def _end_of_day(start_at: datetime) -> datetime:
    return start_at + DAY


def _end_of_month(start_at: datetime) -> datetime:
    return next_month_start(start_at + _MOMENT)


_EXAMPLE = "2026-11-01T00:00:00"
_Step = Callable[[datetime], datetime]
# Where a period begins and ends, and how much of the time of its beginning is its name.
_PERIODS: dict[Cadence, tuple[_Step, _Step, int]] = {
    Cadence.HOUR: (hour_of, _end_of_hour, len("2026-11-01T00")),
    Cadence.DAY: (_start_of_day, _end_of_day, len("2026-11-01")),
    Cadence.MONTH: (_start_of_month, _end_of_month, len("2026-11")),
}
