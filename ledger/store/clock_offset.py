"""How far the database's clock is from ours. What is recorded has our time, for ever."""

from datetime import datetime

import msgspec


class ClockOffset(msgspec.Struct, frozen=True):
    """`ahead_s`: by how many seconds the database's clock is ahead of ours, give or take `within_s`."""

    ahead_s: float
    within_s: float

    @property
    def at_least_s(self) -> float:
        """How far apart the clocks are, whatever part of the round trip the question took."""
        return max(0.0, abs(self.ahead_s) - self.within_s)


def clock_offset(asked_at: datetime, answered_at: datetime, database_at: datetime) -> ClockOffset:
    """The offset by one question: the database looked at its clock some time between the two of ours."""
    half = (answered_at - asked_at) / 2
    ahead = database_at - (asked_at + half)
    return ClockOffset(ahead.total_seconds(), abs(half.total_seconds()))
