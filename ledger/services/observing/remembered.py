"""One read for all who ask within some seconds of it, however many they are and however long it takes."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from ledger.core.errors import LedgerError
from ledger.logs import logger

T = TypeVar("T")

_LOG = logger(__name__)


class Remembered(Generic[T]):
    """What `read` gave last. Nobody waits for it longer than `patience_s`; None: it cannot be known."""

    def __init__(
        self, read: Callable[[], Awaitable[T | None]], keep_s: float, patience_s: float
    ) -> None:
        self._read = read
        self._keep_s = keep_s
        self._patience_s = patience_s
        self._value: T | None = None
        self._fresh_until_s = 0.0  # by the clock of the event loop
        self._reading: asyncio.Task[None] | None = None

    async def get(self) -> T | None:
        """What was read a moment ago, or is read now."""
        is_fresh = asyncio.get_running_loop().time() < self._fresh_until_s
        if self._reading is None and is_fresh:
            return self._value
        # A read goes on when those who asked for it have gone; to break it off could take longer still.
        self._reading = self._reading or asyncio.create_task(self._refresh(), name="ledger-reading")
        done, _ = await asyncio.wait([self._reading], timeout=self._patience_s)
        return self._value if done else None

    async def _refresh(self) -> None:
        self._value = None
        try:
            self._value = await self._read()
        except LedgerError:
            pass  # the database is away, or busy
        except Exception:  # noqa: BLE001 - what can be shown without it is shown
            _LOG.exception("figures_not_read")
        finally:
            self._fresh_until_s = asyncio.get_running_loop().time() + self._keep_s
            self._reading = None
