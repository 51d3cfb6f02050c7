"""Writing a batch: what is new of it becomes events, in one transaction with all that follows from them."""

from collections.abc import Sequence
from datetime import datetime
from operator import itemgetter

from ledger.core.events import event_text, usage_event
from ledger.core.rows import EventText, UsageEvent
from ledger.randomness import Salts
from ledger.services.intake.knowledge import Knowledge
from ledger.services.intake.planning import Candidate, Plan
from ledger.services.posting import Posted, Posting, post
from ledger.store.database import Connection
from ledger.store.log import Lane
from ledger.traces.spans import traced

_ID = itemgetter(UsageEvent._fields.index("request_id"))
_KEY = itemgetter(*map(UsageEvent._fields.index, ("request_id", "customer")))


@traced("intake write")
async def write_batch(
    connection: Connection,
    lane: Lane,
    plan: Plan,
    new: Sequence[Candidate],
    knowledge: Knowledge,
    recorded_at: datetime,
    salts: Salts,
) -> Posted:
    """Write what is new: the regular records of a settled plan, and `new` of the others.

    In the caller's transaction, and in the order of keys: two writers that COPY the same keys in other orders
    would wait for each other.

    Raises:
        KeyTaken (as `sorted_failures` calls it): a key was recorded meanwhile.
    """
    texts = list(plan.regular.texts)
    events = [*plan.regular.events, *(_event(each, lane, knowledge, salts, texts) for each in new)]
    _sort(events)
    posting = Posting(recorded_at, events, texts)
    return await post(
        connection, lane, posting, knowledge.configuration, knowledge.interned, knowledge.touched
    )


def _sort(events: list[UsageEvent]) -> None:
    """Sort by key; by the id alone, at a third of the cost, where no two customers have the same."""
    is_unique = len(set(map(_ID, events))) == len(events)
    events.sort(key=_ID if is_unique else _KEY)


def _event(
    new: Candidate, lane: Lane, knowledge: Knowledge, salts: Salts, texts: list[EventText]
) -> UsageEvent:
    digest = None
    if worded := event_text(new.rated.statement, new.customer, salts):
        text, digest = worded
        texts.append(text)
    dimension = knowledge.interned.dimensions[new.rated.dimension]
    return usage_event(new.rated, new.customer, dimension, lane.lane, lane.next_batch, digest)
