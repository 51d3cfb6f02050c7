"""One batch: planned in memory, settled against what is recorded, committed in one transaction."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from operator import attrgetter

import msgspec

from ledger.core.comparison import first_difference
from ledger.core.configuration import Configuration
from ledger.core.errors import FieldError
from ledger.core.events import event_text, usage_event
from ledger.core.known_terms import rate_by_known_terms
from ledger.core.rating import RatedStatement
from ledger.core.statements import Statement, Status
from ledger.randomness import Salts
from ledger.services.intake.outcomes import DUPLICATE, Outcome, Verdict, conflict, rejected
from ledger.services.posting import Posted, Posting, post
from ledger.store.database import Connection
from ledger.store.events import EventKey, Recorded
from ledger.store.interning import Interned
from ledger.store.log import Lane
from ledger.traces.spans import traced

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


class Knowledge(msgspec.Struct):
    """What a writer knows beforehand: decisions, numbers, and the months marked since the epoch began."""

    configuration: Configuration
    interned: Interned
    touched: set[tuple[int, date]]


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
        rated = rate_by_known_terms(statement, customer, configuration)
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
    seen = {each.key for each in plan.candidates} | recorded.keys()
    for index, key, statement in plan.repeats:
        repeats_sighting = statement.status is not Status.COMPLETED and key in seen
        if key not in standing and key in faults and not repeats_sighting:
            plan.outcomes[index] = rejected(faults[key])
        else:
            plan.outcomes[index] = _compared(statement, standing.get(key))
    return sorted(new, key=attrgetter("key"))


@traced("intake write")
async def write_batch(
    connection: Connection,
    lane: Lane,
    new: Sequence[Candidate],
    knowledge: Knowledge,
    recorded_at: datetime,
    salts: Salts,
) -> Posted:
    """Write what is new, in the caller's transaction.

    Raises:
        KeyTaken (as `sorted_failures` calls it): a key was recorded meanwhile.
    """
    dimensions = knowledge.interned.dimensions
    events, texts = [], []
    for each in new:
        digest = None
        if worded := event_text(each.rated.statement, each.customer, salts):
            text, digest = worded
            texts.append(text)
        dimension = dimensions[each.rated.dimension]
        events.append(
            usage_event(each.rated, each.customer, dimension, lane.lane, lane.next_batch, digest)
        )
    spent = (
        (each.customer, each.rated.statement.occurred_at, each.rated.spend_pico)
        for each in new
        if each.rated.is_metered
    )
    posting = Posting(recorded_at, events, texts, spent)
    return await post(
        connection, lane, posting, knowledge.configuration, knowledge.interned, knowledge.touched
    )


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
