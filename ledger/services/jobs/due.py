"""What is due of a job, from the runs that are recorded."""

from collections.abc import Awaitable, Callable
from datetime import datetime

import msgspec

from ledger.core.schedule import Schedule, Slot, retry_at, slots_due
from ledger.store.database import Connection
from ledger.store.jobs import (
    Detail,
    JobRun,
    Outcome,
    read_done,
    read_last_attempt,
    read_last_due,
)


class Job(msgspec.Struct, frozen=True):
    """Work with a schedule. It may be done twice for a slot, and then changes nothing the second time."""

    name: str
    number: int  # of its lock; belongs to no other job, ever
    schedule: Schedule
    work: Callable[[Slot], Awaitable[Detail]]
    off_because: str | None = None  # why it is never due; somebody may still ask for it


class Due(msgspec.Struct, frozen=True):
    """The slots to do, in order, the last attempt at the first of them, and the last slot that was done."""

    slots: list[Slot]
    last: JobRun | None
    done_through: str | None = None

    def waits_until(self, now: datetime) -> datetime | None:
        """Until when the first slot waits to be tried again; None if it need not wait."""
        if self.last is None or self.last.ended_at is None or self.last.ended_at > now:
            return None  # in the last case a clock went back, maybe by far
        if self.last.outcome is Outcome.INTERRUPTED and self.last.attempt == 1:
            return None  # once is a restart; more often it may be the job that ends its worker
        again_at = retry_at(self.last.attempt, self.last.ended_at)
        return again_at if again_at > now else None


async def read_due(connection: Connection, job: Job, now: datetime) -> Due:
    """What is due of a job.

    What somebody had done out of turn is not done again, if it was due when it was begun.
    """
    if job.off_because is not None:
        return Due([], None)
    done_through = await read_last_due(connection, job.name)
    slots = slots_due(job.schedule, done_through, now)
    done = await read_done(connection, job.name, [slot.name for slot in slots])
    slots = [
        slot
        for slot in slots
        if slot.name not in done or done[slot.name] < job.schedule.due_at(slot)
    ]
    last = await read_last_attempt(connection, job.name, slots[0].name) if slots else None
    return Due(slots, last, done_through)
