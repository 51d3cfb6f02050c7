"""Looking keys up for every request: remembered for half a second, many in one query.

A revoked key is of no use within that time in any process, and at once in the one that revoked it. Keys
that there are none of are not remembered: whoever makes one up costs a look, not memory.
"""

import asyncio

import msgspec

from ledger.core.errors import TooBusy
from ledger.core.keys import ApiKey, key_id_in
from ledger.store.database import Database
from ledger.store.keys import read_keys

FRESH_S = 0.5
MOST_REMEMBERED = 20_000
MOST_WAITING = 5_000
MOST_AT_ONCE = 500


class _Remembered(msgspec.Struct, frozen=True):
    key: ApiKey
    until_s: float  # by the clock of the event loop


class KeyRing:
    """The keys of a database, as this process knows them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._remembered: dict[str, _Remembered] = {}
        self._waiting: dict[str, asyncio.Future[ApiKey | None]] = {}
        self._looking: asyncio.Task[None] | None = None
        self._forgotten = 0

    async def find(self, text: str) -> ApiKey | None:
        """The key that a text begins like; whether it is that key, and alive, the caller asks it.

        Raises:
            DatabaseUnavailable: nobody can say.
            TooBusy: as many keys as may be looked up are being looked up.
        """
        key_id = key_id_in(text)
        return None if key_id is None else await self.look(key_id)

    async def look(self, key_id: str) -> ApiKey | None:
        """The key of an id, as it was within the last half second."""
        remembered = self._remembered.get(key_id)
        if remembered is not None and asyncio.get_running_loop().time() < remembered.until_s:
            return remembered.key
        return await self._look_up(key_id)

    def last_known(self, text: str) -> ApiKey | None:
        """The key that a text begins like, as it was when it was last looked up, however long ago."""
        remembered = self._remembered.get(key_id_in(text) or "")
        return None if remembered is None else remembered.key

    def forget(self, key_id: str) -> None:
        """Look the key up again before it is believed once more; what is being read now is old already."""
        self._remembered.pop(key_id, None)
        self._forgotten += 1

    async def _look_up(self, key_id: str) -> ApiKey | None:
        """Wait for the next query, which asks for all keys that wait for it."""
        answer = self._waiting.get(key_id)
        if answer is None:
            if len(self._waiting) >= MOST_WAITING:
                raise TooBusy("too many keys are being looked up")
            answer = self._waiting[key_id] = asyncio.get_running_loop().create_future()
            if self._looking is None:
                self._looking = asyncio.create_task(self._look(), name="ledger-keys")
        return await asyncio.shield(answer)

    async def _look(self) -> None:
        try:
            while self._waiting:
                asked = dict(list(self._waiting.items())[:MOST_AT_ONCE])
                for key_id in asked:
                    del self._waiting[key_id]
                await self._answer(asked)
        finally:
            self._looking = None

    async def _answer(self, asked: dict[str, asyncio.Future[ApiKey | None]]) -> None:
        asked_at_s, forgotten = asyncio.get_running_loop().time(), self._forgotten
        try:
            async with self._database.question() as connection:
                found = {key.key_id: key for key in await read_keys(connection, asked)}
        except Exception as error:  # noqa: BLE001 - whoever waits is told, whatever it is
            for answer in asked.values():
                answer.set_exception(error)
                answer.exception()  # whoever waited may have gone
            return
        if forgotten == self._forgotten:
            self._remember(found, asked_at_s + FRESH_S)
        for key_id, answer in asked.items():
            answer.set_result(found.get(key_id))

    def _remember(self, found: dict[str, ApiKey], until_s: float) -> None:
        if len(self._remembered) + len(found) > MOST_REMEMBERED:
            self._remembered.clear()
        for key_id, key in found.items():
            self._remembered[key_id] = _Remembered(key, until_s)
