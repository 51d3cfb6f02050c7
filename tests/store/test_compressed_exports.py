"""Exports in compressed files: the same CSV in them, and a manifest that says which bytes it means."""

import gzip
import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import zstandard

from ledger.clock import FixedClock
from ledger.core.reading import read_statement
from ledger.core.statements import Statement
from ledger.demo.sample import sample_lines
from ledger.services.exporting import export_files
from ledger.services.intake.writer import Writer
from ledger.store.database import Database

START, END = datetime(2026, 4, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
NAMES = ("usage", "invoices")


def unzstd(content: bytes) -> bytes:
    """The text of a whole frame, whose length it does not state."""
    return zstandard.ZstdDecompressor().decompressobj().decompress(content)


async def export(
    database: Database, clock: FixedClock, output: Path, compression: str | None
) -> dict[str, Any]:
    """Both files into a folder; gives the manifest."""
    return await export_files(
        database, clock, NAMES, START, END, output, currency="USD", compression=compression
    )


@pytest.mark.parametrize(
    ("compression", "suffix", "unpack"),
    [("gzip", ".gz", gzip.decompress), ("zstd", ".zst", unzstd)],
)
async def test_compressed_files_hold_the_same_csv(
    database: Database,
    clock: FixedClock,
    writer: Writer,
    tmp_path: Path,
    compression: str,
    suffix: str,
    unpack: Any,
) -> None:
    """To the byte, also of the compressed files of two exports; digests are of the file and of the text."""
    records = (read_statement(line.rstrip(), clock.now()) for line in sample_lines())
    await writer.submit([record for record in records if isinstance(record, Statement)])
    plain, first, second = (tmp_path / name for name in ("plain", "first", "second"))

    bare = await export(database, clock, plain, None)
    manifest = await export(database, clock, first, compression)
    clock.instant += timedelta(hours=1)
    await export(database, clock, second, compression)

    assert {path.name for path in first.iterdir()} == {
        "manifest.json",
        *(f"{name}.csv{suffix}" for name in NAMES),
    }
    assert json.loads((first / "manifest.json").read_bytes()) == manifest
    for name, of_plain, said in zip(NAMES, bare["files"], manifest["files"], strict=True):
        packed = (first / said["name"]).read_bytes()
        text = (plain / f"{name}.csv").read_bytes()
        assert unpack(packed) == text
        assert packed == (second / said["name"]).read_bytes()
        assert len(packed) < len(text)
        assert said == of_plain | {
            "name": f"{name}.csv{suffix}",
            "sha256": hashlib.sha256(packed).hexdigest(),
            "compression": compression,
            "csv_sha256": hashlib.sha256(text).hexdigest(),
        }
        assert set(of_plain) == {"name", "rows", "sums", "sha256"}
