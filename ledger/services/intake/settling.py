"""Settling a batch against what is recorded: new, the same, or a contradiction."""

from collections.abc import Mapping

from ledger.core.comparison import first_difference
from ledger.core.statements import Stated, Statement, Status
from ledger.services.intake.outcomes import DUPLICATE, Outcome, Verdict, conflict, rejected
from ledger.services.intake.planning import Candidate, Faulty, Plan
from ledger.store.events import Comparable, EventKey, Recorded, comparable

_METADATA = Stated.METADATA.value  # not in the row


def settle_regular(plan: Plan, recorded: Mapping[EventKey, Comparable]) -> list[int]:
    """Decide on regular records whose keys are recorded; give the places of those that need a closer look.

    One whose row says what the first row under its key says is a duplicate of that.
    """
    regular, unlike = plan.regular, set()
    for index, event in zip(regular.indexes, regular.events, strict=True):
        first = recorded.get((event.request_id, event.customer))
        if first is not None and (first != comparable(event) or event.stated & _METADATA):
            unlike.add(index)
        elif first is not None:
            plan.outcomes[index] = DUPLICATE
    regular.set_aside(lambda event: (event.request_id, event.customer) in recorded)
    return sorted(unlike)


def settle(plan: Plan, recorded: Mapping[EventKey, Recorded]) -> list[Candidate]:
    """Decide on all that is not regular against what is recorded; give what is to be written."""
    standing = {each.key: each.rated.statement for each in plan.candidates if each.rated.is_metered}
    standing.update((key, entry.statement) for key, entry in recorded.items() if entry.statement)
    new = []
    for candidate in plan.candidates:
        entry = recorded.get(candidate.key)
        if entry is None or (candidate.rated.is_metered and entry.statement is None):
            new.append(candidate)
            completes = candidate.completes or entry is not None
            plan.outcomes[candidate.index] = Outcome(
                Verdict.ACCEPTED, candidate.rated, completes=completes
            )
        else:
            plan.outcomes[candidate.index] = _compared(
                candidate.rated.statement, standing.get(candidate.key)
            )
    for faulty in plan.faulty:
        plan.outcomes[faulty.index] = _settled_faulty(faulty, recorded.get(faulty.key))
    faults = {faulty.key: faulty.fault for faulty in plan.faulty}
    seen = {each.key for each in plan.candidates} | recorded.keys()
    for index, key, statement in plan.repeats:
        repeats_sighting = statement.status is not Status.COMPLETED and key in seen
        if key not in standing and key in faults and not repeats_sighting:
            plan.outcomes[index] = rejected(faults[key])
        else:
            plan.outcomes[index] = _compared(statement, standing.get(key))
    return new


def _settled_faulty(faulty: Faulty, entry: Recorded | None) -> Outcome:
    """A resend of what is recorded is that, whatever would be said to it today; else the fault counts."""
    if entry is None or (entry.statement is None and faulty.statement.status is Status.COMPLETED):
        return rejected(faulty.fault)
    return _compared(faulty.statement, entry.statement)


def _compared(resent: Statement, recorded: Statement | None) -> Outcome:
    """A resend: the same, or a conflict. A sighting after the first adds nothing, whatever it says."""
    if recorded is None or resent.status is not Status.COMPLETED:
        return DUPLICATE
    difference = first_difference(recorded, resent)
    return DUPLICATE if difference is None else conflict(difference)
