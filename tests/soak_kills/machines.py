"""The processes under the soak: one PostgreSQL, two `ledger serve`; killed by their ids and started again."""

import asyncio
import os
import signal
import sys
from collections import Counter, deque
from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from random import Random

import psutil

from ledger.bench.processes import START_TIMEOUT_S, ProcessFailed, ServerProcess
from ledger.store.embedded import EmbeddedServer, embedded_server

STOP_TIMEOUT_S = 50
MOST_STARTS = 20
KEPT_LINES = 2000
PAUSE_S = 0.5


class DoesNotStart(Exception):
    """A server that was killed did not come back."""


class DoesNotStop(Exception):
    """A server that was told to stop went on."""


class Postgres:
    """PostgreSQL in a data folder, durable, with the settings that the product ships."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held = AsyncExitStack()
        self._server: EmbeddedServer | None = None

    @property
    def server(self) -> EmbeddedServer:
        assert self._server is not None, "PostgreSQL was not started"
        return self._server

    async def start(self) -> None:
        """Start it, or wait until it answers. The former start is let go after: the last would stop it."""
        before, self._held = self._held, AsyncExitStack()
        self._server = await self._held.enter_async_context(embedded_server(self._folder))
        await before.aclose()

    async def stop(self) -> None:
        await self._held.aclose()

    def kill(self) -> None:
        """All of its processes at once."""
        postmaster = psutil.Process(self.server.process_id)
        for process in (postmaster, *postmaster.children()):
            _kill(process)

    def kill_first(self) -> None:
        """Only the first; the others notice, and end by themselves."""
        _kill(psutil.Process(self.server.process_id))

    def kill_one(self, dice: Random) -> None:
        """One of a session or of the background; the first ends all others and recovers."""
        children = psutil.Process(self.server.process_id).children()
        if children:
            _kill(dice.choice(children))


class Member:
    """A `ledger serve` that is started again whenever it has ended."""

    def __init__(self, name: str, environment: Mapping[str, str]) -> None:
        self.name = name
        self.failed_starts = 0
        self.errors: Counter[str] = Counter()  # lines of its log, without their time
        self.own_ends: list[str] = []  # what it said when it ended and nobody had ended it
        self._environment = environment
        self._running: ServerProcess | None = None
        self._reader: asyncio.Task[None] | None = None

    @property
    def url(self) -> str | None:
        """Where it listens, if it was not killed."""
        return self._running.url if self._running else None

    @property
    def said(self) -> str:
        """The end of what it told on its standard error."""
        return b"".join(self._running.said).decode(errors="replace") if self._running else ""

    async def start(self) -> None:
        """Start it; again where PostgreSQL was away at the time.

        Raises:
            DoesNotStart: with what it said last.
        """
        for _ in range(MOST_STARTS):
            try:
                self._running = await self._started()
            except ProcessFailed as failure:
                self.failed_starts += 1
                said = str(failure)
                await asyncio.sleep(PAUSE_S)
            else:
                self._reader = asyncio.create_task(self._running.drain())
                return
        raise DoesNotStart(f"{self.name}: {said}")

    async def _started(self) -> ServerProcess:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "ledger", "serve", "--port", "0"),
            env={**os.environ, **self._environment},
            stderr=asyncio.subprocess.PIPE,
        )
        server = ServerProcess(process)
        server.said = deque(maxlen=KEPT_LINES)
        try:
            await asyncio.wait_for(server.await_listening(), START_TIMEOUT_S)
        except BaseException:
            signal_to(process, signal.SIGKILL)
            await process.wait()
            raise
        return server

    async def kill(self) -> None:
        """End it at once."""
        server = self._leave()
        signal_to(server.process, signal.SIGKILL)
        await self._gone(server)

    async def stop(self, *, again_after_s: float | None = None, by: int = signal.SIGTERM) -> None:
        """Ask it to end, by a second signal a moment later if that is wanted.

        Raises:
            DoesNotStop: it did not.
        """
        server = self._leave()
        signal_to(server.process, signal.SIGTERM)
        if again_after_s is not None:
            await asyncio.sleep(again_after_s)
            signal_to(server.process, by)
        try:
            await asyncio.wait_for(server.process.wait(), STOP_TIMEOUT_S)
        except TimeoutError:
            signal_to(server.process, signal.SIGKILL)
            said = b"".join(server.said).decode(errors="replace")
            raise DoesNotStop(f"{self.name} after {STOP_TIMEOUT_S} s: {said}") from None
        finally:
            await self._gone(server)

    def _leave(self) -> ServerProcess:
        """From now on nobody is sent to it."""
        server, self._running = self._running, None
        assert server is not None, f"{self.name} does not run"
        if server.process.returncode is not None:
            self.own_ends.append(b"".join(server.said).decode(errors="replace"))
        return server

    async def _gone(self, server: ServerProcess) -> None:
        await server.process.wait()
        if self._reader is not None:
            await self._reader
        errors = (line.decode(errors="replace") for line in server.said if b" ERROR " in line)
        self.errors.update(line.partition(" ERROR ")[2].strip() for line in errors)


def _kill(process: psutil.Process) -> None:
    with suppress(psutil.NoSuchProcess):  # it has just ended
        process.kill()


def signal_to(process: asyncio.subprocess.Process, number: int) -> None:
    """By its id: asyncio's own way may collect a process that has just ended, and then misses its end."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.kill(process.pid, number)
