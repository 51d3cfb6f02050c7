"""What an answer is written to: pieces of one turn of the loop leave together, and none is lost or late."""

import asyncio
from typing import Any, cast

from ledger.api.transports import Answering


class Socket:
    """A transport that notes each call that would go to the kernel."""

    def __init__(self) -> None:
        self.calls: list[tuple[bytes, ...]] = []
        self.is_ended = False

    def write(self, data: bytes) -> None:
        """One piece."""
        self.calls.append((data,))

    def writelines(self, pieces: tuple[bytes, ...]) -> None:
        """Several at once."""
        self.calls.append(pieces)

    def is_closing(self) -> bool:
        """Whether it takes no more."""
        return self.is_ended


def answering_to(socket: Socket) -> Answering:
    """Answers to it, in the running loop."""
    return Answering(cast("Any", socket), asyncio.get_running_loop(), lambda: None)


async def test_a_head_leaves_with_its_body() -> None:
    """One call for both, at once."""
    socket = Socket()
    answering = answering_to(socket)

    answering.write(b"head")
    answering.write(b"body")

    assert socket.calls == [(b"head", b"body")]
    assert answering.written_bytes == 8
    await asyncio.sleep(0)
    assert len(socket.calls) == 1


async def test_a_head_without_a_body_leaves_in_its_turn() -> None:
    """Whoever streams may have to wait for what comes next."""
    socket = Socket()
    answering = answering_to(socket)

    answering.write(b"head")
    await asyncio.sleep(0)

    assert socket.calls == [(b"head",)]


async def test_what_is_held_leaves_before_the_end() -> None:
    """Closing flushes; after the end nothing is written, and nothing fails."""
    flushed, cut = Socket(), Socket()
    closing, lost = answering_to(flushed), answering_to(cut)
    closing.write(b"head")
    lost.write(b"head")

    closing.flush()
    cut.is_ended = True
    await asyncio.sleep(0)

    assert flushed.calls == [(b"head",)]
    assert cut.calls == []
