"""`ledger` commands as processes of their own, some killed midway and begun again."""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

from tests.soak_kills.figures import Figures
from tests.soak_kills.machines import signal_to
from tests.soak_kills.memory import Memory

PATIENCE_S = 120
DONE, WITH_PROBLEMS, NO_DATABASE = 0, 1, 2
KILLED_SHARE = 0.35
EARLIEST_KILL_S, LATEST_KILL_S = 0.4, 2.0  # a command begins to work after some 0.7 s


@dataclass(frozen=True)
class Ran:
    """How a command ended: `code` is negative when it was killed; its document if it printed one."""

    code: int
    document: dict[str, Any]
    said: str
    elapsed_s: float = 0.0


class Commands:
    """Runs commands; what must not come of one is found."""

    def __init__(
        self,
        environment: Mapping[str, str],
        folder: Path,
        dice: Random,
        memory: Memory,
        figures: Figures,
    ) -> None:
        self.folder = folder
        self.dice = dice
        self._environment = environment
        self._memory = memory
        self._figures = figures

    async def run(self, *words: str | Path, may_be_killed: bool = True) -> Ran:
        """Run one once, perhaps only for a while."""
        begun_s = time.monotonic()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "ledger", *map(str, words), "--json"),
            env={**os.environ, **self._environment},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        killing = None
        if may_be_killed and self.dice.random() < KILLED_SHARE:
            killing = asyncio.create_task(self._kill(process))
        try:
            out, said = await asyncio.wait_for(process.communicate(), PATIENCE_S)
        except TimeoutError:
            self._memory.find(f"{words}: did not end in {PATIENCE_S} s")
            signal_to(process, signal.SIGKILL)
            out, said = await process.communicate()
        finally:
            if killing is not None:
                killing.cancel()
        ran = self._ended(words, process.returncode or 0, out, said.decode(errors="replace"))
        return replace(ran, elapsed_s=time.monotonic() - begun_s)

    async def until_done(self, *words: str | Path, stop: asyncio.Event | None = None) -> Ran | None:
        """Repeat one until it has come to its end; None when it was told to stop meanwhile."""
        while (ran := await self.run(*words)).code not in (DONE, WITH_PROBLEMS):
            if stop is not None and stop.is_set():
                return None
            await asyncio.sleep(0.5)
        return ran

    async def _kill(self, process: asyncio.subprocess.Process) -> None:
        await asyncio.sleep(self.dice.uniform(EARLIEST_KILL_S, LATEST_KILL_S))
        if process.returncode is None:
            signal_to(process, signal.SIGKILL)

    def _ended(self, words: tuple[str | Path, ...], code: int, out: bytes, said: str) -> Ran:
        name = " ".join(map(str, words[: 2 if words[0] in ("jobs", "rates", "invoices") else 1]))
        ends = {DONE: "done", WITH_PROBLEMS: "with problems", NO_DATABASE: "no database"}
        end = "killed" if code == -signal.SIGKILL else ends.get(code, str(code))
        self._figures.commands[f"{name}: {end}"] += 1
        if end == str(code) or (code != DONE and "Traceback" in said):
            self._memory.find(f"{words} ended with {code}:\n{said}")
        document = json.loads(out) if code in (DONE, WITH_PROBLEMS) and out.strip() else {}
        if code == WITH_PROBLEMS and not document:
            self._memory.find(f"{words} ended with 1 and no document:\n{said}")
        return Ran(code, document, said)
