"""One batch: planned in memory, settled against what is recorded, committed in one transaction."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from operator import attrgetter

import msgspec

from ledger.core.comparison import first_difference
from ledger.core.configuration import Configuration
from ledger.core.errors import FieldError
from ledger.core.events import RatedStatement, rate_statement, usage_event
from ledger.core.limits import crossing_alerts, movements
from ledger.core.rollups import fold_events
from ledger.core.statements import Statement, Status
from ledger.services.intake.outcomes import DUPLICATE, Outcome, Verdict, conflict, rejected
from ledger.services.limits import alert_body
from ledger.store.database import Connection
from ledger.store.events import EventKey, Recorded, append_events
from ledger.store.interning import Interned
from ledger.store.limits import move_windows, post_messages, raise_alerts
from ledger.store.log import Decision, append_batch
from ledger.store.rollups import add_to_rollups, touch_periods

UNKNOWN_CUSTOMER = FieldError(
    "customer_id",
    "unknown_customer",
    "must be a known customer; this ledger does not create them on use",
)
TOO_MANY_DIMENSIONS = FieldError(
    "model",
    "too_many_dimensions",
    "must be one of those in use; the ledger takes no further combinations",
)


class Candidate(msgspec.Struct, frozen=True):
    """A record that is written unless its key is recorded already. `index` is its place in the batch."""

    index: int
    customer: int
    rated: RatedStatement
    completes: bool

    @property
    def key(self) -> EventKey:
        """What it is recorded under."""
        return self.rated.statement.key.bits, self.customer


class Faulty(msgspec.Struct, frozen=True):
    """A record that cannot be written as things stand now. It may be a resend of one that is recorded."""

    index: int
    key: EventKey
    statement: Statement
    fault: FieldError


class Plan(msgspec.Struct):
    """A batch in memory: its outcomes so far, what may be written, what may not, and repeats within it."""

    outcomes: list[Outcome]
    candidates: list[Candidate]
    faulty: list[Faulty]
    repeats: list[tuple[int, EventKey, Statement]]

    @property
    def keys_to_look_up(self) -> list[EventKey]:
        """Keys that must be looked up in any case, because COPY would not meet them.

        A late `pending` does not collide with its completion, and what is faulty is not copied.
        """
        unmetered = [each.key for each in self.candidates if not each.rated.is_metered]
        return unmetered + [each.key for each in self.faulty]


def plan_batch(
    statements: Sequence[Statement], customers: Mapping[str, int], configuration: Configuration
) -> Plan:
    """Rate every record; tell repeats within the batch apart. The first of a key stands, in array order."""
    plan = Plan([DUPLICATE] * len(statements), [], [], [])
    completed: set[EventKey] = set()
    sighted: set[EventKey] = set()
    for index, statement in enumerate(statements):
        customer = customers.get(statement.customer_id)
        if customer is None:
            plan.outcomes[index] = rejected(UNKNOWN_CUSTOMER)
            continue
        key = (statement.key.bits, customer)
        is_metered = statement.status is Status.COMPLETED
        if key in completed or (not is_metered and key in sighted):
            plan.repeats.append((index, key, statement))
            continue
        rated = rate_statement(statement, customer, configuration)
        if isinstance(rated, FieldError):
            plan.faulty.append(Faulty(index, key, statement, rated))
            continue
        plan.candidates.append(Candidate(index, customer, rated, completes=key in sighted))
        (completed if is_metered else sighted).add(key)
    return plan


def set_unknown_dimensions_aside(plan: Plan, interned: Interned) -> None:
    """Keep what has a dimension; what would need a new one is faulty."""
    for each in plan.candidates:
        if each.rated.dimension not in interned.dimensions:
            statement = each.rated.statement
            plan.faulty.append(Faulty(each.index, each.key, statement, TOO_MANY_DIMENSIONS))
    plan.candidates = [
        each for each in plan.candidates if each.rated.dimension in interned.dimensions
    ]


def settle(plan: Plan, recorded: Mapping[EventKey, Recorded]) -> list[Candidate]:
    """Decide every outcome against what is recorded; give what is to be written, in the order of keys.

    Two writers that COPY the same keys in other orders would wait for each other.
    """
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
    for index, key, statement in plan.repeats:
        if key not in standing and key in faults:
            plan.outcomes[index] = rejected(faults[key])
        else:
            plan.outcomes[index] = _compared(statement, standing.get(key))
    return sorted(new, key=attrgetter("key"))


async def write_batch(
    connection: Connection,
    new: Sequence[Candidate],
    interned: Interned,
    configuration: Configuration,
    position: tuple[int, int],
    recorded_at: datetime,
    touched: set[tuple[int, date]],
) -> set[tuple[int, date]]:
    """Write events, rollups, limits and the batch row, in this order, in the caller's transaction.

    `position` is (lane, batch); `touched` the months marked since the epoch began. Gives the months that
    this batch marks.

    Raises:
        KeyTaken (as `sorted_failures` calls it): a key was recorded meanwhile.
    """
    lane, batch = position
    events = [
        usage_event(
            each.rated, each.customer, interned.dimensions[each.rated.dimension], lane, batch
        )
        for each in new
    ]
    await append_events(connection, events, (each.rated.statement for each in new))
    delta = fold_events(events)
    await add_to_rollups(connection, delta)
    newly_touched = delta.touched_months - touched
    await touch_periods(connection, newly_touched, configuration.epoch)
    decisions = await _move_limits(connection, new, configuration, recorded_at)
    await append_batch(
        connection, lane, batch, recorded_at, events=len(events), decisions=decisions
    )
    return newly_touched


async def _move_limits(
    connection: Connection,
    new: Iterable[Candidate],
    configuration: Configuration,
    raised_at: datetime,
) -> list[Decision]:
    """Move the windows of limits and raise what is crossed, exactly once."""
    if not configuration.limits:
        return []
    moves = movements(
        (
            (each.customer, each.rated.statement.occurred_at, each.rated.spend_pico)
            for each in new
            if each.rated.is_metered
        ),
        configuration.limits,
    )
    if not moves:
        return []
    after = await move_windows(connection, moves)
    crossing = [
        alert
        for move, after_pico in zip(moves, after, strict=True)
        for alert in crossing_alerts(move, after_pico, raised_at)
    ]
    raised = await raise_alerts(connection, crossing)
    names = {each.customer: each.rated.statement.customer_id for each in new} if raised else {}
    messages = [
        (alert.limit.customer, alert.alert_id, alert_body(alert, names[alert.limit.customer]))
        for alert in raised
    ]
    await post_messages(connection, "alert", messages, raised_at)
    return [Decision("alert_raised", *message) for message in messages]


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
