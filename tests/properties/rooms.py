"""Rooms to play histories in: a fresh database, a clock, two writers. After twenty histories a new one."""

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from ledger.clock import FixedClock
from ledger.services.intake.writer import Writer
from ledger.store.database import Database
from tests.conftest import NOW, copy_database, execute
from tests.properties.histories import HISTORIES_A_ROOM
from tests.properties.history_product import Product
from tests.servers import with_database

WRITERS = 2


class Rooms:
    """The room that is in use, on a server that has a migrated database to clone."""

    def __init__(self, server_url: str, template: str) -> None:
        self._server_url = server_url
        self._template = template
        self._opened = 0
        self._played = 0
        self._product: Product | None = None
        self._leaving = AsyncExitStack()

    @asynccontextmanager
    async def enter(self) -> AsyncIterator[Product]:
        """Where the next history is played. What fails in it does not stay for the one after."""
        if self._product is None or self._played == HISTORIES_A_ROOM:
            await self.close()
            self._product = await self._open()
        self._played += 1
        try:
            yield self._product
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Leave the room and remove it."""
        self._product, self._played = None, 0
        await self._leaving.aclose()

    async def _open(self) -> Product:
        self._opened += 1
        name = f"ledger_room_{os.getpid()}_{self._opened}"
        await copy_database(self._server_url, self._template, name)
        self._leaving.push_async_callback(
            execute, self._server_url, f"DROP DATABASE {name} WITH (FORCE)"
        )
        database, clock = Database(with_database(self._server_url, name)), FixedClock(NOW)
        await database.open()
        self._leaving.push_async_callback(database.close)
        writers = [Writer(database, clock) for _ in range(WRITERS)]
        for writer in writers:
            await writer.start()
            self._leaving.push_async_callback(writer.close)
        return Product(database, clock, writers)
