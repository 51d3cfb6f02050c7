"""The writer: one per process. It owns a lane and a connection and commits for everybody who waits.

While one batch commits, the records of all waiting requests gather and become the next batch, so the cost
of a durable commit is shared. A caller gets its answer after the commit, never before.

    submit ─▶ queue ─▶ gather ─▶ plan ─▶ fence ─▶ (probe) ─▶ COPY, rollups, limits ─▶ commit ─▶ answer
                                  ▲        │ configuration moved: reload, plan again
                                  └────────┘ a key is recorded already: probe first from now on
"""

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from datetime import date

import msgspec

from ledger.clock import Clock
from ledger.core.configuration import Configuration
from ledger.core.errors import DatabaseUnavailable, FieldError, LedgerError, TooBusy
from ledger.core.statements import Statement
from ledger.services.intake.batch import TOO_MANY_DIMENSIONS, Plan, plan_batch, settle, write_batch
from ledger.services.intake.outcomes import Outcome, rejected
from ledger.store.configuration import load_configuration
from ledger.store.database import Connection, Database, in_our_words
from ledger.store.events import EventKey, Recorded, read_recorded, read_sighted
from ledger.store.failures import DataRefused, KeyTaken, MetOtherWriter, sorted_failures
from ledger.store.interning import Interned, TooManyDimensions
from ledger.store.log import Lane, enter_fence, take_lane

MAX_BATCH_RECORDS = 10_000
MAX_WAITING_RECORDS = 100_000
CLEAN_BATCHES_BEFORE_TRUST = 20  # how long the writer probes first after it has met a duplicate
MAX_ATTEMPTS = 20

_LOG = logging.getLogger(__name__)


class ConfigurationMoved(Exception):
    """Inside the fence there is a newer configuration than the batch was planned with."""


class Submission(msgspec.Struct):
    """Records that wait for a commit. `tells_completion`: the caller wants to know what was pending."""

    statements: Sequence[Statement]
    tells_completion: bool
    answer: asyncio.Future[list[Outcome]]


class Writer:
    """Commits what is submitted, in batches, in one lane."""

    def __init__(self, database: Database, clock: Clock, *, create_customers: bool = True) -> None:
        self._database = database
        self._clock = clock
        self._create_customers = create_customers
        self._interned = Interned()
        self._configuration: Configuration | None = None
        self._connection: Connection = None
        self._lane: Lane | None = None
        self._touched: set[tuple[int, date]] = set()
        self._probes_left = 0
        self._waiting: deque[Submission] = deque()
        self._waiting_records = 0
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._is_closing = False

    async def start(self) -> None:
        """Connect, take a lane and begin to work.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        await self._connect()
        self._task = asyncio.create_task(self._run(), name="ledger-writer")

    async def close(self) -> None:
        """Commit what waits, then give the lane back. Nothing more may be submitted."""
        self._is_closing = True
        self._wake.set()
        if self._task is not None:
            await self._task
        await self._disconnect()

    async def submit(
        self, statements: Sequence[Statement], *, tells_completion: bool = False
    ) -> list[Outcome]:
        """Hand in records and wait until they are durable; the outcomes come in their order.

        Raises:
            TooBusy: more than 100,000 records wait already.
            DatabaseUnavailable: they may or may not be recorded; sending them again is safe.
        """
        if not statements:
            return []
        if self._is_closing:
            raise DatabaseUnavailable("the writer is closing; send the records again")
        if self._waiting_records + len(statements) > MAX_WAITING_RECORDS:
            raise TooBusy("as many records as may wait are waiting for a commit already")
        answer: asyncio.Future[list[Outcome]] = asyncio.get_running_loop().create_future()
        self._waiting.append(Submission(statements, tells_completion, answer))
        self._waiting_records += len(statements)
        self._wake.set()
        return await answer

    async def _run(self) -> None:
        while True:
            if not self._waiting:
                if self._is_closing:
                    return
                self._wake.clear()
                await self._wake.wait()
                continue
            await self._serve(self._gather())

    def _gather(self) -> list[Submission]:
        """What waits, up to a batch; a larger submission than a batch goes alone."""
        gathered: list[Submission] = []
        records = 0
        while self._waiting:
            size = len(self._waiting[0].statements)
            if gathered and records + size > MAX_BATCH_RECORDS:
                break
            gathered.append(self._waiting.popleft())
            records += size
        self._waiting_records -= records
        return gathered

    async def _serve(self, submissions: Sequence[Submission]) -> None:
        """Commit submissions together and answer each; a fault of one is not answered to the others."""
        statements = [each for submission in submissions for each in submission.statements]
        asked = {
            statement.key.bits
            for submission in submissions
            if submission.tells_completion
            for statement in submission.statements
        }
        try:
            outcomes = await self._commit(statements, asked)
        except Exception as error:  # noqa: BLE001 - see below
            # Whatever it is, it ends this batch and not the writer; the next one begins on a connection
            # whose state is known.
            if not isinstance(error, LedgerError):
                _LOG.exception("a batch of %d records failed", len(statements))
            await self._disconnect()
            for submission in submissions:
                _answer(submission, error)
            return
        position = 0
        for submission in submissions:
            end = position + len(submission.statements)
            _answer(submission, outcomes[position:end])
            position = end

    async def _commit(self, statements: Sequence[Statement], asked: set[bytes]) -> list[Outcome]:
        """Commit records in one transaction; where one of them cannot be, in ever smaller halves."""
        try:
            async with in_our_words():
                return await self._commit_whole(statements, asked)
        except DataRefused as failure:
            if len(statements) == 1:
                return [rejected(_refused_by_database(failure))]
            middle = len(statements) // 2
            first = await self._commit(statements[:middle], asked)
            return first + await self._commit(statements[middle:], asked)

    async def _commit_whole(
        self, statements: Sequence[Statement], asked: set[bytes]
    ) -> list[Outcome]:
        if self._connection is None or self._connection.is_closed():
            await self._connect()
        attempts = 0
        while attempts < MAX_ATTEMPTS:
            plan = await self._plan(statements)
            try:
                with sorted_failures():
                    await self._commit_plan(plan, asked)
            except ConfigurationMoved:
                await self._reload()  # somebody decided something; that is no failed attempt
            except KeyTaken:
                attempts += 1
                self._probes_left = CLEAN_BATCHES_BEFORE_TRUST
            except MetOtherWriter:
                attempts += 1
            else:
                return plan.outcomes
        raise DatabaseUnavailable("the batch met other writers too often; send the records again")

    async def _plan(self, statements: Sequence[Statement]) -> Plan:
        await self._interned.learn_customers(
            self._connection,
            (statement.customer_id for statement in statements),
            create=self._create_customers,
        )
        plan = plan_batch(statements, self._interned.customers, self._known_configuration)
        try:
            await self._interned.learn_dimensions(
                self._connection, (each.rated.dimension for each in plan.candidates)
            )
        except TooManyDimensions:
            _reject_unknown_dimensions(plan, self._interned)
        return plan

    async def _commit_plan(self, plan: Plan, asked: set[bytes]) -> None:
        configuration, lane = self._known_configuration, self._held_lane
        async with self._connection.transaction():
            if await enter_fence(self._connection) != configuration.epoch:
                raise ConfigurationMoved
            recorded = await self._look_up(plan, asked)
            new = settle(plan, recorded)
            newly_touched: set[tuple[int, date]] = set()
            if new:
                newly_touched = await write_batch(
                    self._connection,
                    new,
                    self._interned,
                    configuration,
                    (lane.lane, lane.last_batch + 1),
                    self._clock.now(),
                    self._touched,
                )
        if new:
            lane.last_batch += 1
            self._touched |= newly_touched
        if self._probes_left:
            met_duplicate = len(new) < len(plan.candidates)
            self._probes_left = (
                CLEAN_BATCHES_BEFORE_TRUST if met_duplicate else self._probes_left - 1
            )

    async def _look_up(self, plan: Plan, asked: set[bytes]) -> dict[EventKey, Recorded]:
        """What is recorded under the keys that need it; under the others COPY will find out."""
        if self._probes_left:
            return await read_recorded(self._connection, (each.key for each in plan.candidates))
        recorded: dict[EventKey, Recorded] = {}
        if unmetered := plan.unmetered_keys:
            recorded = await read_recorded(self._connection, unmetered)
        if asked_keys := [each.key for each in plan.candidates if each.key[0] in asked]:
            for key in await read_sighted(self._connection, asked_keys):
                recorded.setdefault(key, Recorded(is_sighted=True))
        return recorded

    async def _connect(self) -> None:
        await self._disconnect()
        connection = await self._database.connect()
        try:
            async with in_our_words():
                self._lane = await take_lane(connection)
                self._configuration = await load_configuration(connection)
        except BaseException:
            await connection.close()
            raise
        self._connection = connection
        self._touched = set()

    async def _disconnect(self) -> None:
        connection, self._connection, self._lane = self._connection, None, None
        if connection is not None:
            try:
                async with in_our_words():
                    await connection.close(timeout=2)
            except DatabaseUnavailable:
                connection.terminate()

    async def _reload(self) -> None:
        """Another epoch: other decisions, and months that are to be marked anew."""
        self._configuration = await load_configuration(self._connection)
        self._touched = set()

    @property
    def _known_configuration(self) -> Configuration:
        assert self._configuration is not None  # noqa: S101 - set by _connect
        return self._configuration

    @property
    def _held_lane(self) -> Lane:
        assert self._lane is not None  # noqa: S101 - set by _connect
        return self._lane


def _answer(submission: Submission, answer: list[Outcome] | Exception) -> None:
    if submission.answer.done():  # the caller has gone away
        return
    if isinstance(answer, Exception):
        submission.answer.set_exception(answer)
    else:
        submission.answer.set_result(answer)


def _reject_unknown_dimensions(plan: Plan, interned: Interned) -> None:
    """Keep what has a dimension; what would need a new one is rejected."""
    known = []
    for candidate in plan.candidates:
        if candidate.rated.dimension in interned.dimensions:
            known.append(candidate)
        else:
            plan.outcomes[candidate.index] = rejected(TOO_MANY_DIMENSIONS)
    plan.candidates = known
    kept = {candidate.key for candidate in known}
    for index, key, _ in plan.repeats:
        if key not in kept:
            plan.outcomes[index] = rejected(TOO_MANY_DIMENSIONS)
    plan.repeats = [repeat for repeat in plan.repeats if repeat[1] in kept]


def _refused_by_database(failure: DataRefused) -> FieldError:
    return FieldError(None, "refused_by_database", f"cannot be stored ({failure}); please report this")
