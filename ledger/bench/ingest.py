"""`bench ingest`: a large file through the command line; speed, memory, and the same file again."""

import os
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

import click
import msgspec

from ledger.bench.databases import bench_server
from ledger.bench.processes import run_command
from ledger.bench.records import Mix, record_lines
from ledger.bench.running import run_bench
from ledger.cli.running import json_option, print_json, print_table
from ledger.clock import SystemClock


class Run(msgspec.Struct, frozen=True):
    """One `ledger ingest` of the file: its counters, its speed, the most memory it held."""

    run: str
    read: int
    accepted: int
    duplicates: int
    conflicts: int
    rejected: int
    records_per_s: int
    peak_mib: int


@click.command("ingest")
@json_option
@click.option("--records", default=1_000_000, show_default=True)
@click.option("--customers", default=50, show_default=True)
@click.option("--models", default=20, show_default=True)
def bench(*, as_json: bool, records: int, customers: int, models: int) -> None:
    """Generate a file, ingest it, ingest it again; resident memory of the client all the while."""
    runs = run_bench(measure(records, Mix(customers, models), SystemClock().now()))
    if as_json:
        print_json({"bench": "ingest", "cores": os.cpu_count(), "runs": runs})
    else:
        headings = {name: name.replace("_", " ") for name in Run.__struct_fields__}
        print_table("ingest", headings, [msgspec.to_builtins(run) for run in runs])


async def measure(records: int, mix: Mix, now: datetime) -> list[Run]:
    """Ingest the same generated file twice into a fresh ledger.

    Raises:
        RuntimeError: the second time not every record was a duplicate.
    """
    start_at = (now - timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    with tempfile.TemporaryDirectory(prefix="ledger-bench-") as folder:
        file = Path(folder) / "records.ndjson"
        with file.open("wb") as out:
            out.writelines(line + b"\n" for line in record_lines(records, start_at, mix))
        async with bench_server() as server:
            url = await server.fresh_database("ingest")
            first = await _ingest("first", file, url)
            second = await _ingest("again", file, url)
    if (first.accepted, second.accepted, second.duplicates) != (records, 0, records):
        raise RuntimeError(f"the same file twice must be all new, then all duplicates: {second}")
    return [first, second]


async def _ingest(name: str, file: Path, url: str) -> Run:
    ended = await run_command(url, "ingest", str(file))
    counters = ended.document
    counted = {field: counters[field] for field in Run.__struct_fields__ if field in counters}
    return Run(
        run=name,
        records_per_s=round(counters["read"] / ended.elapsed_s),
        peak_mib=ended.peak_mib,
        **counted,
    )
