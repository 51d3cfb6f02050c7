"""What a signal calls, and when a process is ended at once. The signals are real, sent to this process."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator

import pytest

from ledger.cli import signals
from ledger.cli.signals import ENDED_AT_ONCE, TOLD_TWICE, Signals


@pytest.fixture
async def ended(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[str]]:
    """Why this process would have been ended at once."""
    whys: list[str] = []
    monkeypatch.setattr(signals, "end_at_once", whys.append)
    before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)}
    yield whys
    for each, handler in before.items():
        signal.signal(each, handler)


async def send(which: signal.Signals) -> None:
    os.kill(os.getpid(), which)
    await asyncio.sleep(0.02)


async def test_the_first_calls_the_innermost_and_the_second_ends(ended: list[str]) -> None:
    """Whichever of the two signals comes; leaving a block gives its turn back."""
    called: list[str] = []
    heeded = Signals()
    with heeded.call(lambda: called.append("command")):
        with heeded.call(lambda: called.append("server")):
            await send(signal.SIGTERM)
            assert (called, ended) == (["server"], [])
        await send(signal.SIGINT)
    assert called[0] == "server"
    assert ended == [TOLD_TWICE]


async def test_what_does_not_end_in_time_is_ended(
    ended: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time runs from the first signal."""
    monkeypatch.setattr(signals, "END_WITHIN_S", 0.05)
    with Signals().call(lambda: None):
        await send(signal.SIGTERM)
        async with asyncio.timeout(10):
            while not ended:  # noqa: ASYNC110 - a list sets no event
                await asyncio.sleep(0.01)
    assert ended == ["not ended after 0.05 s"]


async def test_who_was_told_is_ended_at_once_even_after_the_block(ended: list[str]) -> None:
    """The last moments of a process print no traceback either."""
    with Signals().call(lambda: None):
        await send(signal.SIGINT)
    await send(signal.SIGINT)
    assert ended == [TOLD_TWICE]


async def test_a_block_that_was_not_told_leaves_the_signals_as_they_were(ended: list[str]) -> None:
    """A command that ended by itself has nothing to say about later signals."""
    with Signals().call(lambda: None):
        pass
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert ended == []


def test_it_ends_though_nobody_reads_what_it_says() -> None:
    """Whoever read stderr may have ended before: a pipe without a reader keeps no process alive."""
    reading, writing = os.pipe()
    os.close(reading)
    program = "from ledger.cli.signals import end_at_once; end_at_once('')"
    with os.fdopen(writing, "wb") as stderr:
        ended = subprocess.run(
            [sys.executable, "-c", program], stderr=stderr, check=False, timeout=30
        )
    assert ended.returncode == ENDED_AT_ONCE
