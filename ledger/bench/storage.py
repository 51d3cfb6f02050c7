"""`bench storage`: what events of several kinds take on the disk; the floor is what their rows hold."""

import hashlib
import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import click
import msgspec

from ledger.bench.databases import BenchServer, on_bench_server
from ledger.bench.processes import run_command
from ledger.bench.records import Mix, record_lines
from ledger.bench.report import show, tell
from ledger.cli.running import json_option
from ledger.clock import Clock, SystemClock
from ledger.store.database import owner_connection

TABLES = ("usage_event", "event_text", "rollup_hour", "rollup_lane_hour")
_PAIRS = 5
_ID = slice(len('{"request_id":"'), len('{"request_id":"') + len("req_") + 26)
# Whether a table is partitioned or not; the sizes of all its parts.
_SIZES = """
SELECT coalesce(sum(pg_table_size(coalesce(part.relid, $1::regclass))), 0)::bigint AS table_bytes,
    coalesce(sum(pg_indexes_size(coalesce(part.relid, $1::regclass))), 0)::bigint AS index_bytes
FROM (SELECT) AS one LEFT JOIN LATERAL pg_partition_tree($1::regclass) AS part ON true
"""
# Names of tables are no parameters; these are the constants above.
_ROWS = {
    table: f"SELECT count(*), coalesce(avg(pg_column_size(t.*)), 0)::float8 FROM {table} AS t"  # noqa: S608
    for table in TABLES
}


def _plain(line: bytes) -> bytes:
    return line


def _with_metadata(line: bytes) -> bytes:
    """A few pairs, some of them different in every record."""
    digest = hashlib.sha256(line).hexdigest()
    pairs = {f"key_{number}": digest[8 * number :][:12] for number in range(_PAIRS)}
    return line[:-1] + b',"metadata":' + msgspec.json.encode(pairs) + b"}"


def _opaque(line: bytes) -> bytes:
    """An id of 36 characters without a time in it, as a caller makes them up."""
    digest = hashlib.sha256(line).hexdigest()
    parts = digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:32]
    return line[: _ID.start] + "-".join(parts).encode() + line[_ID.stop :]


KINDS: dict[str, Callable[[bytes], bytes]] = {
    "plain": _plain,
    "metadata": _with_metadata,
    "opaque": _opaque,
}


class Options(msgspec.Struct, frozen=True):
    """How many records there are of each kind, over how many days, of whom."""

    kinds: tuple[str, ...]
    records: int
    days: int
    customers: int
    models: int


class Point(msgspec.Struct, frozen=True):
    """What a table takes for records of one kind: bytes for each of its rows, and for a million records.

    `row_bytes` is the floor: what a row holds, its header included. `ratio` is all that the table takes,
    indexes too, in that.
    """

    kind: str
    table: str
    records: int
    rows: int
    table_bytes_a_row: float
    index_bytes_a_row: float
    row_bytes: float
    ratio: float | None
    table_mb_a_million: float
    index_mb_a_million: float


@click.command("storage")
@json_option
@click.option("--records", default=200_000, show_default=True, help="Of each kind.")
@click.option("--days", default=30, show_default=True, help="Over which they are spread.")
@click.option("--customers", default=50, show_default=True)
@click.option("--models", default=20, show_default=True)
@click.option(
    "--kind", "kinds", type=click.Choice(list(KINDS)), multiple=True, help="Repeatable; all."
)
def bench(*, as_json: bool, kinds: tuple[str, ...], **rest: object) -> None:
    """Ingest plain records, records with metadata and ones with opaque ids, and look at the sizes."""
    options = msgspec.convert({**rest, "kinds": kinds or tuple(KINDS)}, Options)
    points = on_bench_server(lambda server: measure(server, options, SystemClock()))
    show("storage", Point, points, as_json=as_json, options=options)


async def measure(server: BenchServer, options: Options, clock: Clock) -> list[Point]:
    """Ingest each kind into a ledger of its own, and look at every table that grows with it."""
    points = []
    for kind in options.kinds:
        url = await server.fresh_database("storage")
        empty = await _sizes(url)
        await _ingest(url, options, KINDS[kind], clock)
        points += [
            await _point(url, kind, table, options.records, empty[table]) for table in TABLES
        ]
        tell(f"{kind}: {points[-len(TABLES)].table_mb_a_million} MB of rows a million events")
        await server.drop_database("storage")
    return points


async def _ingest(
    url: str, options: Options, change: Callable[[bytes], bytes], clock: Clock
) -> None:
    span = timedelta(days=options.days)
    step_ms = max(1, span // timedelta(milliseconds=1) // options.records)
    mix = Mix(options.customers, options.models)
    lines = record_lines(options.records, clock.now() - span - timedelta(days=1), mix, step_ms)
    with tempfile.TemporaryDirectory(prefix="ledger-bench-") as folder:
        file = Path(folder) / "records.ndjson"
        with file.open("wb") as out:
            out.writelines(change(line) + b"\n" for line in lines)
        await run_command(url, "ingest", str(file))


async def _point(url: str, kind: str, table: str, records: int, empty: tuple[int, int]) -> Point:
    async with owner_connection(url) as connection:
        rows, row_bytes = await connection.fetchrow(_ROWS[table])
    taken = (await _sizes(url))[table]
    table_bytes, index_bytes = taken[0] - empty[0], taken[1] - empty[1]
    each = max(1, rows)
    return Point(
        kind=kind,
        table=table,
        records=records,
        rows=rows,
        table_bytes_a_row=round(table_bytes / each, 1),
        index_bytes_a_row=round(index_bytes / each, 1),
        row_bytes=round(row_bytes, 1),
        ratio=round((table_bytes + index_bytes) / (rows * row_bytes), 2) if rows else None,
        table_mb_a_million=round(table_bytes / records, 1),
        index_mb_a_million=round(index_bytes / records, 1),
    )


async def _sizes(url: str) -> dict[str, tuple[int, int]]:
    """Bytes of every table, and of its indexes."""
    async with owner_connection(url) as connection:
        return {table: tuple(await connection.fetchrow(_SIZES, table)) for table in TABLES}
