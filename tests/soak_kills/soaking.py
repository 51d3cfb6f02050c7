"""One soak from an empty data folder to the judgement."""

import asyncio
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from random import Random

from tests.conftest import ADMIN_KEY
from tests.naive_prices import NO_FEE, Terms
from tests.servers import data_folder
from tests.soak_kills.commands import Commands
from tests.soak_kills.deciding import Decisions
from tests.soak_kills.doors import Doors
from tests.soak_kills.drawing import Drawing
from tests.soak_kills.evidence import Asking, Evidence
from tests.soak_kills.figures import Figures, Recovery
from tests.soak_kills.judging import judge
from tests.soak_kills.killing import Killer
from tests.soak_kills.machines import Member, Postgres
from tests.soak_kills.memory import Memory
from tests.soak_kills.office import Office
from tests.soak_kills.published import Shelf, shipped
from tests.soak_kills.sending import Records, Senders

RATES = Path(__file__).parents[2] / "pricing" / "rates"
METERS = {
    "soak-share": (Terms(Decimal("12.5")), {"percentage": "12.5"}),
    "soak-call": (
        Terms(Decimal("0.0003"), "requests"),
        {"kind": "fixed", "unit": "requests", "rate": "0.0003"},
    ),
    "soak-free": (NO_FEE, {}),
}
READY_S, JOBS_END_S = 60, 60


@dataclass(frozen=True)
class Plan:
    """How long, how hard; the same seed draws the same, though not what comes of it."""

    seconds: float
    seed: int
    kills_at_least: int
    senders: int = 5
    is_told: bool = False
    office_pause_s: float = 1.0
    decisions_pause_s: float = 0.15

    @property
    def kill_every_s(self) -> float:
        """A little faster than needed: at times nothing runs that could be killed."""
        return min(6.0, 0.75 * self.seconds / max(1, self.kills_at_least))


@dataclass
class Soaked:
    """What came of it."""

    memory: Memory
    evidence: Evidence
    findings: Sequence[str]
    figures: Figures = field(default_factory=Figures)


class Soak:
    """All the parts of one soak, on one memory."""

    def __init__(self, plan: Plan, folder: Path, postgres: Postgres, database_url: str) -> None:
        self.plan = plan
        self.figures = Figures(is_told=plan.is_told)
        self.memory = Memory(Shelf(shipped(RATES)))
        self.database_url = database_url
        self.postgres = postgres
        environment = {
            "LEDGER_DATABASE_URL": database_url,
            "LEDGER_ADMIN_KEY": ADMIN_KEY,
            "LEDGER_EXPORT_DIR": str(folder / "by-jobs"),
        }
        self.recovery = Recovery(self.figures)
        self.members = Member("server 1", environment), Member("server 2", environment)
        self.drawing = Drawing(Random(f"{plan.seed}:traffic"), datetime.now(UTC))
        dice = Random(f"{plan.seed}:commands")
        self.commands = Commands(environment, folder, dice, self.memory, self.figures)

    async def run(self) -> Soaked:
        """Start, play, kill; then bring everything back, ask and judge."""
        try:
            await asyncio.gather(*(member.start() for member in self.members))
            async with Doors(self.members, self.memory, self.figures, self.recovery) as doors:
                await self._set_up(doors)
                await self._play(doors)
                await self._settle(doors)
                self.figures.seconds = time.monotonic() - self.figures.begun_s
                asking = Asking(doors, self.commands, self.memory, self.drawing)
                evidence = await asking.gather(self.database_url)
        finally:
            await self._end()
        for member in self.members:
            for said in member.own_ends:
                self.memory.find(f"{member.name} ended by itself: {said}")
        findings = judge(self.memory, evidence)
        self._count(evidence)
        return Soaked(self.memory, evidence, findings, self.figures)

    async def _set_up(self, doors: Doors) -> None:
        """Meters, and customers that have them, before anything is killed."""
        for slug, (terms, form) in METERS.items():
            self.memory.terms[slug] = terms
            body = {"meter_slug": slug, **form}
            assert await doors.ask(self.members[0], "POST", "/v1/meters", json=body)
        for number, customer in enumerate(self.drawing.customers):
            slug = list(METERS)[number % len(METERS)]
            self.memory.meters[customer] = slug
            path = f"/v1/customers/{customer}"
            assert await doors.ask(self.members[0], "PUT", path, json={"meter_slug": slug})

    async def _play(self, doors: Doors) -> None:
        """Everything at once for the time of the plan, or longer until enough was killed."""
        stop, stop_killing = asyncio.Event(), asyncio.Event()
        plan, memory, figures = self.plan, self.memory, self.figures
        records = Records(doors, memory, figures)
        senders = Senders(doors, memory, records, self.drawing)
        decisions = Decisions(doors, memory, records, self.drawing, figures)
        office = Office(doors, self.commands, memory, records, self.drawing, figures)
        dice = Random(f"{plan.seed}:kills")
        killer = Killer(self.postgres, self.members, dice, memory, figures, self.recovery)
        async with asyncio.TaskGroup() as tasks:
            for _ in range(plan.senders):
                tasks.create_task(senders.run(stop))
            tasks.create_task(decisions.run(stop, plan.decisions_pause_s))
            tasks.create_task(office.run(stop, plan.office_pause_s))
            killing = tasks.create_task(killer.run(stop_killing, plan.kill_every_s))
            await asyncio.sleep(plan.seconds)
            while killer.kills < plan.kills_at_least and not killing.done():  # noqa: ASYNC110
                await asyncio.sleep(0.2)
            stop_killing.set()
            stop.set()
        await killer.finish()

    async def _settle(self, doors: Doors) -> None:
        """Both servers anew, nothing left to do; then the last month is invoiced."""
        await asyncio.gather(*(self._start_again(doors, member) for member in self.members))
        await self._until_jobs_ended(doors)
        jobs = (("jobs", "run", name) for name in ("unrated", "export"))
        await asyncio.gather(*(self.commands.run(*job, may_be_killed=False) for job in jobs))
        body = {"period": f"{self.drawing.months[-2]:%Y-%m}"}
        answer = await doors.ask(self.members[1], "POST", "/v1/invoices/runs", json=body)
        if answer is None or not answer.is_success:
            self.memory.find(f"the last invoices: {answer and answer.text}")

    async def _start_again(self, doors: Doors, member: Member) -> None:
        await member.stop()
        await member.start()
        self.figures.restarts["server"] += 1
        await self._until_ready(doors, member)

    async def _until_ready(self, doors: Doors, member: Member) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(READY_S):
                while await doors.ask(member, "GET", "/readyz") is None:  # noqa: ASYNC110
                    await asyncio.sleep(0.1)
                return
        self.memory.find(f"{member.name} is not ready after {READY_S} s")

    async def _until_jobs_ended(self, doors: Doors) -> None:
        """A server that looks after the jobs marks what the killed have left running."""
        with suppress(TimeoutError):
            async with asyncio.timeout(JOBS_END_S):
                while True:
                    answer = await doors.ask(self.members[0], "GET", "/v1/jobs")
                    runs = [each["last_run"] for each in answer.json()["data"]] if answer else [{}]
                    if all(
                        run is None or run.get("outcome", "running") != "running" for run in runs
                    ):
                        return
                    await asyncio.sleep(0.5)

    async def _end(self) -> None:
        running = (member for member in self.members if member.url is not None)
        await asyncio.gather(*(member.stop() for member in running))

    def _count(self, evidence: Evidence) -> None:
        self.figures.failed_starts = sum(member.failed_starts for member in self.members)
        self.figures.judged = {
            "errors_in_logs": dict(sum((each.errors for each in self.members), Counter())),
            "requests_sent": len(self.memory.requests),
            "rows": len(evidence.usage),
            "invoices": len(evidence.invoices),
            "alerts": len(evidence.alerts),
            "limits": len(evidence.limits),
            "keys": len(evidence.keys),
            "in_quarantine": len(evidence.refused),
            "exports": len(evidence.exports),
            "verify_s": round(evidence.verify_s, 1),
        }


async def soak(plan: Plan) -> Soaked:
    """Play a plan in folders of its own, which are removed after."""
    with data_folder() as data, _folder() as files:
        async with _postgres(data) as postgres:
            return await Soak(plan, files, postgres, postgres.server.url()).run()


@asynccontextmanager
async def _postgres(folder: Path) -> AsyncIterator[Postgres]:
    postgres = Postgres(folder)
    await postgres.start()
    try:
        yield postgres
    finally:
        await postgres.stop()


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="ledger-soak-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
