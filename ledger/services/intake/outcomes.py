"""What became of a record, and the counters over many."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any

import msgspec

from ledger.core.errors import FieldError
from ledger.core.rating import RatedStatement
from ledger.core.statements import Refusal, Statement

MAX_PROBLEMS = 1000

Report = Callable[[dict[str, Any]], None]


class Verdict(StrEnum):
    """The four ends of a record."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    REJECTED = "rejected"


class Outcome(msgspec.Struct, frozen=True):
    """What became of one record; `errors` when it was refused.

    `rated` is there when it was accepted and somebody asked, or it has no price.
    """

    verdict: Verdict
    rated: RatedStatement | None = None
    errors: tuple[FieldError, ...] = ()
    completes: bool = False  # it was seen before as pending or error

    @property
    def is_unrated(self) -> bool:
        """Whether it was accepted without a price."""
        return self.rated is not None and self.rated.is_unrated


# Of most records nothing more is asked than that.
ACCEPTED = Outcome(Verdict.ACCEPTED)
DUPLICATE = Outcome(Verdict.DUPLICATE)


def are_all_accepted(outcomes: Sequence[Outcome]) -> bool:
    """Whether all of them are just `ACCEPTED`, as most batches are; asked without a look at each."""
    return outcomes.count(ACCEPTED) == len(outcomes)


def rejected(*errors: FieldError) -> Outcome:
    """The outcome of a record with faults."""
    return Outcome(Verdict.REJECTED, errors=errors)


def conflict(error: FieldError) -> Outcome:
    """The outcome of a record that contradicts what is recorded."""
    return Outcome(Verdict.CONFLICT, errors=(error,))


class Counters(msgspec.Struct):
    """The batch counters that the interface fixes: read = accepted + duplicates + conflicts + rejected."""

    read: int = 0
    accepted: int = 0
    duplicates: int = 0
    conflicts: int = 0
    rejected: int = 0
    unrated: int = 0
    problems: list[dict[str, Any]] = []

    def count(
        self,
        records: Sequence[Statement | Refusal],
        outcomes: Sequence[Outcome],
        report: Report | None = None,
    ) -> None:
        """Count the outcomes of records, in the order in which they were read.

        `problems` keeps the first thousand; `report` is told all of them.
        """
        if are_all_accepted(outcomes):
            self.accepted += len(outcomes)
            self.read += len(outcomes)
            return
        for record, outcome in zip(records, outcomes, strict=True):
            match outcome.verdict:
                case Verdict.ACCEPTED:
                    self.accepted += 1
                    if outcome.is_unrated:
                        self.unrated += 1
                        self._add_problem(record, "unrated", _UNRATED, report)
                case Verdict.DUPLICATE:
                    self.duplicates += 1
                case Verdict.CONFLICT:
                    self.conflicts += 1
                    self._add_problem(record, "conflict", outcome.errors[0], report)
                case Verdict.REJECTED:
                    self.rejected += 1
                    self._add_problem(record, "rejected", outcome.errors[0], report)
            self.read += 1

    def add(self, other: "Counters") -> None:
        """Add the counters of what was read after this."""
        for problem in other.problems[: MAX_PROBLEMS - len(self.problems)]:
            self.problems.append({**problem, "index": self.read + problem["index"]})
        for name in ("read", "accepted", "duplicates", "conflicts", "rejected", "unrated"):
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def _add_problem(
        self,
        record: Statement | Refusal,
        outcome: str,
        error: FieldError,
        report: Report | None,
    ) -> None:
        problem = {
            "index": self.read,
            "request_id": record.request_id,
            "outcome": outcome,
            "code": error.code,
            "field": error.field,
            "detail": error.detail,
        }
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(problem)
        if report is not None:
            report(problem)


_UNRATED = FieldError(
    "model", "unrated", "no rate in force prices all of its quantities; counted at 0 until one does"
)
