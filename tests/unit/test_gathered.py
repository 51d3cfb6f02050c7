"""Questions that are looked up together, where the looking itself is ended."""

import asyncio
from collections.abc import Collection

import pytest

from ledger.services.gathered import Gathered


async def test_whoever_waits_is_let_go_when_the_looking_is_ended() -> None:
    """Who was asked for and who waited for the next query; who asks later is answered."""
    may_answer = asyncio.Event()

    async def read(names: Collection[str]) -> dict[str, str]:
        await may_answer.wait()
        return {name: name.upper() for name in names}

    gathered = Gathered(read, "letters")
    before = asyncio.all_tasks()
    asked = asyncio.create_task(gathered.look_up("a"))
    await asyncio.sleep(0)
    (looking,) = asyncio.all_tasks() - before - {asked}
    await asyncio.sleep(0)
    waiting = asyncio.create_task(gathered.look_up("b"))
    await asyncio.sleep(0)

    looking.cancel()
    for each in (asked, waiting):
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(each, 10)
    may_answer.set()
    assert await asyncio.wait_for(gathered.look_up("b"), 10) == "B"
