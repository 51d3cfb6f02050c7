"""Looking keys up for every request: remembered for half a second, many in one query.

A revoked key is of no use within that time in any process, and at once in the one that revoked it. Keys
that there are none of are not remembered: whoever makes one up costs a look, not memory.
"""

import asyncio
from collections.abc import Collection

import msgspec

from ledger.core.keys import ApiKey, key_id_in
from ledger.services.gathered import Gathered
from ledger.store.database import Database
from ledger.store.keys import read_keys

FRESH_S = 0.5
MOST_REMEMBERED = 20_000


class _Remembered(msgspec.Struct, frozen=True):
    key: ApiKey
    until_s: float  # by the clock of the event loop


class KeyRing:
    """The keys of a database, as this process knows them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._remembered: dict[str, _Remembered] = {}
        self._gathered = Gathered(self._read, "keys")
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
        return await self._gathered.look_up(key_id)

    def last_known(self, text: str) -> ApiKey | None:
        """The key that a text begins like, as it was when it was last looked up, however long ago."""
        remembered = self._remembered.get(key_id_in(text) or "")
        return None if remembered is None else remembered.key

    def forget(self, key_id: str) -> None:
        """Look the key up again before it is believed once more; what is being read now is old already."""
        self._remembered.pop(key_id, None)
        self._forgotten += 1

    async def _read(self, key_ids: Collection[str]) -> dict[str, ApiKey]:
        asked_at_s, forgotten = asyncio.get_running_loop().time(), self._forgotten
        async with self._database.question() as connection:
            found = {key.key_id: key for key in await read_keys(connection, key_ids)}
        if forgotten == self._forgotten:
            self._remember(found, asked_at_s + FRESH_S)
        return found

    def _remember(self, found: dict[str, ApiKey], until_s: float) -> None:
        if len(self._remembered) + len(found) > MOST_REMEMBERED:
            self._remembered.clear()
        for key_id, key in found.items():
            self._remembered[key_id] = _Remembered(key, until_s)
