"""`bench duplicates`: what retries cost, over HTTP and in a file; the floor is the clean stream."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import click
import msgspec

from ledger.bench.aims import FORMS, prepared
from ledger.bench.databases import BenchServer, on_bench_server, require_recorded
from ledger.bench.load import Sent, send_all
from ledger.bench.processes import run_command
from ledger.bench.records import Mix, cut, record_lines, yesterday
from ledger.bench.report import show, tell
from ledger.bench.serving import Serving, serving, watched
from ledger.bench.streams import CLEAN, STREAMS, Batch
from ledger.cli.running import json_option
from ledger.clock import Clock, SystemClock

_REPLAY = "all are retries"


class Options(msgspec.Struct, frozen=True):
    """How many records each stream has, and how they are sent."""

    records: int
    seconds: float
    batch: int
    form: str
    streams: tuple[str, ...]
    connections: int
    customers: int
    models: int


class Point(msgspec.Struct, frozen=True):
    """A stream of records. `of_clean` is its rate as a share of that of the clean one by the same way.

    Processor time is in cores; memory is that of the server, or of the command. What is not known is null.
    """

    way: str
    stream: str
    records: int
    accepted: int
    duplicates: int
    records_per_s: int
    of_clean: float
    p50_ms: float | None
    p99_ms: float | None
    peak_mib: int
    server_cpu_share: float | None = None
    database_cpu_share: float | None = None
    client_cpu_share: float | None = None


@click.command("duplicates")
@json_option
@click.option("--records", default=100_000, show_default=True, help="In each stream.")
@click.option("--seconds", default=30.0, show_default=True, help="The longest a stream may take.")
@click.option("--batch", default=1000, show_default=True)
@click.option("--format", "form", type=click.Choice(FORMS), default="json", show_default=True)
@click.option(
    "--stream", "streams", type=click.Choice(list(STREAMS)), multiple=True, help="Repeatable; all."
)
@click.option("--connections", default=8, show_default=True)
@click.option("--customers", default=50, show_default=True)
@click.option("--models", default=20, show_default=True)
def bench(*, as_json: bool, streams: tuple[str, ...], **rest: object) -> None:
    """Streams of which none, half or all is recorded already, and a file that is ingested twice."""
    options = msgspec.convert({**rest, "streams": (CLEAN, *(streams or STREAMS))}, Options)
    points = on_bench_server(lambda server: measure(server, options, SystemClock()))
    show("duplicates", Point, points, as_json=as_json, options=options)


async def measure(server: BenchServer, options: Options, clock: Clock) -> list[Point]:
    """Send every stream to a ledger of its own, the clean one again, and ingest the same records twice.

    Raises:
        RuntimeError: other records are recorded than were accepted.
    """
    mix = Mix(options.customers, options.models)
    lines = list(record_lines(options.records, yesterday(clock), mix))
    batches = list(cut(lines, options.batch))
    points: list[Point] = []
    for name in dict.fromkeys(options.streams):
        names = [name, _REPLAY] if name == CLEAN else [name]
        points += await _over_http(server, options, STREAMS[name](batches), names, points)
    points += await _by_command(server, lines)
    for point in points:
        tell(f"{point.way}, {point.stream}: {point.records_per_s:,}/s, {point.of_clean} of clean")
    return points


async def _over_http(
    server: BenchServer,
    options: Options,
    batches: Sequence[Batch],
    names: Sequence[str],
    before: Sequence[Point],
) -> list[Point]:
    """Send batches to a fresh ledger as often as there are names for it."""
    url, points = await server.fresh_database("duplicates"), list(before)
    async with serving(url=url) as served:
        for name in names:
            points.append(await _sent(server, served, options, batches, name, points))
    new = points[len(before) :]
    await require_recorded(url, sum(point.accepted for point in new))
    await server.drop_database("duplicates")
    return new


async def _sent(
    server: BenchServer,
    served: Serving,
    options: Options,
    batches: Sequence[Batch],
    name: str,
    before: Sequence[Point],
) -> Point:
    requests = list(prepared(iter(batches), options.form, served.key))
    async with watched(served, server.embedded) as spent:
        sent: Sent = await send_all(
            served.addresses, requests, connections=options.connections, seconds=options.seconds
        )
    counted = sent.counted()
    clean_per_s = before[0].records_per_s if before else sent.records_per_s
    return Point(
        way="http",
        stream=name,
        records=sent.records,
        accepted=counted["accepted"],
        duplicates=counted["duplicates"],
        records_per_s=round(sent.records_per_s),
        of_clean=round(sent.records_per_s / clean_per_s, 3),
        p50_ms=sent.latency_ms(0.50),
        p99_ms=sent.latency_ms(0.99),
        peak_mib=served.peak_mib,
        server_cpu_share=round(spent.server_s / sent.elapsed_s, 2),
        database_cpu_share=round(spent.database_s / sent.elapsed_s, 2),
        client_cpu_share=sent.client_cpu_share,
    )


async def _by_command(server: BenchServer, lines: Sequence[bytes]) -> list[Point]:
    """Ingest the records as a file, twice."""
    url, points = await server.fresh_database("duplicates"), list[Point]()
    with tempfile.TemporaryDirectory(prefix="ledger-bench-") as folder:
        file = Path(folder) / "records.ndjson"
        file.write_bytes(b"\n".join(lines) + b"\n")
        for name in (CLEAN, _REPLAY):
            ended = await run_command(url, "ingest", str(file))
            per_s = ended.document["read"] / ended.elapsed_s
            points.append(
                Point(
                    way="ingest",
                    stream=name,
                    records=ended.document["read"],
                    accepted=ended.document["accepted"],
                    duplicates=ended.document["duplicates"],
                    records_per_s=round(per_s),
                    of_clean=round(per_s / (points[0].records_per_s if points else per_s), 3),
                    p50_ms=None,
                    p99_ms=None,
                    peak_mib=ended.peak_mib,
                )
            )
    await server.drop_database("duplicates")
    return points
