"""Killing something every few seconds, and starting it again."""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from contextlib import suppress
from random import Random
from typing import Any

from tests.soak_kills.figures import Figures, Recovery
from tests.soak_kills.machines import DoesNotStart, DoesNotStop, Member, Postgres
from tests.soak_kills.memory import Memory

MOST_AWAY_S = 90
LONGEST_PAUSE_S = 0.6  # before it is started again
IN_RECOVERY_SHARE = 0.25  # of the kills: whoever was killed before may not be back
MOST_PATIENCE_S = 15
Kill = Callable[[], Coroutine[Any, Any, None]]


class Killer:
    """Kills at random among what runs; a restart goes on beside the next kill."""

    def __init__(
        self,
        postgres: Postgres,
        members: tuple[Member, Member],
        dice: Random,
        memory: Memory,
        figures: Figures,
        recovery: Recovery,
    ) -> None:
        self._postgres = postgres
        self._members = members
        self._dice = dice
        self._memory = memory
        self._figures = figures
        self._recovery = recovery
        self._down: set[str] = set()
        self._restarts: set[asyncio.Task[None]] = set()

    @property
    def kills(self) -> int:
        return sum(self._figures.kills.values())

    async def run(self, stop: asyncio.Event, every_s: float) -> None:
        """Until told to stop."""
        kinds: list[tuple[int, Kill]] = [
            (40, self._kill_server),
            (8, self._stop_server),
            (10, self._stop_server_twice),
            (14, self._kill_postgres),
            (8, self._kill_postmaster),
            (14, self._kill_backend),
        ]
        weights, choices = zip(*kinds, strict=True)
        while not stop.is_set():
            await asyncio.sleep(self._dice.uniform(0.4, 1.6) * every_s)
            if self._dice.random() > IN_RECOVERY_SHARE:
                await self._somebody_answers()
            if self._recovery.longest_s() > MOST_AWAY_S:
                self._memory.find(f"somebody has not answered for {MOST_AWAY_S} s")
                return
            [kill] = self._dice.choices(choices, weights)
            await kill()

    async def finish(self) -> None:
        """Wait until everything that was killed runs again."""
        while self._restarts:
            await asyncio.gather(*self._restarts)

    async def _somebody_answers(self) -> None:
        """A slow machine should not kill what does nothing; nor wait for ever."""
        with suppress(TimeoutError):
            async with asyncio.timeout(MOST_PATIENCE_S):
                while self._recovery.away == len(self._members):  # noqa: ASYNC110 - soon enough
                    await asyncio.sleep(0.05)

    async def _kill_server(self) -> None:
        member = self._running_member()
        if member is not None:
            self._end(member, "server -9", member.kill())

    async def _stop_server(self) -> None:
        member = self._running_member()
        if member is not None:
            self._end(member, "server TERM", member.stop())

    async def _stop_server_twice(self) -> None:
        member = self._running_member()
        if member is not None:
            by = self._dice.choice((signal.SIGTERM, signal.SIGINT))
            again_after_s = self._dice.uniform(0, 0.5)
            self._end(member, "server TERM twice", member.stop(again_after_s=again_after_s, by=by))

    async def _kill_postgres(self) -> None:
        self._end_postgres("postgresql -9", self._postgres.kill)

    async def _kill_postmaster(self) -> None:
        self._end_postgres("postmaster -9", self._postgres.kill_first)

    async def _kill_backend(self) -> None:
        """PostgreSQL ends all sessions then, and recovers by itself."""
        if _POSTGRES not in self._down:
            self._count("backend -9", *self._members)
            self._postgres.kill_one(self._dice)

    def _running_member(self) -> Member | None:
        running = [member for member in self._members if member.name not in self._down]
        return self._dice.choice(running) if running else None

    def _end(self, member: Member, kind: str, ending: Coroutine[Any, Any, None]) -> None:
        self._count(kind, member)
        self._down.add(member.name)
        self._beside(self._restart_member(member, ending))

    def _end_postgres(self, kind: str, kill: Callable[[], None]) -> None:
        if _POSTGRES not in self._down:
            self._count(kind, *self._members)
            self._down.add(_POSTGRES)
            kill()
            self._beside(self._restart_postgres())

    def _count(self, kind: str, *away: Member) -> None:
        self._figures.kills[kind] += 1
        self._figures.tell(f"{kind}: {', '.join(member.name for member in away)}")
        self._recovery.killed(kind, *(member.name for member in away))

    async def _restart_member(self, member: Member, ending: Coroutine[Any, Any, None]) -> None:
        try:
            await ending
            await asyncio.sleep(self._dice.uniform(0, LONGEST_PAUSE_S))
            await member.start()
        except (DoesNotStart, DoesNotStop) as failure:
            self._memory.find(f"{type(failure).__name__}: {failure}")
            await member.start()
        self._figures.restarts["server"] += 1
        self._figures.tell(f"{member.name} listens again")
        self._down.discard(member.name)

    async def _restart_postgres(self) -> None:
        await asyncio.sleep(self._dice.uniform(0, LONGEST_PAUSE_S))
        await self._postgres.start()
        self._figures.restarts["postgresql"] += 1
        self._figures.tell("PostgreSQL answers again")
        self._down.discard(_POSTGRES)

    def _beside(self, restart: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(restart)
        self._restarts.add(task)
        task.add_done_callback(self._restarts.discard)


_POSTGRES = "postgresql"
