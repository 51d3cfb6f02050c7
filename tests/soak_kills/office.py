"""The work beside the traffic: files ingested, rates published, invoices, exports, jobs, rebuilds."""

import asyncio
import gzip
import json
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping
from datetime import UTC, datetime
from math import inf
from typing import Any

from tests.naive_prices import Table
from tests.soak_kills.commands import DONE, WITH_PROBLEMS, Commands, Ran
from tests.soak_kills.doors import Doors
from tests.soak_kills.drawing import OWN_MODELS, OWN_PROVIDER, Drawing
from tests.soak_kills.figures import Figures
from tests.soak_kills.memory import Exported, Memory
from tests.soak_kills.published import Publication
from tests.soak_kills.sending import Records

FILE_RECORDS = 1500
OWN_FROM = datetime(2025, 1, 1, tzinfo=UTC)
JOBS = ("export", "verify", "months", "unmetered", "unrated", "condense")
Stop = asyncio.Event


class Office:
    """Does one thing after the other, some by commands and some over HTTP."""

    def __init__(
        self,
        doors: Doors,
        commands: Commands,
        memory: Memory,
        records: Records,
        drawing: Drawing,
        figures: Figures,
    ) -> None:
        self._doors = doors
        self._commands = commands
        self._memory = memory
        self._records = records
        self._drawing = drawing
        self._dice = drawing.dice
        self._figures = figures
        self._numbers = 0

    async def run(self, stop: Stop, pause_s: float) -> None:
        """All kinds in turn, each time in another order."""
        actions: list[Callable[[Stop], Coroutine[Any, Any, None]]] = [
            self._ingest,
            self._publish,
            self._invoice_by_command,
            self._invoice_over_http,
            self._invoice_over_http,
            self._export_by_command,
            self._export_over_http,
            self._run_job,
            self._prove,
        ]
        while not stop.is_set():
            self._dice.shuffle(actions)
            for action in actions:
                if not stop.is_set():
                    await action(stop)
                    await asyncio.sleep(pause_s)

    async def _ingest(self, stop: Stop) -> None:
        """A file, again after each kill until all of it is told to be there."""
        requests = [self._memory.add(self._drawing.record()) for _ in range(FILE_RECORDS)]
        lines = b"\n".join(json.dumps(each.statements[0]).encode() for each in requests)
        is_packed = self._dice.random() < 0.5
        file = self._commands.folder / f"{self._name('in')}.ndjson{'.gz' if is_packed else ''}"
        file.write_bytes(gzip.compress(lines, 1) if is_packed else lines)
        while not stop.is_set():
            sendings = self._records.begin([(request, 0) for request in requests])
            ran = await self._commands.run("ingest", file)
            if ran.code in (DONE, WITH_PROBLEMS):
                self._records.settle(sendings, ran.document, f"ingest of {file.name}")
                self._figures.records["from files"] += len(requests)
                return

    async def _publish(self, _: Stop) -> None:
        """A new version of our own table, which has one more model than the last."""
        number = sum(
            each.table.provider == OWN_PROVIDER for each in self._memory.shelf.publications
        )
        models = {f"soak-model-{n}": self._prices() for n in range(min(number + 1, OWN_MODELS))}
        publication = Publication(
            f"v{number:03d}",
            Table(OWN_PROVIDER, OWN_FROM, models),
            asked_s=time.monotonic(),
            answered_s=inf,
        )
        file = self._commands.folder / f"{publication.version}.yaml"
        file.write_text(rate_file(publication))
        self._memory.shelf.publications.append(publication)
        while True:  # one at a time, to its end
            ran = await self._commands.run("rates", "publish", file)
            if ran.code == WITH_PROBLEMS:
                self._memory.find(f"publishing {file.name}: {ran.said}")
            if ran.code in (DONE, WITH_PROBLEMS):
                publication.answered_s = time.monotonic()
                return

    def _prices(self) -> Mapping[str, str]:
        price = self._dice.randint(1, 99_999)
        return {"input": f"{price / 1e4:.4f}", "output": f"{price * 3 / 1e4:.4f}"}

    async def _invoice_by_command(self, stop: Stop) -> None:
        words = ["--period", self._period()]
        if self._dice.random() < 0.3:
            words += ["--customer", self._dice.choice(self._drawing.customers)]
        ran = await self._commands.until_done("invoices", "run", *words, stop=stop)
        self._remember_issued([ran])

    async def _invoice_over_http(self, _: Stop) -> None:
        body = {"period": self._period()}
        if self._dice.random() < 0.7:
            body["customer_id"] = self._dice.choice(self._drawing.customers)
        answers = await asyncio.gather(  # at times both at once
            *(
                self._doors.ask(member, "POST", "/v1/invoices/runs", json=body)
                for member in self._dice.sample(self._doors.members, self._dice.choice((1, 2)))
            )
        )
        for answer in answers:
            if answer is not None and not answer.is_success:
                self._memory.find(f"invoices of {body}: {answer.status_code} {answer.text}")
            elif answer is not None:
                self._remember_issued([Ran(DONE, answer.json(), "")])

    def _remember_issued(self, runs: Iterable[Ran | None]) -> None:
        for head in (head for ran in runs if ran for head in ran.document.get("invoices", ())):
            if head["number"] in self._memory.issued:
                self._memory.find(f"{head['number']} was issued twice")
            self._memory.issued[head["number"]] = head

    def _period(self) -> str:
        """A month that is over, but the last, which is for the end."""
        return f"{self._dice.choice(self._drawing.months[:-2]):%Y-%m}"

    async def _export_by_command(self, _: Stop) -> None:
        """To its end, whoever waits for it: only then nothing of those that were killed is left."""
        folder = self._commands.folder / self._name("export")
        start_at, end_at = self._span()
        span = ("--from", start_at.isoformat(), "--to", end_at.isoformat())
        words = ("export", "usage", "invoices", *span, "--output", str(folder))
        code = None
        while code != DONE:
            exported = Exported(folder, start_at, end_at, time.monotonic())
            code = (await self._commands.run(*words)).code
        self._memory.exports.append(exported)

    async def _export_over_http(self, _: Stop) -> None:
        start_at, end_at = self._span()
        span = {"from": start_at.isoformat(), "to": end_at.isoformat()}
        asked_s = time.monotonic()
        member = self._doors.any(self._dice)
        answer = await self._doors.ask(member, "GET", "/v1/exports/usage.csv", params=span)
        if answer is not None:
            folder = self._commands.folder / self._name("stream")
            folder.mkdir()
            (folder / "usage.csv").write_bytes(answer.content)
            self._memory.exports.append(Exported(folder, start_at, end_at, asked_s))

    def _span(self) -> tuple[datetime, datetime]:
        first = self._dice.randrange(len(self._drawing.months) - 1)
        return self._drawing.months[first], self._drawing.months[first + 1]

    async def _run_job(self, _: Stop) -> None:
        """Killed, it leaves a run behind that somebody must end."""
        await self._commands.run("jobs", "run", self._dice.choice(JOBS))

    async def _prove(self, _: Stop) -> None:
        """While all goes on: what is derived follows from the log, byte for byte."""
        if self._dice.random() < 0.5:
            ran = await self._commands.run("verify")
            failed = [each for each in ran.document.get("checks", ()) if not each["ok"]]
        else:
            ran = await self._commands.run("rebuild")
            failed = [e for e in ran.document.get("projections", ()) if not e["identical"]]
        if failed:
            self._memory.find(f"meanwhile: {failed}")

    def _name(self, kind: str) -> str:
        self._numbers += 1
        return f"{kind}-{self._numbers:04d}"


def rate_file(publication: Publication) -> str:
    """A version as its YAML file."""
    table = publication.table
    models = (f"  {name}: {json.dumps(prices)}\n" for name, prices in table.models.items())
    return (
        f'provider: {table.provider}\nversion: "{publication.version}"\n'
        f"effective_from: {table.effective_from:%Y-%m-%dT%H:%M:%SZ}\n"
        "currency: USD\nsource: made up for a soak\nmodels:\n" + "".join(models)
    )
