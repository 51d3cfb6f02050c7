"""Adjusting recorded requests: voids and corrections, appended like everything else.

what stands ─▶ its negation, its replacement ─▶ fence ─▶ post ─▶ commit
    ▲                                             │ somebody was faster, or the configuration moved
    └─────────────────────────────────────────────┘
"""

from typing import Any

import msgspec

from ledger.clock import Clock
from ledger.core.adjustments import VOID, Adjustment, Standing, corrected, reversal
from ledger.core.configuration import Configuration
from ledger.core.errors import (
    Conflict,
    DatabaseUnavailable,
    FieldError,
    InvalidRecord,
    NotFound,
    UnprocessableDecision,
)
from ledger.core.events import usage_event
from ledger.core.rating import RatedStatement
from ledger.core.rows import UsageEvent
from ledger.services.posting import Posting, post
from ledger.services.targets import Target, find_target
from ledger.store.adjustments import (
    Adjusted,
    lock_request,
    read_adjustment,
    read_standing,
)
from ledger.store.configuration import load_configuration
from ledger.store.database import Connection, Database
from ledger.store.failures import DataRefused, KeyTaken, MetOtherWriter, sorted_failures
from ledger.store.interning import Interned
from ledger.store.log import Decision, Lane, enter_fence, take_lane

MAX_ATTEMPTS = 20


class Change(msgspec.Struct, frozen=True):
    """What an adjustment appends: a reversal and maybe a replacement; neither if nothing changes."""

    standing: Standing
    replacement: RatedStatement | None
    has_effect: bool


async def adjust_request(
    database: Database, clock: Clock, actor: str, request_id: str, adjustment: Adjustment
) -> bool:
    """Void or correct a request; spend, limits and what is due move in the same transaction.

    Safe to repeat under the same idempotency key. Gives whether this call recorded it.

    Raises:
        NotFound: no such request, or not of that customer.
        AmbiguousRequestId: several customers have it and none is named.
        Conflict: the idempotency key was used for something else (`idempotency_key_reused`).
        UnprocessableDecision: the request has not completed (`unmetered`), or a correction after a void
            (`voided`).
        InvalidRecord: quantities that cannot be together, or cost more than an amount can hold.
        DatabaseUnavailable: nothing was recorded, or nothing is known to be.
    """
    async with database.connection() as connection:
        target = await find_target(connection, request_id, adjustment.customer_id)
        adjuster = _Adjuster(connection, clock, actor, await take_lane(connection))
        for _ in range(MAX_ATTEMPTS):
            # What stands is read before the key: whoever used the key for what stands now is found then.
            standing = await read_standing(connection, target.key, target.customer)
            recorded = await read_adjustment(
                connection, target.customer, adjustment.idempotency_key
            )
            if recorded is not None:
                _require_same(recorded, adjustment, target)
                return False
            if standing is None:
                raise NotFound(f"no request {request_id!r}")
            try:
                with sorted_failures():
                    if await adjuster.attempt(target, standing, adjustment):
                        return True
            except (KeyTaken, MetOtherWriter):
                continue
            except DataRefused as failure:
                raise UnprocessableDecision(
                    f"the adjustment cannot be stored ({failure}): too many revisions, or a number too large",
                    code="refused_by_database",
                ) from failure
    raise DatabaseUnavailable("the request is adjusted by too many at once; try again")


class _Adjuster:
    """A connection with a lane, on which attempts are made."""

    def __init__(self, connection: Connection, clock: Clock, actor: str, lane: Lane) -> None:
        self._connection = connection
        self._clock = clock
        self._actor = actor
        self._lane = lane
        self._interned = Interned()

    async def attempt(self, target: Target, standing: Standing, adjustment: Adjustment) -> bool:
        """Make the adjustment from what stands; False when that or the configuration moved meanwhile.

        Raises:
            KeyTaken (as `sorted_failures` calls it): another adjustment was faster.
        """
        connection = self._connection
        # Read after what stands: a table that priced that is in it.
        configuration = await load_configuration(connection)
        change = _change(standing, adjustment, configuration)
        if change.replacement is not None:
            # In a transaction of its own and before the fence, as everywhere.
            await self._interned.learn_dimensions(connection, [change.replacement.dimension])
        async with connection.transaction():
            if await enter_fence(connection) != configuration.epoch:
                return False
            await lock_request(connection, target.key)
            if await read_standing(connection, target.key, target.customer) != standing:
                return False  # another adjustment was faster
            posting = self._posting(target, adjustment, change)
            await post(connection, self._lane, posting, configuration, self._interned)
        return True

    def _posting(self, target: Target, adjustment: Adjustment, change: Change) -> Posting:
        events = self._events(change)
        return Posting(
            recorded_at=self._lane.next_recorded_at(self._clock.now()),
            events=events,
            decisions=[
                Decision(
                    "request_adjusted",
                    target.customer,
                    target.request_id,
                    {
                        **_content(adjustment, target),
                        "revisions": [each.revision for each in events],
                    },
                )
            ],
            actor=self._actor,
            reason=adjustment.reason,
        )

    def _events(self, change: Change) -> list[UsageEvent]:
        if not change.has_effect:
            return []
        lane, batch = self._lane.lane, self._lane.next_batch
        standing = change.standing.event
        events = [reversal(standing, lane, batch)]
        if change.replacement is not None:
            dimension = self._interned.dimensions[change.replacement.dimension]
            events.append(
                usage_event(
                    change.replacement,
                    standing.customer,
                    dimension,
                    lane,
                    batch,
                    revision=standing.revision + 2,
                )._replace(reported_cost=standing.reported_cost)
            )
        return events


def _change(standing: Standing, adjustment: Adjustment, configuration: Configuration) -> Change:
    """What an adjustment does to what stands."""
    if standing.event.revision == 0:
        raise UnprocessableDecision(
            "the request has not completed: it counts nothing, so there is nothing to adjust",
            code="unmetered",
        )
    if adjustment.kind == VOID:
        return Change(standing, None, has_effect=not standing.is_voided)
    if standing.is_voided:
        raise UnprocessableDecision(
            "the request is voided and stays so; send it again under another id", code="voided"
        )
    replacement = corrected(standing, adjustment.quantities, configuration.book)
    if isinstance(replacement, FieldError):
        raise InvalidRecord([replacement])
    return Change(standing, replacement, has_effect=replacement is not None)


def _content(adjustment: Adjustment, target: Target) -> dict[str, Any]:
    """What an adjustment says, as its decision keeps it."""
    quantities = msgspec.structs.asdict(adjustment.quantities)
    return {
        "idempotency_key": adjustment.idempotency_key,
        "kind": adjustment.kind,
        "request_id": target.request_id,
        "quantities": {name: value for name, value in quantities.items() if value is not None},
    }


def _require_same(recorded: Adjusted, adjustment: Adjustment, target: Target) -> None:
    """The same key again must say the same again."""
    said = {**_content(adjustment, target), "reason": adjustment.reason}
    before = {**recorded.body, "reason": recorded.reason}
    for name, value in said.items():
        if before[name] != value:
            raise Conflict(
                f"the idempotency key was used for an adjustment that differs in its {name}",
                code="idempotency_key_reused",
            )
