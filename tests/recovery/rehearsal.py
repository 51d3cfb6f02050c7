"""A rehearsal of docs/backup.md on a server that archives, with records coming in through `ledger serve`.

base backup ── the server is killed ── it goes on ── target ── invoices ── a table is dropped
                 └ restored to the end                 └ restored to here
"""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec

from ledger.bench.processes import server_process
from ledger.bench.records import Mix, record_lines
from ledger.store.database import owner_connection
from ledger.store.embedded import embedded_server
from tests.recovery.machine import Machine, Restored, archiving_machine, ledger
from tests.recovery.manifest import require_whole
from tests.recovery.noted import (
    Noted,
    ask_again,
    document,
    issue,
    note,
    seal,
    send_again,
    spend_rows,
)
from tests.recovery.page import BACKUP, LOST, TARGET, ledger_commands
from tests.recovery.traffic import Traffic
from tests.servers import data_folder

JUNE, JULY = datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC)
MIX = Mix(customers=30, models=20)
LIMITED = "customer-00001"
MOST_RECORDS = 1 << 22
ACCIDENT = "DROP TABLE ledger.usage_event CASCADE"
_MEBIBYTE = 1024 * 1024
_PATIENCE_S = 60


class Rehearsal(msgspec.Struct):
    """What was measured: records, seconds, MiB. What must be so is asserted on the way."""

    base_backup_s: float = 0
    base_backup_mib: int = 0
    acknowledged_during_base_backup: int = 0
    archive_segments: int = 0
    acknowledged_before_kill: int = 0
    killed_restored_s: float = 0
    killed_missing: int = 0
    killed_missing_without_last_log: int = 0
    acknowledged_before_target: int = 0
    restored_s: float = 0
    missing_before_target: int = 0
    sent_after_target: int = 0
    accepted_after_target: int = 0
    invoices_after_target: int = 0
    invoices_issued_alike_again: int = 0
    elapsed_s: float = 0


class Target(msgspec.Struct, frozen=True):
    """A time to restore to, between two marks of the traffic."""

    before: int
    time: str
    since: int


class Later(msgspec.Struct, frozen=True):
    """What was there when the accident came: the last heads, invoices since the target, all spend."""

    heads: Path
    invoices: list[tuple[str, ...]]
    spend_rows: list[dict[str, Any]]


class Stage(msgspec.Struct, frozen=True):
    """Where a rehearsal plays: the machine, its ledger behind HTTP, and the figures."""

    machine: Machine
    http: httpx.AsyncClient
    figures: Rehearsal

    @property
    def url(self) -> str:
        """The ledger's database."""
        return self.machine.server.url()

    def file(self, name: str) -> Path:
        """A file of the rehearsal."""
        return self.machine.folder / name


async def rehearse(records: int, parent: Path | None = None) -> Rehearsal:
    """Play all of it, with at least so many records acknowledged before and after each event.

    `parent` is where the folder of the machine lies, by default among the temporary ones.

    Raises:
        AssertionError, CommandFailed: something is not as the page says.
    """
    began_at = time.monotonic()
    with data_folder(parent) as folder:
        async with _stage(folder) as stage:
            traffic = Traffic(record_lines(MOST_RECORDS, JUNE, MIX))
            await _be_killed(stage, traffic, records)
            async with embedded_server(stage.machine.server.data_dir):  # which starts it again
                await _meet_with_an_accident(stage, traffic, records)
    stage.figures.elapsed_s = round(time.monotonic() - began_at, 1)
    return stage.figures


@asynccontextmanager
async def _stage(folder: Path) -> AsyncIterator[Stage]:
    key = secrets.token_hex(32)
    async with archiving_machine(folder) as machine:
        environment = {"LEDGER_DATABASE_URL": machine.server.url(), "LEDGER_ADMIN_KEY": key}
        async with (
            server_process("ledger", "serve", "--port", "0", environment=environment) as service,
            httpx.AsyncClient(
                base_url=service.url,
                headers={"Authorization": f"Bearer {key}"},
                timeout=_PATIENCE_S,
            ) as http,
        ):
            yield Stage(machine, http, Rehearsal())


async def _be_killed(stage: Stage, traffic: Traffic, records: int) -> None:
    """Back up while records come in, kill the server, and recover it elsewhere, to the end."""
    async with traffic.flowing(stage.http):
        await ledger(stage.url, "meters", "set", "standard", "--percentage", 10)
        await ledger(stage.url, "customers", "set", LIMITED, "--meter", "standard")
        await traffic.until_acknowledged(records)
        await _back_up(stage, traffic)
        await traffic.until_acknowledged(records)
        stage.machine.kill()
    acknowledged = traffic.acknowledged_before(traffic.mark())
    stage.figures.acknowledged_before_kill = len(acknowledged)
    await _recover_to_the_end(stage, acknowledged)


async def _back_up(stage: Stage, traffic: Traffic) -> None:
    began_at, begun = time.monotonic(), traffic.mark()
    await stage.machine.run("Base backup", {BACKUP: str(stage.machine.backup)})
    ended = traffic.mark()
    figures = stage.figures
    figures.base_backup_s = round(time.monotonic() - began_at, 1)
    await _check_base_backup(stage.machine)
    figures.base_backup_mib = _mebibytes(stage.machine.backup / "base")
    figures.acknowledged_during_base_backup = len(traffic.acknowledged_before(ended)) - len(
        traffic.acknowledged_before(begun)
    )


async def _check_base_backup(machine: Machine) -> None:
    """As the page says; where that program does not start, file by file."""
    if machine.can_run("pg_verifybackup"):
        await machine.run("Checking it", {BACKUP: str(machine.backup)})
    else:
        (copy,) = (machine.backup / "base").iterdir()
        await asyncio.to_thread(require_whole, copy)


async def _recover_to_the_end(stage: Stage, acknowledged: list[bytes]) -> None:
    """With the last log nothing acknowledged is missing; without, what was not archived yet."""
    machine, figures, file = stage.machine, stage.figures, stage.file("acknowledged.ndjson")
    heading = "When the server is lost"
    async with machine.restored("whole", heading, {LOST: str(machine.cluster)}) as restored:
        figures.killed_restored_s = restored.elapsed_s
        figures.killed_missing, _ = await send_again(restored.url, acknowledged, file)
        assert (await document(restored.url, "verify"))["ok"]
    async with machine.restored("archive", heading, {LOST: "/nowhere"}) as restored:
        missing, _ = await send_again(restored.url, acknowledged, file)
        figures.killed_missing_without_last_log = missing
        assert (await document(restored.url, "verify"))["ok"]


async def _meet_with_an_accident(stage: Stage, traffic: Traffic, records: int) -> None:
    """Alerts, corrections, invoices; the target; more of all; a table is dropped; back to the target."""
    machine, figures = stage.machine, stage.figures
    async with traffic.flowing(stage.http):
        await _decide(stage.url, traffic)
        await traffic.until_acknowledged(records)
        noted = await note(stage.url)
        heads = await seal(stage.url, stage.file("heads.json"))
        await machine.run("Restore points", {})
        target = Target(traffic.mark(), await _now(stage.url), traffic.mark())
        traffic.lines = record_lines(MOST_RECORDS, JULY, MIX)
        await traffic.until_acknowledged(records)
    later = Later(
        await seal(stage.url, stage.file("later-heads.json")),
        await issue(stage.url, "2026-07"),
        await spend_rows(stage.url),
    )
    figures.invoices_after_target = len(later.invoices)
    async with owner_connection(stage.url) as connection:
        await connection.execute(ACCIDENT)
    assert (await stage.http.get("/v1/requests")).status_code == httpx.codes.SERVICE_UNAVAILABLE
    machine.stop(machine.cluster)  # which archives the rest of its log
    await machine.run("How long to keep", {BACKUP: str(machine.backup)})
    figures.archive_segments = len(list((machine.backup / "wal").glob("?" * 24)))

    async with machine.restored(
        "restored", "Restoring to a point in time", {TARGET: target.time}
    ) as restored:
        figures.restored_s = restored.elapsed_s
        await _look(restored.url, noted, heads)
        await ledger(restored.url, "seal", "check", later.heads, code=1)
        await _send_all_again(stage, restored.url, traffic, target)
        assert await spend_rows(restored.url) == later.spend_rows
        again = await issue(restored.url, "2026-07")
        figures.invoices_issued_alike_again = len(set(again) & set(later.invoices))
        assert (await document(restored.url, "verify"))["ok"]
        await _take_over(machine, restored)


async def _decide(url: str, traffic: Traffic) -> None:
    """A limit that is crossed at once, a correction and a void, the invoices of a month."""
    await ledger(url, "limits", "set", LIMITED, "--amount", "0.01", "--window", "total")
    corrected, voided = map(_request_id, traffic.acknowledged_before(traffic.mark())[:2])
    await ledger(url, "adjust", corrected, "--output-tokens", 7, "--reason", "counted twice")
    await ledger(url, "adjust", voided, "--void", "--reason", "a test call")
    assert await issue(url, "2026-06")


async def _look(url: str, noted: Noted, heads: Path) -> None:
    """Run the checks of the page, and ask again what was asked before the target."""
    for command in ledger_commands("Looking at what was restored"):
        await ledger(url, *(heads if word == "heads.json" else word for word in command))
    assert await ask_again(url, noted.as_of) == noted


async def _send_all_again(stage: Stage, url: str, traffic: Traffic, target: Target) -> None:
    """What was acknowledged before the target is there; what was sent after it is not; then all is."""
    figures, file = stage.figures, stage.file("again.ndjson")
    before = traffic.acknowledged_before(target.before)
    figures.acknowledged_before_target = len(before)
    figures.missing_before_target, _ = await send_again(url, before, file)
    after = traffic.begun_since(target.since)
    figures.sent_after_target = len(after)
    figures.accepted_after_target, _ = await send_again(url, after, file)
    await send_again(url, traffic.acknowledged_before(traffic.mark()), file)


async def _take_over(machine: Machine, restored: Restored) -> None:
    """The restored folder is a data folder of the embedded server."""
    machine.stop(restored.folder / "postgres")
    for command in ledger_commands("Taking a restored one over"):
        await ledger("", *command, LEDGER_DATA_DIR=str(restored.folder))


async def _now(url: str) -> str:
    """The time by the clock of the database's machine, as a recovery target is written."""
    async with owner_connection(url) as connection:
        now: str = await connection.fetchval("SELECT clock_timestamp()::text")
        return now


def _request_id(line: bytes) -> str:
    request_id: str = msgspec.json.decode(line)["request_id"]
    return request_id


def _mebibytes(folder: Path) -> int:
    return sum(each.stat().st_size for each in folder.rglob("*") if each.is_file()) // _MEBIBYTE
