import asyncio
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


async def run_in_thread(call: Callable[[], Result]) -> Result:
    """Runs blocking work in a thread and never leaves it running behind.

    A thread cannot be cancelled. When the caller is, the work is first waited for, so that what
    comes next (a stop, the release of a lock) meets a settled state.
    """
    work = asyncio.ensure_future(asyncio.to_thread(call))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait([work])
        raise
