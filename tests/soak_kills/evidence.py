"""All that the ledger says in the end, as the judge reads it; asked once everything runs and is quiet."""

import asyncio
import csv
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg

from tests.soak_kills.commands import DONE, Commands
from tests.soak_kills.doors import Doors
from tests.soak_kills.drawing import Drawing
from tests.soak_kills.machines import Member
from tests.soak_kills.memory import Exported, Key, Memory

Cells = dict[str, str]
RowKey = tuple[str, str, int]  # customer, request id, revision
Position = tuple[int, int]  # lane, batch
Page = list[dict[str, Any]]
POSITIONS = """
SELECT c.customer_id, ledger.request_id_text(e.request_id, e.opaque_id), e.revision, e.lane, e.batch
FROM ledger.usage_event e JOIN ledger.customer c USING (customer)
"""


@dataclass
class Files:
    """The files of an export as they lie there; `sha256` and `as_of` are of its manifest, if it has one."""

    exported: Exported
    usage: list[Cells]
    as_of: str | None = None
    sha256: dict[str, tuple[str, str]] = field(default_factory=dict)  # said and found, by file


@dataclass
class Evidence:
    """What the ledger shows. `usage` is the whole usage.csv; `spend` is by customer, model and day."""

    usage: list[Cells]
    positions: dict[RowKey, Position] = field(default_factory=dict)
    spend: Page = field(default_factory=list)
    invoices: Page = field(default_factory=list)
    drafts: Page = field(default_factory=list)  # of the month that is not over
    alerts: Page = field(default_factory=list)
    limits: Page = field(default_factory=list)
    keys: Page = field(default_factory=list)
    key_statuses: dict[str, list[int]] = field(default_factory=dict)
    versions: set[tuple[str, str]] = field(default_factory=set)
    refused: set[Key] = field(default_factory=set)  # what lies in quarantine
    not_kept: int = 0
    jobs: Page = field(default_factory=list)
    verified: dict[str, Any] = field(default_factory=dict)
    verify_s: float = 0.0  # how long that took, beside a rebuild
    rebuilt: dict[str, Any] = field(default_factory=dict)
    exports: list[Files] = field(default_factory=list)
    leftovers: list[str] = field(default_factory=list)


class Asking:
    """Asks the servers in turn, and the command line."""

    def __init__(self, doors: Doors, commands: Commands, memory: Memory, drawing: Drawing) -> None:
        self._doors = doors
        self._commands = commands
        self._memory = memory
        self._drawing = drawing
        self._turns = 0

    async def gather(self, database_url: str) -> Evidence:
        """Everything; the last month that is over has been invoiced before."""
        proofs = asyncio.gather(
            *(self._commands.run(name, may_be_killed=False) for name in ("verify", "rebuild"))
        )
        day_after = self._drawing.end_at + timedelta(days=1)
        span = (self._drawing.start_at, day_after)
        folder = await self._export_all(*span)
        memory = self._memory
        shown = await self._pages("/v1/invoices", "number")
        month = {"period": f"{self._drawing.months[-1]:%Y-%m}", "dry_run": True}
        quarantine = await self._pages("/v1/quarantine", None, limit=100)
        rates = await self._get("/v1/rates")
        verified, rebuilt = await proofs
        return Evidence(
            usage=read_csv(folder / "usage.csv"),
            positions=await read_positions(database_url),
            spend=[row async for row in self._spend(*span)],
            invoices=[await self._get(f"/v1/invoices/{head['number']}") for head in shown],
            drafts=(await self._ask("POST", "/v1/invoices/runs", json=month))["invoices"],
            alerts=[alert async for alert in self._alerts()],
            limits=(await self._get("/v1/limits"))["data"],
            keys=await self._pages("/v1/keys", "key_id"),
            key_statuses={each.key_id: await self._statuses(each.text) for each in memory.keys},
            versions={(each["provider"], each["version"]) for each in rates["data"]},
            refused={(each["customer_id"], each["request_id"]) for each in quarantine},
            not_kept=(await self._get("/v1/quarantine"))["not_kept"],
            jobs=(await self._get("/v1/jobs"))["data"],
            verified=verified.document,
            verify_s=verified.elapsed_s,
            rebuilt=rebuilt.document,
            exports=[read_files(each) for each in memory.exports],
            leftovers=[str(path) for path in self._commands.folder.rglob(".*")],
        )

    async def _export_all(self, start_at: datetime, end_at: datetime) -> Path:
        """By the command; the stream of a server must be the same bytes."""
        folder = self._commands.folder / "all"
        span = {"from": start_at.isoformat(), "to": end_at.isoformat()}
        options = [word for name, value in span.items() for word in (f"--{name}", value)]
        words = ("export", "usage", "invoices", *options, "--output", str(folder))
        ran = await self._commands.run(*words, may_be_killed=False)
        assert ran.code == DONE, ran.said
        self._memory.exports.append(Exported(folder, start_at, end_at, 0))
        for name in ("usage.csv", "invoices.csv"):
            answer = await self._doors.ask(self._next(), "GET", f"/v1/exports/{name}", params=span)
            if answer is None or answer.content != (folder / name).read_bytes():
                self._memory.find(f"{name} over HTTP is not that of the command")
        return folder

    async def _spend(self, start_at: datetime, end_at: datetime) -> Any:
        span = {"from": start_at.isoformat(), "to": end_at.isoformat()}
        for customer in self._drawing.customers:
            question = {**span, "group_by": "model,day", "customer_id": customer}
            for row in (await self._get("/v1/spend", **question))["rows"]:
                yield {"customer": customer, **row}

    async def _alerts(self) -> Any:
        for customer in self._drawing.customers:
            for alert in (await self._get("/v1/alerts", customer_id=customer))["data"]:
                yield alert

    async def _statuses(self, key: str) -> list[int]:
        """What each server says to who comes with a key."""
        answers = [
            await self._doors.ask(each, "GET", "/v1/models", key) for each in self._doors.members
        ]
        return [0 if answer is None else answer.status_code for answer in answers]

    async def _pages(self, path: str, order: str | None, limit: int = 1000) -> list[dict[str, Any]]:
        """All of a list; it must come in its order."""
        page = await self._get(path, limit=limit)
        rows: list[dict[str, Any]] = page["data"]
        while page["has_more"]:
            page = await self._get(path, limit=limit, cursor=page["next_cursor"])
            rows += page["data"]
        if order is not None and len({row[order] for row in rows}) < len(rows):
            self._memory.find(f"{path} shows something twice")
        return rows

    async def _get(self, path: str, **params: Any) -> Any:
        return await self._ask("GET", path, params=params)

    async def _ask(self, method: str, path: str, **said: Any) -> Any:
        answer = await self._doors.ask(self._next(), method, path, **said)
        assert answer is not None, f"{method} {path}: no answer with everything up"
        assert answer.is_success, f"{method} {path}: {answer.text}"
        return answer.json()

    def _next(self) -> Member:
        self._turns += 1
        return self._doors.members[self._turns % 2]


def read_csv(file: Path) -> list[Cells]:
    """The rows of a CSV file by its header."""
    with file.open(encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text, strict=True))


def read_files(exported: Exported) -> Files:
    """An export, with the digests of what lies there."""
    files = Files(exported, read_csv(exported.folder / "usage.csv"))
    manifest = exported.folder / "manifest.json"
    if manifest.exists():
        said = json.loads(manifest.read_bytes())
        files.as_of = said["as_of"]
        for each in said["files"]:
            content = (exported.folder / each["name"]).read_bytes()
            files.sha256[each["name"]] = each["sha256"], hashlib.sha256(content).hexdigest()
    return files


async def read_positions(database_url: str) -> dict[RowKey, Position]:
    """Where in the log each row stands, which no answer shows."""
    connection = await asyncpg.connect(database_url)
    try:
        return dict(_placed(await connection.fetch(POSITIONS)))
    finally:
        await connection.close()


def _placed(rows: Any) -> Iterator[tuple[RowKey, Position]]:
    for customer, request_id, revision, lane, batch in rows:
        yield (customer, request_id, revision), (lane, batch)
