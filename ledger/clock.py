"""The only place that reads the clock."""

import time
from datetime import UTC, datetime
from typing import Protocol

# Seconds that only go forward, from any beginning: for how long something took, never for when it was.
stopwatch_s = time.perf_counter


class Clock(Protocol):
    """Tells the present instant in UTC."""

    def now(self) -> datetime:
        """The present instant."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present instant in UTC."""
        return datetime.now(UTC)


class FixedClock:
    """A clock that stands still until it is set; for tests and for repeating a run."""

    def __init__(self, instant: datetime) -> None:
        self.instant = instant

    def now(self) -> datetime:
        """The instant it was set to."""
        return self.instant
