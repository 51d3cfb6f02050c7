"""Servers as processes: started, found by the address they print, measured, ended by their own id."""

import asyncio
import os
import re
import sys
import time
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import psutil

START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 60
_LISTENING = re.compile(rb"listening on http://([\d.]+):(\d+)")
_KEPT_LINES = 30
_SAMPLE_EVERY_S = 0.2
_MEBIBYTE = 1024 * 1024


class ProcessFailed(Exception):
    """A process ended before it did what it was started for; the text has the end of what it said."""


class ServerProcess:
    """A server that listens. `said` keeps the last lines of its standard error."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.said: deque[bytes] = deque(maxlen=_KEPT_LINES)
        self.host, self.port = "", 0

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{self.host}:{self.port}"

    def cpu_s(self) -> float:
        """Processor time it has used."""
        times = psutil.Process(self.process.pid).cpu_times()
        return float(times.user + times.system)

    async def await_listening(self) -> None:
        """Read what it says until it tells where it listens.

        Raises:
            ProcessFailed: it ended instead.
        """
        assert self.process.stderr is not None  # noqa: S101 - start_server asked for a pipe
        async for line in self.process.stderr:
            self.said.append(line)
            if match := _LISTENING.search(line):
                self.host, self.port = match[1].decode(), int(match[2])
                return
        raise ProcessFailed(b"".join(self.said).decode(errors="replace"))

    async def drain(self) -> None:
        """Go on reading what it says, so that it never waits for a reader."""
        assert self.process.stderr is not None  # noqa: S101 - the same
        async for line in self.process.stderr:
            self.said.append(line)


@asynccontextmanager
async def server_process(
    *arguments: str, environment: Mapping[str, str]
) -> AsyncIterator[ServerProcess]:
    """Run `python -m ARGUMENTS` until the block ends.

    Raises:
        ProcessFailed: it did not come to listen.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        *arguments,
        env={**os.environ, **environment},
        stderr=asyncio.subprocess.PIPE,
    )
    server = ServerProcess(process)
    reader: asyncio.Task[None] | None = None
    try:
        await asyncio.wait_for(server.await_listening(), START_TIMEOUT_S)
        reader = asyncio.create_task(server.drain())
        yield server
    finally:
        await end_process(process)
        if reader is not None:
            await reader


class Ended(msgspec.Struct, frozen=True):
    """A command that has ended: the JSON document it printed, how long it took, the most memory it held."""

    document: dict[str, Any]
    elapsed_s: float
    peak_mib: int


async def run_command(url: str, *words: str) -> Ended:
    """Run `ledger WORDS --json` on a database as a process of its own, and watch its memory.

    Raises:
        ProcessFailed: it ended with another code than 0.
    """
    started_at = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ledger", *words, "--json"),
        env={**os.environ, "LEDGER_DATABASE_URL": url},
        stdout=asyncio.subprocess.PIPE,
    )
    answer = asyncio.create_task(process.communicate())
    peak_bytes = 0
    while not answer.done():
        peak_bytes = max(peak_bytes, _resident(process.pid))
        await asyncio.wait([answer], timeout=_SAMPLE_EVERY_S)
    elapsed_s = time.perf_counter() - started_at
    if process.returncode != 0:
        raise ProcessFailed(f"ledger {words[0]} ended with {process.returncode}")
    return Ended(msgspec.json.decode((await answer)[0]), elapsed_s, peak_bytes // _MEBIBYTE)


async def end_process(process: asyncio.subprocess.Process) -> None:
    """Ask a process to end, and end it if it does not; one that has ended is fine."""
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), STOP_TIMEOUT_S)
    except TimeoutError:
        process.kill()
        await process.wait()


def peak_resident_bytes(process_id: int) -> int:
    """The most memory that a live process has held; where the system does not tell, what it holds now."""
    try:
        status = Path(f"/proc/{process_id}/status").read_text()
    except FileNotFoundError:
        return int(psutil.Process(process_id).memory_info().rss)
    match = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(match[1]) * 1024 if match else 0


def _resident(process_id: int) -> int:
    try:
        return peak_resident_bytes(process_id)
    except ProcessLookupError:  # it has just ended
        return 0
