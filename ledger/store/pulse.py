"""The database's pulse: a serving process asks it every half second, and knows when it is away.

    there ── refused, or silent twice ──▶ away: nobody begins to wait, whoever waits is told
      ▲                                      │
      └───────────── answers ────────────────┘

A client that waits for a stopped or hung server would wait for minutes; TCP has more patience than callers.
Short commands have no pulse: they find out by themselves, and then end.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import datetime
from typing import Any

import asyncpg

from ledger.core.errors import DatabaseUnavailable
from ledger.logs import logger
from ledger.store.clock_offset import ClockOffset, clock_offset
from ledger.store.sql_files import query

BEAT_S = 0.5
# An answer may take a moment on a busy machine, so silence counts when it comes twice, the second time on a
# new connection.
PATIENCE_S = (1.0, 0.75)
REFUSED, SILENT = "refused", "silent"

_ASK = query("database", "time")  # touches no table that a migration may have locked
_REFUSALS = (
    OSError,
    asyncpg.CannotConnectNowError,
    asyncpg.PostgresConnectionError,
)
_LOG = logger(__name__)

Connection = Any  # asyncpg.Connection, pool proxies included


class Presence:
    """Whether the database is there, and what to end when it no longer is.

    `why_away` is None while it is there, or nobody asks. `is_watched` says whether somebody does.
    `clock_offset` is None while nobody knows.
    """

    def __init__(self) -> None:
        self.why_away: str | None = None
        self.is_watched = False
        self.clock_offset: ClockOffset | None = None
        self._waits: set[asyncio.Timeout] = set()
        self._connections: set[Connection] = set()

    def require(self) -> None:
        """Do not begin to wait for a database that is away.

        Raises:
            DatabaseUnavailable: it is.
        """
        if self.why_away is not None:
            raise DatabaseUnavailable(f"the database does not answer ({self.why_away})")

    @asynccontextmanager
    async def required(self) -> AsyncIterator[None]:
        """A block that ends when the database goes away, wherever it waits.

        Raises:
            DatabaseUnavailable: it is away, or went.
        """
        self.require()
        wait = asyncio.timeout(None)
        try:
            async with wait:
                self._waits.add(wait)
                try:
                    yield
                finally:
                    self._waits.discard(wait)
        except TimeoutError:
            if not wait.expired():
                raise
            self.require()
            raise DatabaseUnavailable("the database did not answer") from None  # it is back already

    @contextmanager
    def using(self, connection: Connection) -> Iterator[None]:
        """A block whose connection is cut when the database goes away."""
        self._connections.add(connection)
        try:
            yield
        finally:
            self._connections.discard(connection)

    def watch(self, connection: Connection) -> None:
        """Cut a connection when the database goes away, for as long as it is open."""
        self._connections.add(connection)
        connection.add_termination_listener(self._connections.discard)

    def leave(self, why: str) -> None:
        """It is away: whoever waits for it need not any more."""
        self.why_away = why
        self.clock_offset = None
        for connection in list(self._connections):
            with suppress(asyncpg.InterfaceError):  # given back to the pool in this moment
                connection.terminate()
        self._connections.clear()
        # Each is told once: who takes his time to end would not bear it a second time.
        waits, self._waits = self._waits, set()
        now_s = asyncio.get_running_loop().time()
        for wait in waits:
            wait.reschedule(now_s)

    def come_back(self) -> None:
        """It is there again."""
        self.why_away = None


class Pulse:
    """Asks, and tells a `Presence` what it hears. `connect` opens a connection of its own.

    What it asks for is the time, to be compared with that of `now`.
    """

    def __init__(
        self,
        presence: Presence,
        connect: Callable[[], Awaitable[Connection]],
        now: Callable[[], datetime] | None = None,
    ) -> None:
        self._presence = presence
        self._connect = connect
        self._now = now
        self._connection: Connection | None = None
        self._misses = 0

    @asynccontextmanager
    async def beating(self) -> AsyncIterator[None]:
        """Ask for as long as the block runs."""
        self._presence.is_watched = True
        asking = asyncio.create_task(self._run(), name="ledger-pulse")
        try:
            yield
        finally:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
            self._cut()
            self._presence.is_watched = False
            self._presence.come_back()

    async def _run(self) -> None:
        while True:
            why = await self._beat()
            if why is None:
                self._misses = 0
                self._tell_back()
                await asyncio.sleep(BEAT_S)
                continue
            self._misses += 1
            self._cut()
            if why is REFUSED or self._misses >= len(PATIENCE_S):
                self._tell_away(why)
                await asyncio.sleep(BEAT_S)

    async def _beat(self) -> str | None:
        """Ask once; None if the answer came, else why not."""
        asking = asyncio.create_task(self._ask())
        try:
            await asyncio.wait([asking], timeout=PATIENCE_S[min(self._misses, len(PATIENCE_S) - 1)])
            # If we were busy ourselves, the answer may have come before we looked at the clock.
            for _ in range(3):
                await asyncio.sleep(0)
            if not asking.done():
                return SILENT
        finally:  # also at the end, or a connection that is being made would stay open
            await self._give_up(asking)
        error = asking.exception()
        if error is None:
            return None
        return REFUSED if isinstance(error.__cause__ or error, _REFUSALS) else SILENT

    async def _ask(self) -> None:
        if self._connection is not None and not self._connection.is_closed():
            # Somebody may have ended this session, which says nothing about the server.
            with suppress(asyncpg.PostgresConnectionError, asyncpg.InterfaceError, OSError):
                await self._ask_the_time(self._connection)
                return
        self._connection = await self._connect()
        await self._ask_the_time(self._connection)

    async def _ask_the_time(self, connection: Connection) -> None:
        if self._now is None:
            await connection.fetchval(_ASK)
            return
        asked_at = self._now()
        database_at = await connection.fetchval(_ASK)
        self._presence.clock_offset = clock_offset(asked_at, self._now(), database_at)

    async def _give_up(self, asking: asyncio.Task[None]) -> None:
        if not asking.done():
            asking.cancel()
            self._cut()  # or the driver would ask the silent server to stop, and wait for that
            await asyncio.gather(asking, return_exceptions=True)

    def _cut(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    def _tell_away(self, why: str) -> None:
        if self._presence.why_away is None:
            _LOG.error("database_away", why=why)
        self._presence.leave(why)

    def _tell_back(self) -> None:
        if self._presence.why_away is not None:
            _LOG.warning("database_back")
            self._presence.come_back()
