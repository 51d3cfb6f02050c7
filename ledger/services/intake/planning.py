"""A batch in memory: regular records as rows, all others rated one by one, repeats told apart."""

from collections.abc import Iterable, Sequence

import msgspec

from ledger.core.errors import FieldError
from ledger.core.rating import RatedStatement, rate_statement
from ledger.core.regular_events import Split
from ledger.core.statements import Statement, Status
from ledger.services.intake.knowledge import Knowledge
from ledger.services.intake.outcomes import ACCEPTED, Outcome, rejected
from ledger.store.events import EventKey
from ledger.store.interning import Interned

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
    """A batch in memory: its outcomes so far, the rows of regular records, and what there is of all others.

    Those may be written, may not, or repeat another one within the batch.
    """

    outcomes: list[Outcome]
    regular: Split
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


def plan_batch(statements: Sequence[Statement], regular: Split, knowledge: Knowledge) -> Plan:
    """Rate every record that is not regular."""
    plan = Plan([ACCEPTED] * len(statements), regular, [], [], [])
    plan_others(plan, statements, regular.others, knowledge)
    return plan


def plan_others(
    plan: Plan, statements: Sequence[Statement], places: Iterable[int], knowledge: Knowledge
) -> None:
    """Rate the records at some places of a batch, and tell repeats apart.

    The first of a key stands, in array order. None at another place has the key of one of them.
    """
    completed: set[EventKey] = set()
    sighted: set[EventKey] = set()
    for index in places:
        statement = statements[index]
        customer = knowledge.interned.customers.get(statement.customer_id)
        if customer is None:
            plan.outcomes[index] = rejected(UNKNOWN_CUSTOMER)
            continue
        key = (statement.key.bits, customer)
        is_metered = statement.status is Status.COMPLETED
        if key in completed or (not is_metered and key in sighted):
            plan.repeats.append((index, key, statement))
            continue
        rated = rate_statement(statement, customer, knowledge.configuration)
        if isinstance(rated, FieldError):
            plan.faulty.append(Faulty(index, key, statement, rated))
            continue
        plan.candidates.append(Candidate(index, customer, rated, completes=key in sighted))
        (completed if is_metered else sighted).add(key)


def set_unknown_dimensions_aside(plan: Plan, interned: Interned) -> None:
    """Keep what has a dimension; what would need a new one is faulty."""
    for each in plan.candidates:
        if each.rated.dimension not in interned.dimensions:
            statement = each.rated.statement
            plan.faulty.append(Faulty(each.index, each.key, statement, TOO_MANY_DIMENSIONS))
    plan.candidates = [
        each for each in plan.candidates if each.rated.dimension in interned.dimensions
    ]
