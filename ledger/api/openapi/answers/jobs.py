"""Jobs and their runs."""

from typing import Any, Literal

from msgspec import Struct

from ledger.core.shapes import Instant


class JobRunAnswer(Struct):
    """One attempt of a job at a slot; `detail` has counts and names, or what failed."""

    slot: str
    attempt: int
    worker: str
    started_at: Instant
    ended_at: Instant | None
    outcome: Literal["running", "done", "failed", "interrupted"]
    by_hand: bool
    detail: dict[str, Any]


class JobAnswer(Struct):
    """A job: its last run, and what comes next. `lag_s` is for how long that has been due."""

    name: str
    schedule: str
    off_because: str | None
    last_run: JobRunAnswer | None
    slots_due: int
    next_slot: str | None
    next_at: Instant | None
    attempts: int
    lag_s: int


class JobsAnswer(Struct):
    """All jobs."""

    data: list[JobAnswer]
