"""Replaying: refused records go through the same door once more, after what was wrong has been mended.

A record that is recorded by then, or was before, leaves quarantine; one that is refused again stays, with
the reason of today. What was recorded and could not be taken out in time is a duplicate the next time.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import Any

import msgspec

from ledger.core.errors import FieldError
from ledger.core.keys import Sender
from ledger.core.refused import Reason, quarantine_id, reason_for
from ledger.services.intake.intake import Intake
from ledger.services.intake.outcomes import Outcome, Verdict, rejected
from ledger.services.quarantine import keys_of
from ledger.store.database import Database
from ledger.store.quarantine import (
    Kept,
    QuarantineFilter,
    find_keys,
    read_refused,
    settle_replayed,
)

RECORDS_PER_STEP = 200
MAX_LISTED = 1000
NOT_WHOLE = FieldError(
    None,
    "not_whole",
    "is not kept whole (beyond 64 KiB, or a secret in a field that is recorded); "
    "its sender must send it again",
)

Progress = Callable[[int, int], None]  # how many of how many are done


class Replayed(msgspec.Struct):
    """The counters of a batch, and what became of the first thousand: read = the sum of the next four."""

    read: int = 0
    accepted: int = 0
    duplicates: int = 0
    conflicts: int = 0
    rejected: int = 0
    unrated: int = 0
    records: list[dict[str, Any]] = []

    def count(self, row: Kept, outcome: Outcome, kept_as: str | None) -> None:
        """Count what became of a record; `kept_as` is the id under which it stays."""
        name = _COUNTERS[outcome.verdict]
        setattr(self, name, getattr(self, name) + 1)
        self.read += 1
        self.unrated += outcome.is_unrated
        if len(self.records) < MAX_LISTED:
            self.records.append(_record_body(row, outcome, kept_as))


async def replay(
    database: Database,
    intake: Intake,
    wanted: QuarantineFilter,
    quarantine_ids: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> Replayed:
    """Send refused records again as their senders sent them: some by their ids, or all that are wanted.

    Those that came first go first. A record that states no time happened when it was first seen.

    Raises:
        NotFound: an id that is not there, or not of the customer in `wanted`.
        TooBusy, DatabaseUnavailable: what was replayed before that is; do it again.
    """
    async with database.connection() as connection:
        if quarantine_ids is None:
            keys = await find_keys(connection, wanted)
        else:
            keys = await keys_of(connection, quarantine_ids, wanted.customer)
    replayed = Replayed(records=[])
    for start in range(0, len(keys), RECORDS_PER_STEP):
        step = keys[start : start + RECORDS_PER_STEP]
        async with database.connection() as connection:
            rows = await read_refused(connection, step)
        await _replay_step(database, intake, rows, replayed)
        if progress is not None:
            progress(start + len(step), len(keys))
    return replayed


async def _replay_step(
    database: Database, intake: Intake, rows: Sequence[Kept], replayed: Replayed
) -> None:
    outcomes = [pair async for pair in _taken(intake, rows)]
    gone = [row for row, outcome in outcomes if not outcome.errors]
    again = [
        (row, _reason_of(outcome))
        for row, outcome in outcomes
        if outcome.errors and row["is_whole"]
    ]
    async with database.connection() as connection:
        await settle_replayed(connection, gone, again)
    for row, outcome in outcomes:
        replayed.count(row, outcome, _kept_as(row, outcome))


async def _taken(intake: Intake, rows: Iterable[Kept]) -> Any:
    """What becomes of records, in their order; those of one sender that follow each other go together."""
    for (sender, is_whole), several in groupby(
        rows, key=lambda row: (_sender(row), row["is_whole"])
    ):
        group = list(several)
        outcomes = [rejected(NOT_WHOLE)] * len(group)
        if is_whole:
            raws = [row["record"] for row in group]
            seen_at = [row["first_seen_at"] for row in group]
            outcomes = (await intake.take(raws, sender, first_seen_at=seen_at)).outcomes
        for pair in zip(group, outcomes, strict=True):
            yield pair


def _sender(row: Kept) -> Sender:
    return Sender(row["sender"], row["customer"], row["bound_to"])


def _reason_of(outcome: Outcome) -> Reason:
    return reason_for(outcome.errors, conflict=outcome.verdict is Verdict.CONFLICT)


def _kept_as(row: Kept, outcome: Outcome) -> str | None:
    if not outcome.errors:
        return None
    if not row["is_whole"]:
        name: str = row["quarantine_id"]
        return name
    return quarantine_id(row["sender"], outcome.errors[0].code, row["digest"])


def _record_body(row: Kept, outcome: Outcome, kept_as: str | None) -> dict[str, Any]:
    fault = outcome.errors[0] if outcome.errors else None
    return {
        "quarantine_id": row["quarantine_id"],
        "request_id": row["request_id"],
        "customer_id": row["customer_id"],
        "outcome": outcome.verdict.value,
        "unrated": outcome.is_unrated,
        "code": fault and fault.code,
        "field": fault and fault.field,
        "detail": fault and fault.detail,
        "kept_as": kept_as,
    }


_COUNTERS = {
    Verdict.ACCEPTED: "accepted",
    Verdict.DUPLICATE: "duplicates",
    Verdict.CONFLICT: "conflicts",
    Verdict.REJECTED: "rejected",
}
