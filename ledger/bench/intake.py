"""`bench intake`: records through the API, beside the floors of DESIGN 5."""

import os
import platform
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import click
import msgspec
import uvloop

from ledger.bench.copying import copy_rows, event_rows
from ledger.bench.databases import BenchServer, bench_server, count_events, event_bytes
from ledger.bench.load import Prepared, Sent, as_body, prepare_request, send_all
from ledger.bench.processes import ServerProcess, peak_resident_bytes, server_process
from ledger.bench.records import Mix, cut, record_lines
from ledger.cli.running import json_option, print_json, print_table, stderr
from ledger.clock import Clock, SystemClock

BATCHES = (1, 10, 100, 1000, 10_000)
CUSTOMERS = (50, 5000)
_MEBIBYTE = 1024 * 1024
_CONTENT_TYPES = {"ndjson": "application/x-ndjson"}


class Options(msgspec.Struct, frozen=True):
    """What is measured: every batch size for every number of customers, each bounded in count and time."""

    records: int
    seconds: float
    batches: tuple[int, ...]
    customers: tuple[int, ...]
    models: int
    form: str
    connections: int
    single_connections: int


class Point(msgspec.Struct, frozen=True):
    """One row of the table. The floor of batch size 1 is a handler that does nothing, of others COPY."""

    customers: int
    models: int
    batch: int
    connections: int
    records: int
    records_per_s: int
    floor_per_s: int
    ratio: float
    p50_ms: float
    p99_ms: float
    server_peak_mib: int
    server_cpu_share: float
    client_cpu_share: float
    bytes_per_event: int


class Aim(msgspec.Struct, frozen=True):
    """Where a point's records go and how they are cut."""

    lines: Sequence[bytes]
    batch: int
    form: str
    connections: int
    seconds: float

    def requests(self, admin_key: str) -> list[Prepared]:
        """The prepared requests; a batch of one is a single record."""
        form = "record" if self.batch == 1 else self.form
        path = "/v1/requests" if self.batch == 1 else "/v1/requests/batch"
        content_type = _CONTENT_TYPES.get(form, "application/json")
        return [
            (prepare_request(path, content_type, admin_key, as_body(several, form)), len(several))
            for several in cut(self.lines, self.batch)
        ]


@click.command("intake")
@json_option
@click.option("--records", default=200_000, show_default=True, help="The most records of a point.")
@click.option("--seconds", default=5.0, show_default=True, help="The longest a point may take.")
@click.option("--batch", "batches", type=int, multiple=True, help=f"Repeatable; {BATCHES}.")
@click.option("--customers", type=int, multiple=True, help=f"Repeatable; {CUSTOMERS}.")
@click.option("--models", default=20, show_default=True)
@click.option("--format", "form", type=click.Choice(["json", "ndjson"]), default="json")
@click.option("--connections", default=8, show_default=True, help="For batches.")
@click.option("--single-connections", default=64, show_default=True, help="For batches of one.")
def bench(
    *, as_json: bool, batches: tuple[int, ...], customers: tuple[int, ...], **rest: object
) -> None:
    """Records a second over HTTP, durable, beside the floor measured in the same run."""
    options = msgspec.convert(
        {**rest, "batches": batches or BATCHES, "customers": customers or CUSTOMERS}, Options
    )
    points = uvloop.run(measure(options, SystemClock()))
    if as_json:
        print_json({"bench": "intake", **_machine(), "options": options, "points": points})
    else:
        rows = [msgspec.to_builtins(point) for point in points]
        headings = {name: name.replace("_", " ") for name in Point.__struct_fields__}
        print_table("intake", headings, rows)


async def measure(options: Options, clock: Clock) -> list[Point]:
    """Measure every point, each with a database, a server and a floor of its own."""
    start_at = (clock.now() - timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    points = []
    async with bench_server() as server:
        stderr().print(f"bench: PostgreSQL {server.version}, {os.cpu_count()} cores")
        for customers in options.customers:
            mix = Mix(customers, options.models)
            for batch in options.batches:
                points.append(await _point(server, options, mix, batch, start_at, clock))
                stderr().print(f"bench: {_summary(points[-1])}")
    return points


async def _point(
    server: BenchServer, options: Options, mix: Mix, batch: int, start_at: datetime, clock: Clock
) -> Point:
    lines = list(record_lines(options.records, start_at, mix))
    connections = options.single_connections if batch == 1 else options.connections
    aim = Aim(lines, batch, options.form, connections, options.seconds)
    floor_per_s = (
        await _floor_of_singles(aim) if batch == 1 else await _floor_of_batches(server, aim, clock)
    )
    url = await server.fresh_database("intake")
    empty_bytes = await event_bytes(url)
    async with _serving("ledger", "serve", "--port", "0", url=url) as (process, key):
        cpu_at_s = process.cpu_s()
        sent = await _send(process, aim, key)
        cpu_s = process.cpu_s() - cpu_at_s
        peak_bytes = peak_resident_bytes(process.process.pid)
    events = await count_events(url)
    if events != sent.records:
        raise RuntimeError(f"{sent.records} records were answered, {events} are recorded")
    event_size = (await event_bytes(url) - empty_bytes) // events
    await server.drop_database("intake")
    return Point(
        customers=mix.customers,
        models=mix.models,
        batch=batch,
        connections=connections,
        records=sent.records,
        records_per_s=round(sent.records_per_s),
        floor_per_s=round(floor_per_s),
        ratio=round(sent.records_per_s / floor_per_s, 3),
        p50_ms=round(sent.latency_ms(0.50), 2),
        p99_ms=round(sent.latency_ms(0.99), 2),
        server_peak_mib=peak_bytes // _MEBIBYTE,
        server_cpu_share=round(cpu_s / sent.elapsed_s, 2),
        client_cpu_share=round(sent.cpu_s / sent.elapsed_s, 2),
        bytes_per_event=event_size,
    )


async def _floor_of_batches(server: BenchServer, aim: Aim, clock: Clock) -> float:
    url = await server.fresh_database("floor")
    rows = await event_rows(url, aim.lines, clock)
    copied = await copy_rows(url, rows, aim.batch, aim.seconds)
    await server.drop_database("floor")
    return copied.rows_per_s


async def _floor_of_singles(aim: Aim) -> float:
    async with _serving("ledger.bench.nothing") as (process, key):
        return (await _send(process, aim, key)).records_per_s


async def _send(process: ServerProcess, aim: Aim, key: str) -> Sent:
    requests = aim.requests(key)
    return await send_all(
        process.host,
        process.port,
        requests,
        connections=min(aim.connections, len(requests)),
        seconds=aim.seconds,
    )


@asynccontextmanager
async def _serving(*arguments: str, url: str = "") -> AsyncIterator[tuple[ServerProcess, str]]:
    """A server process and the key to it."""
    key = secrets.token_hex(32)
    environment = {"LEDGER_DATABASE_URL": url, "LEDGER_ADMIN_KEY": key}
    async with server_process(*arguments, environment=environment) as process:
        yield process, key


def _machine() -> dict[str, object]:
    return {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "system": platform.system(),
    }


def _summary(point: Point) -> str:
    return (
        f"{point.customers} customers, batches of {point.batch}: {point.records_per_s:,} records/s, "
        f"floor {point.floor_per_s:,}, ratio {point.ratio}"
    )
