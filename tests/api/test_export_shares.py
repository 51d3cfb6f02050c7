"""Exports last as long as their readers like: no key gets all the places there are for them."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from ledger.clock import FixedClock
from ledger.core.errors import TooBusy
from ledger.core.keys import key_id_in
from ledger.store.database import MOST_STREAMS, Database
from ledger.store.streams import Streams
from tests.api.doors import Door, open_door

USAGE = "/v1/exports/usage.csv?from=2026-11-01&to=2026-12-01"
SHARE = MOST_STREAMS // 2


@pytest.fixture
async def door(database: Database, clock: FixedClock) -> AsyncIterator[Door]:
    """The application on a fresh ledger."""
    async with open_door(database, clock) as opened:
        yield opened


@pytest.mark.parametrize("customer_id", ["acme", None])
async def test_a_key_that_holds_its_share_leaves_the_rest_to_others(
    door: Door, customer_id: str | None
) -> None:
    """It is told to come again, another one is served, and so is it when one of its own has ended."""
    greedy = await door.make_key("finance", customer_id=customer_id)
    modest = await door.make_key("finance", customer_id=customer_id)
    held_by = key_id_in(greedy)
    assert held_by is not None
    async with AsyncExitStack() as under_way:
        for _ in range(SHARE - 1):
            await under_way.enter_async_context(door.database.stream(held_by))
        async with door.database.stream(held_by):
            refused = await door.ask(greedy, "GET", USAGE)
            assert (refused.status_code, refused.json()["error"]["code"]) == (429, "too_busy")
            assert int(refused.headers["Retry-After"]) >= 1
            assert (await door.ask(modest, "GET", USAGE)).status_code == 200
        assert (await door.ask(greedy, "GET", USAGE)).status_code == 200


def test_places_are_counted_for_all_and_for_each() -> None:
    """Two of four for one caller; four in all; and whoever fails gives the place back."""
    streams = Streams(4)
    with streams.place_for("a"), streams.place_for("b"), streams.place_for("b"):
        with pytest.raises(TooBusy, match="for a key"), streams.place_for("b"):
            pass
        assert streams.free == 1
        with pytest.raises(ZeroDivisionError), streams.place_for("a"):
            raise ZeroDivisionError
        with (
            streams.place_for("a"),
            pytest.raises(TooBusy, match="may run at once are"),
            streams.place_for("c"),
        ):
            pass
    assert streams.free == 4
