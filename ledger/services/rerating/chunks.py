"""Re-rating chunk by chunk: each is one transaction, so a run that ends midway leaves whole chunks.

what stands ─▶ plan ─▶ fence ─▶ post ─▶ commit
    ▲            ▲       │ the configuration moved: reload, plan again
    │            └───────┘
    └── a revision is recorded already: somebody was faster, read the chunk again
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from ledger.clock import Clock
from ledger.core.adjustments import Standing, reversal
from ledger.core.configuration import Configuration
from ledger.core.errors import DatabaseUnavailable
from ledger.core.events import usage_event
from ledger.core.instants import format_instant
from ledger.core.rating import RatedStatement
from ledger.core.rerating import Differences, Plan, left_out, plan_rerating
from ledger.core.rows import UsageEvent
from ledger.services.posting import Posting, post
from ledger.store.configuration import load_configuration
from ledger.store.database import Connection
from ledger.store.failures import DataRefused, KeyTaken, MetOtherWriter, sorted_failures
from ledger.store.interning import Interned
from ledger.store.log import Decision, Lane, enter_fence, take_lane
from ledger.store.rerating import Reach, read_chunk_again

CHUNK_REQUESTS = 2000
MAX_ATTEMPTS = 20


class Order(msgspec.Struct, frozen=True):
    """Who has which requests rated again and why.

    `job` is `rerate` for what somebody asked for, `unrated` for what had no price.
    """

    actor: str
    job: str
    reach: Reach
    reason: str | None = None


class ChunkWriter:
    """A connection with a lane, in which chunks are rated again."""

    def __init__(
        self, connection: Connection, clock: Clock, lane: Lane, configuration: Configuration
    ) -> None:
        self._connection = connection
        self._clock = clock
        self._lane = lane
        self._interned = Interned()
        self._touched: set[Any] = set()
        self.configuration = configuration

    @classmethod
    async def open(cls, connection: Connection, clock: Clock) -> "ChunkWriter":
        """Take a lane for as long as the connection's session lives, and read the configuration."""
        lane = await take_lane(connection)
        return cls(connection, clock, lane, await load_configuration(connection))

    async def reload(self) -> None:
        """Read the configuration anew; what was touched in another epoch is to be marked again."""
        self.configuration = await load_configuration(self._connection)
        self._touched = set()

    async def write(self, chunk: Sequence[Standing], order: Order) -> Differences:
        """Rate a chunk again and record it, where it cannot be stored in ever smaller halves.

        Gives what it changed. What was adjusted meanwhile is looked at as it stands then.

        Raises:
            DatabaseUnavailable: too many others write the same requests; whole chunks are recorded.
        """
        try:
            return await self._write_whole(chunk, order)
        except DataRefused:
            if len(chunk) == 1:
                return left_out(chunk[0])
        middle = len(chunk) // 2
        differences = await self.write(chunk[:middle], order)
        differences.add(await self.write(chunk[middle:], order))
        return differences

    async def _write_whole(self, chunk: Sequence[Standing], order: Order) -> Differences:
        attempts = 0
        while attempts < MAX_ATTEMPTS:
            plan = plan_rerating(chunk, self.configuration.book)
            if not plan.changes:
                return plan.differences
            try:
                with sorted_failures():
                    if await self._commit(plan, order):
                        return plan.differences
                await self.reload()  # somebody decided something; that is no failed attempt
            except KeyTaken:
                attempts += 1
                keys = [(each.event.request_id, each.event.customer) for each in chunk]
                chunk = await read_chunk_again(self._connection, order.reach, keys)
            except MetOtherWriter:
                attempts += 1
        raise DatabaseUnavailable("the requests are adjusted by too many at once; run it again")

    async def _commit(self, plan: Plan, order: Order) -> bool:
        """Record a plan; False when the configuration that it was made with is not in force any more.

        That nobody was faster need not be looked up: the next revision of a request can be written once.
        """
        connection = self._connection
        # In a transaction of its own and before the fence, as everywhere.
        await self._interned.learn_dimensions(
            connection, (rated.dimension for _, rated in plan.changes)
        )
        await self._interned.learn_words(
            connection, {standing.event.customer for standing, _ in plan.changes}, ()
        )
        async with connection.transaction():
            if await enter_fence(connection) != self.configuration.epoch:
                return False
            posting = self._posting(plan, order)
            posted = await post(
                connection, self._lane, posting, self.configuration, self._interned, self._touched
            )
        self._lane = posted.lane
        self._touched |= posted.newly_touched
        return True

    def _posting(self, plan: Plan, order: Order) -> Posting:
        return Posting(
            recorded_at=self._lane.next_recorded_at(self._clock.now()),
            events=[
                event for standing, rated in plan.changes for event in self._events(standing, rated)
            ],
            decisions=_decisions(plan, order, self._interned.customer_words),
            actor=order.actor,
            reason=order.reason,
        )

    def _events(self, standing: Standing, rated: RatedStatement) -> tuple[UsageEvent, UsageEvent]:
        """The negation of what stands, and what it says by the new prices."""
        lane, batch = self._lane.lane, self._lane.next_batch
        event = standing.event
        dimension = self._interned.dimensions[rated.dimension]
        replacement = usage_event(
            rated, event.customer, dimension, lane, batch, revision=event.revision + 2
        )
        return (
            reversal(event, lane, batch),
            replacement._replace(reported_cost=event.reported_cost),
        )


def _decisions(
    plan: Plan, order: Order, customer_words: Mapping[int, Sequence[Any]]
) -> list[Decision]:
    """What a batch of re-rated requests follows from: one decision for each customer in it."""
    versions: dict[int, Counter[str]] = {}
    for standing, rated in plan.changes:
        version = f"{rated.dimension.provider}/{rated.rate_version}"
        versions.setdefault(standing.event.customer, Counter())[version] += 1
    start, end = format_instant(order.reach.start_at), format_instant(order.reach.end_at)
    said = {"job": order.job, "from": start, "to": end, "models": list(order.reach.models or ())}
    return [
        Decision(
            "usage_rerated",
            customer,
            f"{start}/{end}",
            {
                **said,
                "customer_id": customer_words[customer][0],
                "rate_versions": sorted(versions[customer]),
                "events": versions[customer].total(),
            },
        )
        for customer in sorted(versions)
    ]
