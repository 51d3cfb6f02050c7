"""A ledger with everything in it, dumped and loaded: what the tests about moving share."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import msgspec

from ledger.clock import FixedClock
from ledger.core.adjustments import Adjustment
from ledger.core.dumps import MANIFEST, Manifest, manifest_text, read_manifest, signed
from ledger.core.keys import Sender
from ledger.core.spend import GROUPINGS, spend_query
from ledger.core.usage.stated import StatedUsage
from ledger.services.adjustments import adjust_request
from ledger.services.exporting import export_files
from ledger.services.intake.intake import Intake
from ledger.services.intake.writer import Writer
from ledger.services.jobs.runner import run_due
from ledger.services.moving.dumping import dump_ledger
from ledger.services.moving.loading import load_ledger, open_dump
from ledger.services.proof.seals import show_heads
from ledger.services.quarantine import list_quarantined
from ledger.services.redaction import redact_request
from ledger.services.spend import answer_spend, spend_body
from ledger.store.database import Database
from ledger.store.quarantine import QuarantineFilter
from tests.scenarios.job_desk import product_job
from tests.store.rebuild_damage import MODEL

FIRST, LAST = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
CLI = Sender("cli")
WHY = "counted twice"
ODD = 'tab\there, line\nthere, \\N, "quoted", ünïcode ✓, \\.'
RECORD = {
    "request_id": "req_01K7QJT2YSVV0YR2NPK4Z2GRXQ",
    "customer_id": "moved",
    "model": MODEL,
    "input_tokens": 845,
    "output_tokens": 412,
    "timestamp": "2026-05-01T12:00:00.000001Z",
    "metadata": {"email": "jane@example.com", "team": ODD},
    "trace": ODD,
}
FAR = "req_7ZZZZZZZZZZZZZZZZZZZZZZZZZ"  # a time that is out of all ranges: opaque
NEXT_YEARS = "req_02X0000000000000000000000A"  # 2070: the range of the future


async def send(database: Database, clock: FixedClock, *records: dict[str, Any]) -> list[str]:
    """Send records through a way in of their own; how each ended."""
    writer = Writer(database, clock)
    await writer.start()
    try:
        intake = Intake(writer, database, clock)
        taken = await intake.take([json.dumps(each).encode() for each in records], CLI)
    finally:
        await writer.close()
    return [outcome.verdict.value for outcome in taken.outcomes]


async def fill(database: Database, clock: FixedClock) -> None:
    """Add to a ledger with limits, alerts, invoices, keys and tiers what else there may be."""
    verdicts = await send(
        database,
        clock,
        RECORD,
        RECORD | {"output_tokens": 413},
        RECORD | {"request_id": ODD},
        RECORD | {"request_id": "req_test_1", "customer_id": ODD, "reported_cost": "0.00100"},
        RECORD | {"request_id": FAR, "model": "no/such-model"},
        RECORD | {"request_id": NEXT_YEARS, "output_tokens": 7},
        RECORD | {"request_id": "pending", "status": "pending"},
        RECORD | {"request_id": "refused", "output_tokens": -1, "api_key": "sk-0123456789abcdef"},
        RECORD | {"request_id": "audio", "model": "whisper-v3", "output_tokens": None, "input_seconds": 90},
    )  # fmt: skip
    assert {"conflict", "rejected"} < set(verdicts), verdicts
    for name, adjustment in (
        (RECORD["request_id"], Adjustment("correction", WHY, "k1", StatedUsage(output_tokens=400))),
        (ODD, Adjustment("void", WHY, "k2")),
    ):
        await adjust_request(database, clock, "test", str(name), adjustment)
    await redact_request(
        database, clock, "test", "req_test_1", names=("metadata",), reason="erasure 12"
    )
    await run_due(database, clock, product_job(database, clock, "unmetered"))


async def dump(database: Database, clock: FixedClock, folder: Path) -> Manifest:
    """Dump a ledger without anybody who looks on."""
    return await dump_ledger(
        database, clock, folder, product_version="0.1.0", progress=lambda *_: None
    )


async def load(
    url: str, clock: FixedClock, folder: Path, *, proving: bool = True
) -> dict[str, Any]:
    """Load a dump without anybody who looks on."""
    opened = open_dump(folder, currency="USD")
    return await load_ledger(url, clock, opened, proving=proving, progress=lambda *_: None)


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Database]:
    """The pool of a loaded ledger."""
    database = Database(url)
    await database.open()
    try:
        yield database
    finally:
        await database.close()


async def answers(
    database: Database, clock: FixedClock, folder: Path, as_of: list[Any]
) -> dict[str, Any]:
    """What a ledger says of itself: spend now and at old cuts, seals, quarantine, exports to the byte."""
    questions = [spend_query(FIRST, LAST, groups) for groups in (GROUPINGS, ("customer",), ())]
    spend = [
        spend_body(await answer_spend(database, clock, question, point), "USD")
        for question in questions
        for point in (None, *as_of)
    ]
    await export_files(database, clock, ["usage", "invoices"], FIRST, LAST, folder, currency="USD")
    return {
        "spend": json.dumps(spend),
        "seals": await show_heads(database, clock),
        "quarantine": await list_quarantined(database, QuarantineFilter(), most=100),
        "files": bytes_in(folder),
    }


def bytes_in(folder: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


async def table_counts(url: str) -> dict[str, int]:
    """How many rows each table of the ledger has that has any, the migrations' own left out."""
    connection = await asyncpg.connect(url, server_settings={"search_path": "ledger"})
    try:
        names = await connection.fetch(
            "SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace('ledger')"
            " AND relkind IN ('r', 'p') AND NOT relispartition AND relname <> 'schema_migration'"
        )
        counts = {
            name: await connection.fetchval(f'SELECT count(*) FROM "{name}"') for (name,) in names
        }
    finally:
        await connection.close()
        await asyncio.sleep(0)
    return {name: count for name, count in counts.items() if count}


def forge(folder: Path, **changes: Any) -> None:
    """Change fields of a manifest and sign it anew, as somebody does who knows how."""
    manifest = read_manifest((folder / MANIFEST).read_bytes())
    changed = msgspec.structs.replace(manifest, **changes)
    (folder / MANIFEST).write_bytes(manifest_text(signed(changed)))
