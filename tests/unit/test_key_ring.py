"""Keys as a process remembers them: for half a second, and not across a revocation."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from ledger.core.keys import ApiKey, Scope, key_digest
from ledger.services import key_ring
from ledger.services.key_ring import KeyRing
from ledger.store.database import Database

NOW = datetime(2026, 11, 20, tzinfo=UTC)
TEXT = "lk_7h3kq9xw2m_" + "s" * 43
KEY = ApiKey("lk_7h3kq9xw2m", key_digest(TEXT), "gateway", frozenset({Scope.READ}), NOW, "admin")


class Shelf(Database):
    """A database of one key that can be held up while it reads."""

    def __init__(self) -> None:
        super().__init__("")
        self.key = KEY
        self.reads = 0
        self.began = asyncio.Event()
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    @asynccontextmanager
    async def question(self) -> AsyncIterator[Any]:
        yield self

    async def read(self, _: Any, key_ids: list[str]) -> list[ApiKey]:
        """What is on the shelf when the reading begins."""
        self.reads += 1
        self.began.set()
        key = self.key
        await self.may_answer.wait()
        return [key for key_id in key_ids if key_id == key.key_id]


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Shelf:
    """A shelf that is read in place of the table."""
    made = Shelf()
    monkeypatch.setattr(key_ring, "read_keys", made.read)
    return made


async def test_many_callers_share_a_look(shelf: Shelf) -> None:
    """A hundred at once wait for two queries at most; who comes within half a second waits for none."""
    ring = KeyRing(shelf)
    found = await asyncio.gather(*(ring.find(TEXT) for _ in range(100)))
    assert found == [KEY] * 100
    assert shelf.reads <= 2
    reads = shelf.reads
    assert await ring.find(TEXT) == KEY
    assert shelf.reads == reads


async def test_a_look_that_began_before_a_revocation_is_not_remembered(shelf: Shelf) -> None:
    """Its answer is given to who waited, and the next one asks again."""
    ring = KeyRing(shelf)
    shelf.may_answer.clear()
    waiting = asyncio.create_task(ring.find(TEXT))
    await shelf.began.wait()
    shelf.key = msgspec.structs.replace(KEY, revoked_at=NOW)
    ring.forget(KEY.key_id)
    shelf.may_answer.set()
    assert await waiting == KEY
    again = await ring.find(TEXT)
    assert again is not None
    assert not again.opens_with(TEXT, NOW)


async def test_what_is_no_key_is_not_looked_up_and_what_is_unknown_not_remembered(
    shelf: Shelf,
) -> None:
    """Made-up keys cost a look and no memory."""
    ring = KeyRing(shelf)
    assert await ring.find("nonsense") is None
    assert shelf.reads == 0
    for _ in range(2):
        assert await ring.find("lk_0000000000_" + "s" * 43) is None
    assert shelf.reads == 2


async def test_a_caller_that_leaves_takes_the_answer_from_nobody(shelf: Shelf) -> None:
    """And an error reaches all who wait, and ends with them."""
    ring = KeyRing(shelf)
    shelf.may_answer.clear()
    first, second = (asyncio.create_task(ring.find(TEXT)) for _ in range(2))
    await shelf.began.wait()
    first.cancel()
    shelf.may_answer.set()
    assert await second == KEY
