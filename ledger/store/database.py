"""Connections to the ledger's database."""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import asyncpg

from ledger.core.errors import SetupError
from ledger.logs import logger
from ledger.store.our_words import in_our_words, said
from ledger.store.pulse import Presence, Pulse
from ledger.store.sql_files import query
from ledger.store.streams import Streams
from ledger.store.turns import Turns

SERVICE_ROLE = "ledger_service"
OWNER_ROLE = "ledger_owner"
BOUND_ROLE = "ledger_bound"  # see ledger.store.bound
CONNECT_TIMEOUT_S = 5

_LOG = logger(__name__)
POOL_SIZE = 8
WAIT_FOR_CONNECTION_S = 5
MOST_STREAMS = POOL_SIZE // 2
OLDEST_MAJOR = 15  # the first with UNIQUE NULLS NOT DISTINCT

_LACKS_BOUND_ROLE = query("database", "lacks_bound_role")
_EPOCH = query("configuration", "epoch")

Connection = Any  # asyncpg.Connection, pool proxies included


class Database:
    """A ledger's database: a pool under the service role, and single connections where a lock is held."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.presence = Presence()
        self.streams = Streams(MOST_STREAMS)
        self.turns = Turns(POOL_SIZE)
        self.failures: Counter[str] = Counter()  # by kind, see `_counted`
        self._pool: Any = None
        self._left_clean: set[int] = set()  # sessions, by the number of their process

    async def open(self) -> None:
        """Connect.

        Raises:
            SetupError: no such database, wrong credentials, or not migrated.
            DatabaseUnavailable: it does not answer.
        """
        async with in_our_words():
            self._pool = await asyncpg.create_pool(
                self.url,
                min_size=1,
                max_size=POOL_SIZE,
                timeout=CONNECT_TIMEOUT_S,
                reset=self._clean,
                # A plan made once for all parameters takes a month for an hour and a customer for many.
                server_settings=_settings(SERVICE_ROLE) | {"plan_cache_mode": "force_custom_plan"},
            )
        async with self.connection() as connection:
            _require_version(connection)
            await _require_settings(connection)
            if await connection.fetchval(_LACKS_BOUND_ROLE):
                raise SetupError(
                    f"the login is no member of the role {BOUND_ROLE}; "
                    "run `ledger migrate` as someone who may grant it"
                )

    async def close(self) -> None:
        """Disconnect."""
        if self._pool is not None:
            await self._pool.close()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection of the pool; session locks taken on it end with the block.

        Raises:
            TooBusy: the database is well, and others use all of the pool.
            DatabaseUnavailable: it is away, or goes away in the block.
        """
        async with (
            self.presence.required(),
            in_our_words(self.failures),
            self.turns.one(WAIT_FOR_CONNECTION_S),
        ):
            connection = await self._pool.acquire(timeout=CONNECT_TIMEOUT_S)
            with self.presence.using(connection):
                try:
                    yield connection
                finally:
                    await self._pool.release(connection)

    @asynccontextmanager
    async def question(self) -> AsyncIterator[Connection]:
        """The same for queries that leave nothing in the session, which need not be cleaned then.

        Cleaning is a round trip of its own, and costs what looking up a row does.
        """
        session = 0
        try:
            async with self.connection() as connection:
                session = connection.get_server_pid()
                yield connection
                self._left_clean.add(session)
        finally:
            self._left_clean.discard(session)

    @asynccontextmanager
    async def stream(self, caller: str) -> AsyncIterator[Connection]:
        """A connection for an answer as long as its reader likes; at most half of the pool are for such.

        At most half of those are for one caller. If the block ends before the answer does, the connection is
        cut.

        Raises:
            TooBusy: as many answers are on their way, in all or to this caller.
            and whatever `connection` raises.
        """
        with self.streams.place_for(caller):
            async with self.connection() as connection:
                try:
                    yield connection
                except BaseException:
                    connection.terminate()  # there may be much still to come that nobody reads
                    raise

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Connection]:
        """A connection that reads one consistent state and writes nothing."""
        async with (
            self.connection() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            yield connection

    async def _clean(self, connection: Connection) -> None:
        """Let nothing of a session reach its next user, unless there is nothing."""
        if connection.get_server_pid() not in self._left_clean:
            await connection.reset()

    async def check(self) -> None:
        """Find out whether the database answers: ask it, or whoever asks it all the time.

        Raises:
            DatabaseUnavailable, SetupError: it is not as it must be.
        """
        self.presence.require()
        if self.presence.is_watched:
            return
        async with self.connection() as connection:
            await connection.fetchval(_EPOCH)

    async def connect(self) -> Connection:
        """A connection of its own, for a writer that holds a lane. The caller closes it."""
        async with self.presence.required():
            connection = await _connect(self.url, SERVICE_ROLE, self.failures)
        self.presence.watch(connection)
        return connection

    @asynccontextmanager
    async def watched(self, now: Callable[[], datetime] | None = None) -> AsyncIterator[None]:
        """Notice within about two seconds when the database goes away, and when it is back.

        With a clock, `presence` also says how far the database's is from it.
        """
        pulse = Pulse(self.presence, lambda: _connect(self.url, SERVICE_ROLE), now)
        async with pulse.beating():
            yield


@asynccontextmanager
async def owner_connection(url: str) -> AsyncIterator[Connection]:
    """A connection as whoever the address names, for migrations."""
    connection = await _connect(url, None)
    try:
        _require_version(connection)
        async with in_our_words():
            yield connection
    finally:
        await connection.close()


async def _connect(url: str, role: str | None, failures: Counter[str] | None = None) -> Connection:
    async with in_our_words(failures):
        try:
            return await asyncpg.connect(
                url, timeout=CONNECT_TIMEOUT_S, server_settings=_settings(role)
            )
        except asyncpg.ProtocolViolationError as error:  # what poolers say to settings
            raise SetupError(
                f"whoever answers at LEDGER_DATABASE_URL refuses the connection: {said(error)}; "
                "a pooler must work by session and let settings of the session through"
            ) from error
        except asyncpg.ClientConfigurationError:
            raise
        except (
            ValueError
        ):  # its words repeat what stands where a port is expected: part of a password
            raise SetupError(
                "LEDGER_DATABASE_URL is no address of a PostgreSQL database: its port is no number, or its "
                "password has one of / ? # @ : %, which an address has as %2F %3F %23 %40 %3A %25"
            ) from None


def _require_version(connection: Connection) -> None:
    version = connection.get_server_version()
    if version.major < OLDEST_MAJOR:
        raise SetupError(
            f"PostgreSQL {version.major} is too old; the ledger needs {OLDEST_MAJOR} or newer"
        )


async def _require_settings(connection: Connection) -> None:
    if await connection.fetchval(query("database", "encoding")) != "UTF8":
        raise SetupError("the database must be made with ENCODING 'UTF8'")
    if await connection.fetchval(query("database", "durability")) == "off":
        raise SetupError(
            "synchronous_commit is off: what is acknowledged could be lost; turn it on"
        )


def _settings(role: str | None) -> dict[str, str]:
    settings = {
        "search_path": "ledger",
        "application_name": "ledger",
        "timezone": "UTC",
        # The fence reads the epoch after it has waited for its lock; a snapshot taken before would not do.
        "default_transaction_isolation": "read committed",
    }
    return settings if role is None else settings | {"role": role}
