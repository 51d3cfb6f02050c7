"""The committer: a connection that holds a lane, and everything it must know to commit a batch.

plan ─▶ fence ─▶ (probe) ─▶ COPY, rollups, limits ─▶ commit
 ▲        │ the configuration moved: reload, plan again; when that goes on, with the fence held throughout
 └────────┘ a key is recorded already: probe first from now on
"""

from collections import Counter
from collections.abc import Callable, Sequence

from ledger.clock import Clock
from ledger.core.configuration import Configuration
from ledger.core.errors import DatabaseUnavailable, FieldError, TooManyDimensions
from ledger.core.statements import Statement
from ledger.metrics.intake import IntakeMetrics
from ledger.randomness import Salts
from ledger.services.intake.batch import write_batch
from ledger.services.intake.counting import Laps, count_committed
from ledger.services.intake.knowledge import Knowledge
from ledger.services.intake.outcomes import Outcome, Verdict, rejected
from ledger.services.intake.planning import (
    Plan,
    plan_batch,
    plan_others,
    set_unknown_dimensions_aside,
)
from ledger.services.intake.settling import settle, settle_regular
from ledger.store.configuration import load_configuration
from ledger.store.database import Connection, Database
from ledger.store.events import EventKey, Recorded, read_first_rows, read_recorded, read_sighted
from ledger.store.failures import DataRefused, KeyTaken, MetOtherWriter, sorted_failures
from ledger.store.interning import Interned
from ledger.store.log import Lane, enter_fence, fence_held, take_lane
from ledger.store.our_words import in_our_words
from ledger.traces.spans import count, traced

CLEAN_BATCHES_BEFORE_TRUST = 20  # how long it probes first after it has met a duplicate
MAX_ATTEMPTS = 20
MOVES_BEFORE_HOLDING = 3  # how often a batch is planned in vain before it keeps decisions waiting
CLOSE_TIMEOUT_S = 2


class ConfigurationMoved(Exception):
    """Inside the fence there is a newer configuration than the batch was planned with."""


class Committer:
    """Commits batches in one lane. A failed connection ends it; `open` makes another."""

    def __init__(
        self,
        connection: Connection,
        lane: Lane,
        configuration: Configuration,
        clock: Clock,
        salts: Salts,
        metrics: IntakeMetrics,
        failures: Counter[str],
        *,
        create_customers: bool,
    ) -> None:
        self._connection = connection
        self._lane = lane
        self._knowledge = Knowledge(configuration, Interned())
        self._clock = clock
        self._salts = salts
        self._metrics = metrics
        self._failures = failures
        self._create_customers = create_customers
        self._probes_left = 0

    @classmethod
    async def open(
        cls,
        database: Database,
        clock: Clock,
        salts: Salts,
        metrics: IntakeMetrics,
        *,
        create_customers: bool,
    ) -> "Committer":
        """Connect, take a lane and read the configuration.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        connection = await database.connect()
        try:
            async with in_our_words(database.failures):
                lane = await take_lane(connection)
                configuration = await load_configuration(connection)
        except BaseException:
            connection.terminate()
            raise
        return cls(
            connection,
            lane,
            configuration,
            clock,
            salts,
            metrics,
            database.failures,
            create_customers=create_customers,
        )

    @property
    def is_alive(self) -> bool:
        """Whether the session lives that holds the lane."""
        return not self._connection.is_closed()

    def when_lost(self, tell: Callable[[], None]) -> None:
        """Tell somebody when that session ends, however it ends."""
        self._connection.add_termination_listener(lambda _: tell())

    async def close(self) -> None:
        """Give the lane back. Never fails: a connection that cannot be closed is cut."""
        try:
            await self._connection.close(timeout=CLOSE_TIMEOUT_S)
        except Exception:  # noqa: BLE001 - its end is all that matters
            self._connection.terminate()

    async def commit(self, statements: Sequence[Statement], asked: set[bytes]) -> list[Outcome]:
        """Commit records in one transaction; where one of them cannot be, in ever smaller halves.

        `asked` are the key bits whose senders want to know whether they were seen before.

        Raises:
            DatabaseUnavailable: they may or may not be recorded; the committer is of no use any more.
        """
        try:
            async with in_our_words(self._failures):
                return await self._commit_whole(statements, asked)
        except DataRefused as failure:
            if len(statements) == 1:
                self._metrics.records.count(Verdict.REJECTED)
                return [rejected(_refused_by_database(failure))]
            middle = len(statements) // 2
            first = await self.commit(statements[:middle], asked)
            return first + await self.commit(statements[middle:], asked)

    async def _commit_whole(
        self, statements: Sequence[Statement], asked: set[bytes]
    ) -> list[Outcome]:
        """Plan outside the fence, so that decisions wait for the write alone; else inside.

        There the configuration stands still, and the batch commits however many decide meanwhile.
        """
        for _ in range(MOVES_BEFORE_HOLDING):
            try:
                return await self._attempt(statements, asked)
            except ConfigurationMoved:
                self._metrics.retries.count("configuration_moved")
                await self._reload()
        async with fence_held(self._connection):
            await self._reload()
            return await self._attempt(statements, asked)

    async def _attempt(self, statements: Sequence[Statement], asked: set[bytes]) -> list[Outcome]:
        """Commit records under the configuration that is known, again while other writers stand in the way.

        Raises:
            ConfigurationMoved: another one is in force.
        """
        for _ in range(MAX_ATTEMPTS):
            count("ledger.attempts")
            laps = Laps()
            try:
                with sorted_failures():
                    plan = await self._plan(statements, asked)
                    laps.end("plan")
                    await self._commit_plan(plan, statements, asked, laps)
            except KeyTaken:
                self._metrics.retries.count("key_taken")
                self._probes_left = CLEAN_BATCHES_BEFORE_TRUST
            except MetOtherWriter:
                self._metrics.retries.count("other_writer")
                continue
            else:
                return plan.outcomes
        raise DatabaseUnavailable("the batch met other writers too often; send the records again")

    @traced("intake plan")
    async def _plan(self, statements: Sequence[Statement], asked: set[bytes]) -> Plan:
        known, lane = self._knowledge, self._lane
        regular = known.terms.split(statements, lane.lane, lane.next_batch, self._salts, asked)
        await known.interned.learn_customers(
            self._connection,
            (statements[place].customer_id for place in regular.others),
            create=self._create_customers,
        )
        plan = plan_batch(statements, regular, known)
        try:
            await known.interned.learn_dimensions(
                self._connection, (each.rated.dimension for each in plan.candidates)
            )
        except TooManyDimensions:
            set_unknown_dimensions_aside(plan, known.interned)
        return plan

    @traced("intake commit")
    async def _commit_plan(
        self, plan: Plan, statements: Sequence[Statement], asked: set[bytes], laps: Laps
    ) -> None:
        posted, is_probed = None, self._probes_left > 0
        planned = len(plan.regular.events) + len(plan.candidates)
        async with self._connection.transaction():
            if await enter_fence(self._connection) != self._knowledge.configuration.epoch:
                raise ConfigurationMoved
            if is_probed:
                await self._probe_regular(plan, statements)
            new = settle(plan, await self._look_up(plan, asked))
            if new or plan.regular.events:
                posted = await write_batch(
                    self._connection,
                    self._lane,
                    plan,
                    new,
                    self._knowledge,
                    self._lane.next_recorded_at(self._clock.now()),
                    self._salts,
                )
            laps.end("write")
        laps.end("commit")
        count_committed(self._metrics, plan.outcomes, posted, laps, is_probed=is_probed)
        if posted is not None:
            self._lane = posted.lane
            self._knowledge.touched |= posted.newly_touched
        for each in new:
            self._knowledge.learn_terms(each.rated, each.customer)
        if self._probes_left:
            is_clean = posted is not None and posted.events == planned
            self._probes_left = self._probes_left - 1 if is_clean else CLEAN_BATCHES_BEFORE_TRUST

    async def _probe_regular(self, plan: Plan, statements: Sequence[Statement]) -> None:
        """Tell resends among the regular records; what is not just that is planned as all others are."""
        ids = [event.request_id for event in plan.regular.events]
        unlike = settle_regular(plan, await read_first_rows(self._connection, ids))
        plan_others(plan, statements, unlike, self._knowledge)

    async def _look_up(self, plan: Plan, asked: set[bytes]) -> dict[EventKey, Recorded]:
        """What is recorded under the keys that need it; under the others COPY will find out."""
        if self._probes_left:
            candidates = [each.key for each in plan.candidates]
            return await read_recorded(self._connection, candidates + plan.keys_to_look_up)
        recorded: dict[EventKey, Recorded] = {}
        if keys := plan.keys_to_look_up:
            recorded = await read_recorded(self._connection, keys)
        if asked_keys := [each.key for each in plan.candidates if each.key[0] in asked]:
            for key in await read_sighted(self._connection, asked_keys):
                recorded.setdefault(key, Recorded(is_sighted=True))
        return recorded

    async def _reload(self) -> None:
        """Another epoch: other decisions, and months that are to be marked anew."""
        self._knowledge.renew(await load_configuration(self._connection))


def _refused_by_database(failure: DataRefused) -> FieldError:
    return FieldError(
        None, "refused_by_database", f"cannot be stored ({failure}); please report this"
    )
