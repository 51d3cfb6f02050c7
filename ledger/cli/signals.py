"""SIGTERM and SIGINT: the first ends a process in order, the second at once.

    first  ─▶ take nothing more, finish what was accepted, give locks back ─▶ ended
                 │ a second one, or END_WITHIN_S
                 └─▶ ended as by `kill -9`

The second is safe because `kill -9` is: what was answered is committed, the rest PostgreSQL rolls back. Locks
are held by sessions and go with them. Only an embedded server that nobody else uses is told to stop first.
"""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ledger.store.embedded import stop_servers_at_once

END_WITHIN_S = 45  # an orchestrator that kills sooner loses nothing, but clients lose answers
ENDED_AT_ONCE = 3
TOLD_TWICE = "told to end twice"
_HEEDED = (signal.SIGTERM, signal.SIGINT)


class Signals:
    """What the signals of this process do: a process has one pair of them, so there is one of these."""

    def __init__(self) -> None:
        self._first: Callable[[], object] | None = None
        self._was_told = False

    @contextmanager
    def call(self, first: Callable[[], object]) -> Iterator[None]:
        """A block in which the first signal calls `first`; within another such block it stands in for that.

        In a thread that gets no signals this does nothing.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before, self._first = self._first, first
        if before is None:
            self._begin()
        try:
            yield
        finally:
            self._first = before
            if before is None:
                self._end()

    def _begin(self) -> None:
        loop = asyncio.get_running_loop()
        for each in _HEEDED:
            loop.add_signal_handler(each, self._heed)

    def _end(self) -> None:
        """Back to the system's ways; but who was told once and is told again ends without a last word."""
        loop = asyncio.get_running_loop()
        for each in _HEEDED:
            loop.remove_signal_handler(each)
            if self._was_told:
                signal.signal(each, lambda *_: end_at_once(TOLD_TWICE))

    def _heed(self) -> None:
        if self._was_told:
            end_at_once(TOLD_TWICE)
        self._was_told = True
        late = f"not ended after {END_WITHIN_S} s"
        asyncio.get_running_loop().call_later(END_WITHIN_S, end_at_once, late)
        assert self._first is not None  # noqa: S101 - the handlers go before it does
        self._first()


SIGNALS = Signals()


def end_at_once(why: str) -> None:
    """End this process now, with nothing in it brought to an end."""
    try:
        stop_servers_at_once()
        sys.stderr.write(f"ledger: {why}, ended at once; what was answered is recorded\n")
        sys.stderr.flush()
    finally:  # also where nobody reads stderr any more
        os._exit(ENDED_AT_ONCE)
