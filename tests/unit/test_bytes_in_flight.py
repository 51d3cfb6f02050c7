"""One cap over what all requests hold in memory."""

import asyncio

import pytest

from ledger.core.errors import TooBusy
from ledger.services.intake.bytes_in_flight import BytesInFlight


def test_together_they_hold_as_much_as_may_be_and_no_more() -> None:
    """What does not fit is refused and changes nothing; what is given back is there for others."""
    room = BytesInFlight(100)
    one, other = room.hold(), room.hold()
    one.grow_to(60)
    other.grow_to(40)
    with pytest.raises(TooBusy) as error:
        other.grow_to(41)
    assert (room.held_bytes, other.held_bytes, error.value.retry_after_s) == (100, 40, 1)

    one.release()
    one.release()
    other.grow_to(100)
    assert room.held_bytes == 100
    other.become(5)
    assert room.held_bytes == 5


def test_what_is_in_memory_counts_whether_there_is_room_or_not() -> None:
    """The others are refused then, and nobody who only gives back is."""
    room = BytesInFlight(100)
    hold = room.hold()
    hold.become(150)
    assert not room.has_room(1)
    hold.grow_to(50)
    assert room.has_room(50)


async def test_whoever_waits_for_room_goes_on_when_there_is_some() -> None:
    """Or is told after a while that there was none."""
    room = BytesInFlight(100)
    hold = room.hold()
    hold.grow_to(100)
    with pytest.raises(TooBusy):
        await room.wait_for_room(10, 0.05)
    waiting = [asyncio.create_task(room.wait_for_room(size, 20)) for size in (10, 60)]
    await asyncio.sleep(0.01)
    hold.become(50)
    await asyncio.wait_for(waiting[0], 20)
    assert not waiting[1].done()
    hold.release()
    await asyncio.wait_for(waiting[1], 20)
