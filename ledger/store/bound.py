"""The database as one customer sees it: the second wall behind keys that are bound.

Reads of such a key run as a role that row-level security and views show one customer's rows, so that a
query that forgets to ask for the customer answers too little and never too much. See 0014_door.sql.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ledger.store.database import Connection, Database
from ledger.store.sql_files import query

_BE_BOUND = query("database", "be_bound")


class BoundDatabase(Database):
    """Another database's pool, to read one customer's rows with."""

    def __init__(self, database: Database, customer: int) -> None:
        super().__init__(database.url)
        self.presence, self.streams = database.presence, database.streams
        self._whole = database
        self._customer = customer

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection in a transaction that writes nothing."""
        async with (
            self._whole.connection() as connection,
            connection.transaction(isolation="read_committed", readonly=True),
        ):
            await connection.execute(_BE_BOUND, str(self._customer))
            yield connection

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Connection]:
        """The same, of one consistent state."""
        async with self._whole.snapshot() as connection:
            await connection.execute(_BE_BOUND, str(self._customer))
            yield connection
