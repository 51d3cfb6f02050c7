"""CSV exports: every revision and line once, exact, safe to open, the same bytes each time."""

import asyncio
import csv
import hashlib
import io
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ledger.clock import FixedClock
from ledger.core.errors import DatabaseUnavailable, InvalidParameter, NotFound, SetupError
from ledger.core.instants import parse_month
from ledger.core.reading import read_statement
from ledger.core.request_ids import request_id_of
from ledger.core.statements import Statement
from ledger.demo.sample import sample_lines
from ledger.services.exporting import export_files, stream_csv
from ledger.services.intake.writer import Writer
from ledger.services.invoices import list_invoices, run_invoices, show_invoice
from ledger.store import exports
from ledger.store.database import Database
from ledger.store.exports import Selection, copy_rows, stream_rows

START, END = datetime(2026, 4, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
MAY = datetime(2026, 5, 1, tzinfo=UTC)
WANTED_BYTES = 400_000  # more than the driver ever gives
PICO = Decimal("0.000000000001")
MODEL = "accounts/fireworks/models/deepseek-v4-pro"


async def ingest(writer: Writer, clock: FixedClock, lines: list[bytes]) -> None:
    """Take in the records that can be read."""
    records = (read_statement(line.rstrip(), clock.now()) for line in lines)
    await writer.submit([record for record in records if isinstance(record, Statement)])


@pytest.fixture
async def sample(writer: Writer, clock: FixedClock) -> None:
    """The bundled sample."""
    await ingest(writer, clock, list(sample_lines()))


def table(content: bytes) -> list[dict[str, str]]:
    """The rows of a CSV file, by column."""
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


async def streamed(database: Database, name: str, **options: Any) -> bytes:
    """A whole stream."""
    chunks = stream_csv(database, name, START, END, caller="test", currency="USD", **options)
    return b"".join([chunk async for chunk in chunks])


def names_in(folder: Path) -> set[str]:
    """What a folder holds."""
    return {path.name for path in folder.iterdir()}


async def export(database: Database, clock: FixedClock, output: Path, **options: Any) -> Any:
    """Both files into a folder; gives the manifest."""
    return await export_files(
        database, clock, ["usage", "invoices"], START, END, output, currency="USD", **options
    )


async def expected_usage(database: Database) -> list[dict[str, str]]:
    """The rows of usage.csv, made from the log one by one."""
    async with database.connection() as connection:
        events = await connection.fetch("SELECT * FROM usage_event")
        customers = dict(await connection.fetch("SELECT customer, customer_id FROM customer"))
        tables = dict(await connection.fetch("SELECT rate_version, version FROM rate_table"))
        dimensions = {
            row["dimension"]: row for row in await connection.fetch("SELECT * FROM dimension")
        }
        texts = {
            (row["request_id"], row["customer"], row["revision"]): row
            for row in await connection.fetch("SELECT * FROM event_text")
        }
    rows = [
        expected_row(
            event,
            dimensions[event["dimension"]],
            customers[event["customer"]],
            tables,
            texts.get((event["request_id"], event["customer"], event["revision"]), {}),
        )
        for event in events
        if START <= event["occurred_at"] < END
    ]
    return sorted(
        rows,
        key=lambda row: (
            row["customer_id"].encode(),
            row["request_id"].encode(),
            int(row["revision"]),
        ),
    )


LATER_UNITS = (
    "cache_write_tokens", "cache_write_1h_tokens", "reasoning_tokens", "audio_input_tokens",
    "cached_audio_input_tokens", "audio_output_tokens", "image_input_tokens", "image_output_tokens",
    "image_steps", "web_searches", "rerank_searches", "training_tokens", "billable_requests",
)  # fmt: skip


def expected_row(
    event: Any, dimension: Any, customer_id: str, tables: dict[int, str], text: Any
) -> dict[str, str]:
    """One event as a row of usage.csv."""
    units = msgspec.json.decode(event["other_units"] or "{}")
    parts = [event[f"{kind}_pico"] for kind in ("input", "cached_input", "output", "other")]
    cost = None if None in parts else sum(parts)
    fee = event["fee_pico"]
    managed = cost if dimension["key_type"] == "managed" else 0
    metadata = text.get("metadata")
    return {
        "customer_id": customer_id,
        "request_id": request_id_of(event["request_id"].bytes, event["opaque_id"]),
        "revision": str(event["revision"]),
        "kind": event["kind"],
        "timestamp": instant(event["occurred_at"]),
        "recorded_at": "2026-11-20T12:00:00Z",
        "provider": dimension["provider"] or "",
        "model": dimension["model"] or "",
        "key_type": dimension["key_type"],
        "service_tier": dimension["service_tier"] or "",
        "batch": "true" if dimension["is_batch"] else "false",
        "requests": str(event["requests"]),
        "unrated": str(event["unrated"]),
        "input_tokens": str(event["uncached_input_tokens"] + event["cached_input_tokens"]),
        "cached_input_tokens": str(event["cached_input_tokens"]),
        "output_tokens": str(event["output_tokens"]),
        **{
            name: seconds(units, name)
            for name in ("input_seconds", "output_seconds", "gpu_seconds")
        },
        **{
            name: str(units[name][0]) if name in units else ""
            for name in ("input_characters", "output_characters", "images")
        },
        "cost": amount(cost),
        "fee": amount(fee),
        "spend": amount(None if managed is None or fee is None else managed + fee),
        "currency": "USD",
        "rate_version": tables.get(dimension["rate_version"], ""),
        "meter_slug": "",
        "response_id": text.get("response_id") or "",
        "reported_cost": "" if event["reported_cost"] is None else f"{event['reported_cost']:f}",
        "metadata": msgspec.json.encode(msgspec.json.decode(metadata)).decode() if metadata else "",
        **{name: dimension[name] or "" for name in ("region", "accelerator", "billed_as")},
        **{name: str(units[name][0]) if name in units else "" for name in LATER_UNITS},
    }


def instant(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def amount(pico: int | None) -> str:
    return "" if pico is None else format(pico * PICO, ".12f")


def seconds(units: dict[str, list[int]], name: str) -> str:
    return format((units[name][0] / Decimal(10**6)).normalize(), "f") if name in units else ""


@pytest.mark.usefixtures("sample")
async def test_usage_has_every_revision_once(database: Database) -> None:
    """Cell for cell what the log says, in the bytewise order of customer, request and revision."""
    content = await streamed(database, "usage")

    rows = table(content)

    assert len(rows) > 2900
    assert {row["kind"] for row in rows} == {"usage", "pending", "error"}
    assert any(row["input_seconds"] for row in rows)
    for row, expected in zip(rows, await expected_usage(database), strict=True):
        assert row == expected
    assert content.count(b"\r\n") == content.count(b"\n") == len(rows) + 1
    assert not content.startswith(b"\xef\xbb\xbf")


@pytest.mark.usefixtures("sample")
async def test_pieces_are_worth_their_way(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each but the last has the size that is wanted at least, whatever the driver gives at a time."""
    monkeypatch.setattr(exports, "PIECE_BYTES", WANTED_BYTES)

    *pieces, last = [
        len(chunk)
        async for chunk in stream_rows(database, "test", "usage", Selection(START, END, "USD"))
    ]

    assert sum(pieces) + last > 2 * WANTED_BYTES
    assert pieces
    assert all(size >= WANTED_BYTES for size in pieces)


@pytest.mark.usefixtures("sample")
async def test_the_room_to_sort_is_given_back(database: Database) -> None:
    """An export takes more memory than others do, and only while it runs."""
    async with database.stream("test") as connection:
        before = await connection.fetchval("SHOW work_mem")
        await copy_rows(connection, "usage", Selection(START, END, "USD"), nowhere)
        during = await connection.fetchval("SHOW work_mem")
        backend = await connection.fetchval("SELECT pg_backend_pid()")
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT pg_backend_pid()") == backend
        assert await connection.fetchval("SHOW work_mem") == before != during


async def nowhere(_: bytes) -> None:
    """Takes what is exported."""


@pytest.mark.usefixtures("sample")
async def test_two_exports_are_the_same_bytes(
    database: Database, clock: FixedClock, tmp_path: Path
) -> None:
    """And a stream is the same as the file."""
    await run_invoices(database, clock, "test", parse_month("2026-05"), currency="USD")

    first = await export(database, clock, tmp_path / "first")
    second = await export(database, clock, tmp_path / "second")

    assert first == second
    for name in ("usage", "invoices"):
        content = (tmp_path / "first" / f"{name}.csv").read_bytes()
        assert content == (tmp_path / "second" / f"{name}.csv").read_bytes()
        assert content == await streamed(database, name)


@pytest.mark.usefixtures("sample")
async def test_the_manifest_tells_how_to_check_the_files(
    database: Database, clock: FixedClock, tmp_path: Path
) -> None:
    """Rows, digests and sums are those of the files beside it."""
    await run_invoices(database, clock, "test", parse_month("2026-05"), currency="USD")
    progress: dict[str, int] = {}

    manifest = await export(database, clock, tmp_path, progress=progress.__setitem__)

    assert json.loads((tmp_path / "manifest.json").read_bytes()) == manifest
    assert manifest["as_of"].startswith("2026-11-20T12:00:00Z~1-")
    assert [file["name"] for file in manifest["files"]] == ["usage.csv", "invoices.csv"]
    assert names_in(tmp_path) == {
        "manifest.json",
        "usage.csv",
        "invoices.csv",
    }
    for file in manifest["files"]:
        content = (tmp_path / file["name"]).read_bytes()
        rows = table(content)
        assert rows
        assert file["sha256"] == hashlib.sha256(content).hexdigest()
        assert file["rows"] == progress[file["name"].removesuffix(".csv")] == len(rows)
        for column, total in file["sums"].items():
            assert Decimal(total) == sum(Decimal(row[column] or 0) for row in rows), column


@pytest.mark.usefixtures("sample")
async def test_invoices_have_every_line(database: Database, clock: FixedClock) -> None:
    """The rows are the lines of the documents, with the head of each beside them."""
    for month in ("2026-04", "2026-05"):
        await run_invoices(database, clock, "test", parse_month(month), currency="USD")
    documents = [
        await show_invoice(database, head["number"]) for head in await list_invoices(database)
    ]

    rows = table(await streamed(database, "invoices"))

    assert rows == [
        {
            "number": document["number"],
            "customer_id": document["customer_id"],
            "status": document["status"],
            "issued_at": "2026-11-20T12:00:00Z",
            "invoice_period_start": document["period_start"],
            "invoice_period_end": document["period_end"],
            "currency": "USD",
            "line": str(number),
            **{name: "" if value is None else str(value) for name, value in line.items()},
            "invoice_total": document["total"],
            "rounding": document["rounding"],
            "meter": line.get("meter", ""),
        }
        for document in documents
        for number, line in enumerate(document["lines"], 1)
    ]


STRANGE = (
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    'a "quote", b',
    "two\nlines",
    "naïve €;",
    "'x",
)


async def test_text_is_safe_and_survives(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """A spreadsheet sees no formula; quotes, line ends and letters come back as they were."""
    await ingest(
        writer,
        clock,
        [
            msgspec.json.encode(
                {
                    "request_id": text,
                    "customer_id": text,
                    "model": text,
                    "provider": "fireworks",
                    "service_tier": text,
                    "response_id": text,
                    "metadata": {text: text},
                    "timestamp": "2026-04-07T00:00:00.5Z",
                }
            )
            for text in STRANGE
        ],
    )

    rows = table(await streamed(database, "usage"))

    defused = {text: f"'{text}" if text[0] in "=+-@\t\r" else text for text in STRANGE}
    in_order = sorted(STRANGE, key=str.encode)
    for column in ("customer_id", "request_id", "model", "service_tier", "response_id"):
        assert [row[column] for row in rows] == [defused[text] for text in in_order], column
    assert [json.loads(row["metadata"]) for row in rows] == [{text: text} for text in in_order]
    assert {row["timestamp"] for row in rows} == {"2026-04-07T00:00:00.500000Z"}


async def test_numbers_stay_numbers(database: Database, clock: FixedClock, writer: Writer) -> None:
    """A negative amount is no formula: reversals keep their sign and get no quote."""
    record = {
        "request_id": "r", "customer_id": "c", "model": MODEL, "input_tokens": 10,
        "timestamp": "2026-05-20T00:00:00Z", "reported_cost": "-0.5",
    }  # fmt: skip
    await ingest(writer, clock, [msgspec.json.encode(record)])
    connection = await database.connect()
    await connection.execute(
        """INSERT INTO usage_event SELECT request_id, occurred_at, -uncached_input_tokens, 0, 0, -input_pico,
        0, 0, 0, 0, batch, lane, customer, dimension, stated, 'reversal', 2, -1, 0, opaque_id, NULL, NULL
        FROM usage_event"""
    )
    await connection.close()

    first, second = table(await streamed(database, "usage"))

    assert (first["cost"], second["cost"]) == ("0.000017400000", "-0.000017400000")
    assert (first["requests"], second["requests"]) == ("1", "-1")
    assert (second["revision"], second["input_tokens"]) == ("2", "-10")
    assert (first["reported_cost"], second["reported_cost"]) == ("-0.5", "")


@pytest.mark.usefixtures("sample")
async def test_spans_are_half_open_and_customers_can_be_chosen(database: Database) -> None:
    """Two halves make the whole; the part of a customer is what the whole says of it."""
    whole = table(await streamed(database, "usage"))

    halves = [
        table(
            b"".join(
                [
                    chunk
                    async for chunk in stream_csv(
                        database, "usage", *span, caller="test", currency="USD"
                    )
                ]
            )
        )
        for span in ((START, MAY), (MAY, END))
    ]
    stark = table(await streamed(database, "usage", customer_id="stark"))
    nobody = await streamed(database, "usage", customer_id="nobody")

    assert {row["timestamp"][:7] for row in halves[0]} == {"2026-04"}
    assert {row["timestamp"][:7] for row in halves[1]} == {"2026-05"}
    assert len(halves[0]) + len(halves[1]) == len(whole)
    assert stark == [row for row in whole if row["customer_id"] == "stark"]
    assert nobody.count(b"\r\n") == 1


@pytest.mark.usefixtures("sample")
async def test_a_reader_that_goes_away_leaves_nothing_behind(database: Database) -> None:
    """Whether it stops or is cancelled, its connection ends, and the pool answers."""
    for _ in range(20):
        chunks: Any = stream_csv(database, "usage", START, END, caller="test", currency="USD")
        assert (await anext(chunks)).startswith(b"customer_id,")
        await chunks.aclose()
    waiting = asyncio.create_task(streamed(database, "usage"))
    await asyncio.sleep(0.02)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)

    async with database.snapshot() as connection:
        assert await connection.fetchval("SELECT 1") == 1
    for _ in range(100):
        async with database.connection() as connection:
            copying = await connection.fetchval(
                "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'COPY%'"
            )
        if not copying:
            break
        await asyncio.sleep(0.05)
    assert copying == 0
    assert len(table(await streamed(database, "usage"))) > 2900


async def test_what_cannot_be_exported_is_said_at_once(
    database: Database, clock: FixedClock, tmp_path: Path
) -> None:
    """Before the first byte of an answer."""
    with pytest.raises(NotFound, match="usage, invoices"):
        stream_csv(database, "secrets", START, END, caller="test", currency="USD")
    with pytest.raises(InvalidParameter):
        stream_csv(database, "usage", END, END, caller="test", currency="USD")
    with pytest.raises(InvalidParameter):
        await export_files(database, clock, [], START, END, tmp_path, currency="USD")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(SetupError, match="has room"):
        await export(database, clock, tmp_path / "file")


@pytest.mark.usefixtures("sample")
async def test_a_disk_that_fills_up_leaves_no_files_and_a_usable_pool(
    database: Database, clock: FixedClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the folder; neither a piece of a file nor a broken connection stays."""
    opened = Path.open
    full_disk = Path("/dev/full")  # takes what is buffered, and nothing that is written
    monkeypatch.setattr(Path, "open", lambda *_: opened(full_disk, "wb"))

    with pytest.raises(SetupError, match="No space left"):
        await export(database, clock, tmp_path)

    assert names_in(tmp_path) == set()
    async with database.snapshot() as connection:
        assert await connection.fetchval("SELECT 1") == 1


async def test_a_stream_says_that_the_database_is_away(database: Database) -> None:
    """What goes wrong while copying reaches the reader."""
    database.presence.leave("refused")

    with pytest.raises(DatabaseUnavailable):
        await streamed(database, "usage")
