"""Turns at a pool: how many may have one, how many do, and how many wait."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ledger.core.errors import TooBusy


class Turns:
    """Turns at so many connections; which one it is, the pool says."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.in_use = 0
        self.waiting = 0
        self._free = asyncio.Semaphore(most)

    @property
    def is_half_free(self) -> bool:
        """Whether there is one to spare for who could do without it."""
        return 2 * (self.in_use + self.waiting) <= self.most

    @asynccontextmanager
    async def one(self, timeout_s: float) -> AsyncIterator[None]:
        """A turn in the block.

        Raises:
            TooBusy: others had all of them for so long.
        """
        if self._free.locked():
            await self._wait(timeout_s)
        else:
            await self._free.acquire()  # at once
        self.in_use += 1
        try:
            yield
        finally:
            self.in_use -= 1
            self._free.release()

    async def _wait(self, timeout_s: float) -> None:
        self.waiting += 1
        try:
            async with asyncio.timeout(timeout_s):
                await self._free.acquire()
        except TimeoutError:
            raise TooBusy("others use all connections to the database") from None
        finally:
            self.waiting -= 1
