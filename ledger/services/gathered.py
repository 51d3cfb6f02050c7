"""Questions of many callers in one query: whoever asks while one is under way waits for the next.

What is answered was read after it was asked. Alone a question costs what its query costs; many at once cost
hardly more than one.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Generic, TypeVar

from ledger.core.errors import TooBusy

MOST_WAITING = 5_000
MOST_AT_ONCE = 500

_Found = TypeVar("_Found")
Read = Callable[[Collection[str]], Awaitable[Mapping[str, _Found]]]


class Gathered(Generic[_Found]):
    """Looks names up by `read`, which is given several at once. `subject` says of what they are names."""

    def __init__(self, read: Read[_Found], subject: str) -> None:
        self._read = read
        self._subject = subject
        self._waiting: dict[str, asyncio.Future[_Found | None]] = {}
        self._looking: asyncio.Task[None] | None = None

    async def look_up(self, name: str) -> _Found | None:
        """What there is under a name, by the next query, which asks for all names that wait for it.

        Raises:
            TooBusy: as many names as may wait are waiting.
            and whatever `read` raises.
        """
        answer = self._waiting.get(name)
        if answer is None:
            if len(self._waiting) >= MOST_WAITING:
                raise TooBusy(f"too many {self._subject} are being looked up")
            answer = self._waiting[name] = asyncio.get_running_loop().create_future()
            if self._looking is None:
                task_name = f"ledger-{self._subject}"
                self._looking = asyncio.create_task(self._look(), name=task_name)
        return await asyncio.shield(answer)

    async def _look(self) -> None:
        try:
            while self._waiting:
                asked = dict(list(self._waiting.items())[:MOST_AT_ONCE])
                for name in asked:
                    del self._waiting[name]
                await self._answer(asked)
        finally:
            self._looking = None
            for answer in self._waiting.values():  # some are left only where this was cancelled
                answer.cancel()
            self._waiting.clear()

    async def _answer(self, asked: Mapping[str, asyncio.Future[_Found | None]]) -> None:
        try:
            found = await self._read(asked.keys())
        except Exception as error:  # noqa: BLE001 - whoever waits is told, whatever it is
            for answer in asked.values():
                answer.set_exception(error)
                answer.exception()  # whoever waited may have gone
            return
        except BaseException:
            for answer in asked.values():
                answer.cancel()
            raise
        for name, answer in asked.items():
            answer.set_result(found.get(name))
