"""Running a bench to its end, or ending it in order when it is told to."""

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any, TypeVar

import uvloop

from ledger.cli.running import INTERRUPTED
from ledger.cli.signals import SIGNALS

_Found = TypeVar("_Found")


def run_bench(work: Coroutine[Any, Any, _Found]) -> _Found:
    """Run it; SIGTERM and SIGINT end it with its servers and folders, and the program with it."""

    async def heeding_signals() -> _Found:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - it runs in one
        with SIGNALS.call(task.cancel):
            return await work

    try:
        return uvloop.run(heeding_signals())
    except asyncio.CancelledError:
        sys.exit(INTERRUPTED)
