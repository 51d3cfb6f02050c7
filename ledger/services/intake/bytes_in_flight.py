"""Bytes in flight: what the bodies of all requests of a process hold in memory, decoded, under one cap.

    array, record   holds its bytes as they arrive, until it is answered      no room: 429 at once
    stream          holds its lines, gathered and on their way                no room: waits for its own first

Whoever waits for room while it holds some waits for a bounded time, so that no two wait for each other
for ever: a stream first has what it gathered committed, which needs no room and gives all of that back.
What stays with it then is the line that has no end yet and what its compression looks back on.

The records that wait in the writer's queue came from here and are held until they are answered, so the
cap bounds that queue by bytes, as the queue itself does by records.
"""

import asyncio

from ledger.core.errors import TooBusy

DEFAULT_BYTES = 128 * 1024 * 1024


class BytesInFlight:
    """The cap, and what is held under it."""

    def __init__(self, most_bytes: int = DEFAULT_BYTES) -> None:
        self.most_bytes = most_bytes
        self.held_bytes = 0
        self._room_made = asyncio.Event()

    def hold(self) -> "Hold":
        """Something that holds nothing yet."""
        return Hold(self)

    def has_room(self, size: int) -> bool:
        """Whether so many bytes could be held as well."""
        return self.held_bytes + size <= self.most_bytes

    async def wait_for_room(self, size: int, timeout_s: float) -> None:
        """Wait until so many bytes could be held as well.

        Raises:
            TooBusy: there was no room in all that time.
        """
        try:
            async with asyncio.timeout(timeout_s):
                while not self.has_room(size):
                    self._room_made.clear()
                    await self._room_made.wait()
        except TimeoutError:
            raise no_room() from None

    def add(self, size: int) -> None:
        """Count bytes in, or out if negative."""
        self.held_bytes += size
        if size < 0:
            self._room_made.set()


class Hold:
    """What one request holds."""

    __slots__ = ("_of", "held_bytes")

    def __init__(self, of: BytesInFlight) -> None:
        self._of = of
        self.held_bytes = 0

    def grow_to(self, size: int) -> None:
        """Hold so many bytes in all.

        Raises:
            TooBusy: there is no room for them; what was held still is.
        """
        if not self._of.has_room(size - self.held_bytes):
            raise no_room()
        self.become(size)

    def become(self, size: int) -> None:
        """Hold so many bytes in all, which are in memory whether there is room or not."""
        self._of.add(size - self.held_bytes)
        self.held_bytes = size

    def release(self) -> None:
        """Hold nothing any more."""
        self.become(0)


def no_room() -> TooBusy:
    """As many bytes as may be in memory are."""
    return TooBusy("the bodies of other requests take all the memory that bodies may take")
